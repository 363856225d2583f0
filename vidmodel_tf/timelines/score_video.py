"""One long video -> scores over time, in one pass that goes on where it was killed."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.progress import track
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.scoring.step_scores import StepScores
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.scoring.window_pass import WindowPass, Words
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.timelines.partial import Partial
from vidmodel_tf.timelines.read_steps import OpenedVideo, StepFrame, StepReader
from vidmodel_tf.timelines.words_of_range import words_of_range
from vidmodel_tf.words.cues import Cue

CHUNK_STEPS = 16  # frames that are encoded at once
CHUNKS_A_SAVE = 32  # about a minute of video


@dataclasses.dataclass(frozen=True, eq=False)
class ScoredVideo:
    """What a pass over a video gives.

    Attributes:
        video: As the container describes it.
        width: Pixels, upright.
        height: Likewise.
        scores: A row a step, the last one cut short where the video ends within it.
        cuts: The steps that begin a new shot, ascending.
        warnings: What of the video could not be decoded, and what was assumed where its times make no sense.
    """

    video: OpenedVideo
    width: int
    height: int
    scores: TimedScores
    cuts: tuple[int, ...]
    warnings: tuple[str, ...]


def score_video(
    form: Form,
    path: Path,
    plan: WindowPlan,
    *,
    cues: tuple[Cue, ...] = (),
    finds_cuts: bool = True,
    partial: Partial | None = None,
) -> ScoredVideo:
    """Scores every step of a video.

    Args:
        form: The model, opened; it must look at frames.
        path: The video.
        plan: Length and hop of windows.
        cues: The words that go with it.
        finds_cuts: Whether windows do not cross cuts.
        partial: Where unfinished work is kept; None: nothing is kept.

    Raises:
        InputError: The file is not a video, or cannot be decoded.
    """
    words = words_of_range(form.run, cues)
    work = _Work(form, plan, words, finds_cuts=finds_cuts)
    if partial is not None and (kept := partial.read()) is not None:
        work.restore(kept)
    with work.open_reader(path) as reader:
        if work.windows.num_steps and not reader.video.can_begin_late:
            # Decoding up to where the work ended would take as long as the work.
            return score_video(form, path, plan, cues=cues, finds_cuts=finds_cuts)
        duration_seconds = reader.video.duration_seconds
        num_steps, num_rows = plan.count_steps(duration_seconds), plan.count_rows(duration_seconds)
        if num_steps >= plan.num_frames:
            for chunk, frames in _chunks(reader, form, num_steps - work.windows.num_steps, path):
                work.push(chunk[-1], frames, reader.num_refused)
                if partial is not None and work.windows.num_steps % (CHUNK_STEPS * CHUNKS_A_SAVE) == 0:
                    partial.write(work.state())
            rows = work.finish(num_rows)
        else:
            first = next(iter(reader))
            work.size = first.width, first.height
            rows = _score_short(form, path, words(0.0, duration_seconds), num_rows)
        video, warnings = reader.video, reader.warnings
    scores = TimedScores.of(plan.step_seconds, duration_seconds, form.run.labels, rows)
    return ScoredVideo(video, *work.size, scores=scores, cuts=tuple(work.windows.cuts), warnings=warnings)


class _Work:
    """A pass that is under way, and all that is kept of it."""

    def __init__(self, form: Form, plan: WindowPlan, words: Words, *, finds_cuts: bool) -> None:
        self._plan = plan
        self._prepare = form.run.config.prepare
        self._steps = StepScores({head: len(names) for head, names in form.run.labels.items()})
        self._num_refused = 0
        self.windows = WindowPass(form, plan, words, finds_cuts=finds_cuts)
        self.size = (0, 0)

    def open_reader(self, path: Path) -> StepReader:
        """Begins to read where the work stands."""
        return StepReader(path, self._plan, self._prepare, self.windows.num_steps, self._num_refused)

    def push(self, last: StepFrame, frames: np.ndarray, num_refused: int) -> None:
        """Takes a chunk of frames; `last` is the last of them."""
        self.size, self._num_refused = (last.width, last.height), num_refused
        scored = self.windows.push(frames)
        self._steps.add(scored.windows, scored.scores)

    def finish(self, num_rows: int) -> dict[str, np.ndarray]:
        """The scores of all steps."""
        scored = self.windows.finish()
        self._steps.add(scored.windows, scored.scores)
        return self._steps.mean(num_rows)

    def state(self) -> dict[str, np.ndarray]:
        """All that it remembers, for `restore`."""
        own = np.array([*self.size, self._num_refused], np.int64)
        return self.windows.state() | self._steps.state() | {"work": own}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a `state`."""
        width, height, self._num_refused = state["work"].tolist()
        self.size = width, height
        self.windows.restore(state)
        self._steps.restore(state)


def _chunks(
    frames: Iterable[StepFrame], form: Form, num_steps: int, path: Path
) -> Iterator[tuple[list[StepFrame], np.ndarray]]:
    """Frames in chunks of one size, as the model takes them: uint8 RGB [n, H, W, 3]."""
    remaining = track(frames, path.name, num_steps)
    while chunk := list(itertools.islice(remaining, CHUNK_STEPS)):
        question = Question("", tuple(frame.jpeg for frame in chunk), "")
        yield chunk, decode_questions([question], form.run.config.model)[0]


def _score_short(form: Form, path: Path, words: str, num_rows: int) -> dict[str, np.ndarray]:
    """A video that is shorter than a window is one clip, as `predict` reads it."""
    question = next(read_questions(form.run, [ClipRange(path)], ""))
    if isinstance(question, Refusal):
        raise InputError(question.reason, subject=path)
    scores = form.scores(decode_questions([question], form.run.config.model), [words])
    return {head: np.repeat(values, num_rows, axis=0) for head, values in scores.items()}
