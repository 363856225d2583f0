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
from vidmodel_tf.scoring.window_pass import WindowPass
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
        partial: Where unfinished work is kept; None: nothing is kept. It is removed at the end.

    Raises:
        InputError: The file is not a video, or cannot be decoded.
    """
    run = form.run
    words = words_of_range(run, cues)
    windows = WindowPass(form, plan, words, finds_cuts=finds_cuts)
    steps = StepScores({head: len(names) for head, names in run.labels.items()})
    kept = None if partial is None else partial.read()
    if kept is not None:
        windows.restore(kept)
        steps.restore(kept)
    with StepReader(path, plan, run.config.prepare, windows.num_steps) as reader:
        duration_seconds = reader.video.duration_seconds
        num_steps = plan.count_steps(duration_seconds)
        size = (0, 0)
        if num_steps >= plan.num_frames:
            for chunk, frames in _chunks(reader, form, num_steps - windows.num_steps, path):
                size = chunk[-1].width, chunk[-1].height
                scored = windows.push(frames)
                steps.add(scored.windows, scored.scores)
                if partial is not None and windows.num_steps % (CHUNK_STEPS * CHUNKS_A_SAVE) == 0:
                    partial.write(windows.state() | steps.state())
            scored = windows.finish()
            steps.add(scored.windows, scored.scores)
            rows = steps.mean(plan.count_rows(duration_seconds))
        else:
            size = next(((frame.width, frame.height) for frame in reader), size)
            rows = _score_short(form, path, words(0.0, duration_seconds), plan.count_rows(duration_seconds))
        video, warnings = reader.video, reader.warnings
    if partial is not None:
        partial.remove()
    # Rounded as it is stored: events that are drawn again from the file then end at the same time.
    scores = TimedScores.of(plan.step_seconds, round(duration_seconds, 3), run.labels, rows)
    return ScoredVideo(video, *size, scores=scores, cuts=tuple(windows.cuts), warnings=warnings)


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
