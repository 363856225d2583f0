"""Scores over time, events and a decision for one long video."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.judge import judge
from vidmodel_tf.scoring.policy import Policy, default_policy
from vidmodel_tf.scoring.windows import WINDOWS, WindowPlan, plan_windows
from vidmodel_tf.timelines.document import Document, ModelFacts, Shot, TimelineSettings, VideoFacts
from vidmodel_tf.timelines.score_video import ScoredVideo, score_video


def timeline(
    model: str | Path | Form,
    video: str | Path,
    *,
    window_seconds: float | None = None,
    hop_seconds: float | None = None,
    windows: str = "shots",
    text: str | None = None,
    policy: Policy | None = None,
    partial: str | Path | None = None,
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
        text: Words for the whole video; None: those in the files beside it.
        policy: What an event is; None: one rule for each class (`default_policy`).
        partial: A file in which unfinished work is kept, to go on after a kill.

    Raises:
        InputError: There is no such model or video, or the length of a window is not known.
    """
    form = open_model(model)
    plan = plan_for(form.run, window_seconds, hop_seconds)
    if windows not in WINDOWS:
        raise InputError(f"--windows: expected {' or '.join(WINDOWS)}. Received: {windows!r}")
    policy = policy or policy_for(form.run)
    policy.check_against(form.run.labels)
    path = Path(video).absolute()
    if not path.is_file():
        raise InputError("there is no such file: expected a video", subject=video)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    facts = ModelFacts(str(form.path), fingerprint(form.path))
    settings = TimelineSettings(
        window_seconds=round(plan.window_seconds, 6),
        hop_seconds=round(plan.hop_seconds, 6),
        step_seconds=plan.step_seconds,
        windows=windows,
    )
    scored = score_video(
        form,
        path,
        plan,
        text=text,
        finds_cuts=windows == "shots",
        partial=None if partial is None else Path(partial),
        key={"video": sha256, "model": facts.fingerprint, "settings": repr(settings), "text": text},
    )
    return Document(
        video=_facts_of(scored, path, sha256),
        model=facts,
        settings=settings,
        scores=scored.scores,
        shots=_shots(scored, plan),
        events=find_events(scored.scores, policy),
        decision=judge(scored.scores, policy).decision,
    )


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
    return default_policy(run.labels, run.labels.multi_label, run.most_frequent)


def _facts_of(scored: ScoredVideo, path: Path, sha256: str) -> VideoFacts:
    return VideoFacts(
        path=str(path),
        sha256=sha256,
        duration_seconds=round(scored.video.duration_seconds, 3),
        num_frames=scored.video.num_frames,
        width=scored.width,
        height=scored.height,
    )


def _shots(scored: ScoredVideo, plan: WindowPlan) -> tuple[Shot, ...]:
    end_seconds = round(scored.video.duration_seconds, 3)
    cuts = [round(cut * plan.step_seconds, 3) for cut in scored.cuts]
    return tuple(Shot(start, end) for start, end in itertools.pairwise([0.0, *cuts, end_seconds]))
