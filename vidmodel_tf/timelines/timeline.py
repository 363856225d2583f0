"""Scores over time, events and a decision for one long video."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.policy import Policy, default_policy
from vidmodel_tf.scoring.windows import WINDOWS, WindowPlan, plan_windows
from vidmodel_tf.timelines.document import Document, ModelFacts, Shot, TimelineSettings, VideoFacts
from vidmodel_tf.timelines.draw_events import draw_events
from vidmodel_tf.timelines.partial import Partial
from vidmodel_tf.timelines.score_video import ScoredVideo, score_video
from vidmodel_tf.timelines.words_of_range import find_cues
from vidmodel_tf.user_cache import content_hash
from vidmodel_tf.video.containers import check_file
from vidmodel_tf.words.cues import Cue


def timeline(
    model: str | Path | Form,
    video: str | Path,
    *,
    window_seconds: float | None = None,
    hop_seconds: float | None = None,
    windows: str = "shots",
    text: str | None = None,
    policy: Policy | None = None,
) -> Document:
    """Scores a long video step by step, and finds the events in it.

    Every frame is encoded once. Windows as long as the clips of the training data are scored, and the score of a step
    is the mean over the windows that cover it.

    Args:
        model: A run folder, an exported model, or one already opened by `open_model`.
        video: The file.
        window_seconds: Length of a window; None: the median length of the training clips.
        hop_seconds: From the start of a window to that of the next, rounded to whole steps; None: a quarter of it.
        windows: "shots": windows do not cross cuts; "fixed": they take no notice of them.
        text: Words for the whole video; None: those beside and in it.
        policy: What an event is; None: one rule for each class (`default_policy`).

    Raises:
        InputError: There is no such model or video, or the length of a window is not known.
    """
    form = open_model(model)
    plan = plan_for(form.run, window_seconds, hop_seconds)
    policy = policy or policy_for(form.run)
    document, _ = score_task(plan_task(form, video, plan, windows=windows, text=text))
    return draw_events(document, policy)[0]


@dataclasses.dataclass(frozen=True, eq=False)
class TimelineTask:
    """A video that is to be scored, and all that its scores depend on.

    Attributes:
        form: The model.
        plan: Its windows.
        path: The video, absolute.
        sha256: Of its content.
        model: What the document says of the model.
        settings: What the document says of the windows.
        cues: The words that go with it.
    """

    form: Form
    plan: WindowPlan
    path: Path
    sha256: str
    model: ModelFacts
    settings: TimelineSettings
    cues: tuple[Cue, ...]

    @property
    def key(self) -> str:
        """Equal for tasks with equal scores."""
        parts = (self.sha256, self.model.fingerprint, self.settings, self.cues)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def plan_task(
    form: Form, video: str | Path, plan: WindowPlan, *, windows: str = "shots", text: str | None = None
) -> TimelineTask:
    """Reads all that the scores of a video depend on, but for its pictures.

    Args:
        form: The model, opened.
        video: The file.
        plan: Its windows.
        windows: "shots" or "fixed".
        text: Words for the whole video; None: those beside and in it.

    Raises:
        InputError: There is no such video, or its words cannot be read.
    """
    if windows not in WINDOWS:
        raise InputError(f"--windows: expected {' or '.join(WINDOWS)}. Received: {windows!r}")
    path = Path(video).absolute()
    try:
        check_file(path)
        sha256 = content_hash(path)
    except InputError as error:
        raise InputError(error.reason, subject=video) from None
    settings = TimelineSettings(
        window_seconds=round(plan.window_seconds, 6),
        hop_seconds=round(plan.hop_seconds, 6),
        step_seconds=plan.step_seconds,
        windows=windows,
    )
    return TimelineTask(
        form=form,
        plan=plan,
        path=path,
        sha256=sha256,
        model=ModelFacts(str(form.path), fingerprint(form.path)),
        settings=settings,
        cues=find_cues(form.run, path, text),
    )


def score_task(task: TimelineTask, partial: Path | None = None) -> tuple[Document, tuple[str, ...]]:
    """Scores a video; its events are still to be found (`draw_events`).

    Args:
        task: From `plan_task`.
        partial: A file in which unfinished work is kept, to go on after a kill. It is left, for the scores are not
            written yet.

    Returns:
        The document, and a warning for each thing in which the video is not as it should be.

    Raises:
        InputError: The file is not a video, or cannot be decoded.
    """
    scored = score_video(
        task.form,
        task.path,
        task.plan,
        cues=task.cues,
        finds_cuts=task.settings.windows == "shots",
        partial=None if partial is None else Partial(partial, task.key),
    )
    document = Document(
        video=_facts_of(scored, task.path, task.sha256),
        model=task.model,
        settings=task.settings,
        scores=scored.scores,
        shots=_shots(scored, task.plan),
    )
    return document, scored.warnings


def plan_for(run: Run, window_seconds: float | None, hop_seconds: float | None) -> WindowPlan:
    """The windows in which a trained model is asked.

    Args:
        run: The settings of the model.
        window_seconds: Length of a window; None: the median length of the training clips.
        hop_seconds: From a window to the next; None: a quarter of a window.

    Raises:
        InputError: The model does not look at frames, or how long its training clips were is not known.
    """
    config = run.config
    if not config.model.has_frames:
        raise InputError(
            f"{run.path} is a model of words alone (model.branches=text): expected one that looks at frames"
        )
    if window_seconds is None:
        if run.clip_seconds is None:
            raise InputError(
                f"{run.path} does not say how long its training clips were (an older version made it): "
                "give the length of a window with --window SECONDS"
            )
        window_seconds = run.clip_seconds.median
    return plan_windows(config.model.num_frames, config.prepare.num_stored_frames, window_seconds, hop_seconds)


def policy_for(run: Run) -> Policy:
    """The policy where the user gives none: a rule for each class but the most frequent of the training clips."""
    return default_policy(run.labels, sorted(run.labels.multi_label), run.most_frequent)


def _facts_of(scored: ScoredVideo, path: Path, sha256: str) -> VideoFacts:
    return VideoFacts(
        path=str(path),
        sha256=sha256,
        duration_seconds=scored.video.duration_seconds,
        num_frames=scored.video.num_frames,
        width=scored.width,
        height=scored.height,
    )


def _shots(scored: ScoredVideo, plan: WindowPlan) -> tuple[Shot, ...]:
    end_seconds = scored.video.duration_seconds
    cuts = [round(cut * plan.step_seconds, 3) for cut in scored.cuts]
    return tuple(Shot(start, end) for start, end in itertools.pairwise([0.0, *cuts, end_seconds]))
