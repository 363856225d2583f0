"""Answers for video files: each gets a row, one that cannot be read gets its error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.forms.open_model import ModelForm, open_model
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.questions import read_videos
from vidmodel_tf.video.names import expand_videos

_CLIPS_AT_ONCE = 4  # a batch; more would not be faster on a CPU and take more memory


def predict(
    model: str | Path | ModelForm, files: Sequence[str | Path], *, text: str | None = None
) -> Iterator[dict[str, Any]]:
    """What the model says of each video.

    Args:
        model: A run folder, an exported model, or one already opened by `vidmodel_tf.forms.open_model.open_model`.
        files: Videos, folders (searched for videos) and globs.
        text: Words for all of them, taken for the model's first text field; None: the sidecar of each, if any.

    Yields:
        In order, `{"path", "heads": {HEAD: {"label", "score", "scores": {LABEL: score}}}}` (`"labels"`, those over
        the thresholds, for a multi-label head), or `{"path", "error"}`.

    Raises:
        InputError: There is no such model, or a pattern matches nothing.
    """
    model = open_model(model) if isinstance(model, str | Path) else model
    paths = expand_videos([str(file) for file in files])
    return _answer(model, paths, text)


def _answer(model: ModelForm, paths: Sequence[Path], text: str | None) -> Iterator[dict[str, Any]]:
    waiting: list[dict[str, Any]] = []  # rows; those still without an answer hold "frames" and "words"
    for row in _read(model.run, paths, text):
        waiting.append(row)
        if sum("frames" in row for row in waiting) == _CLIPS_AT_ONCE or "error" in waiting[0]:
            yield from _answer_rows(model, waiting)
            waiting = []
    yield from _answer_rows(model, waiting)


def _read(run: Run, paths: Sequence[Path], text: str | None) -> Iterator[dict[str, Any]]:
    height, width = run.config.model.height, run.config.model.width
    for row in read_videos(run, paths, text):
        if "error" not in row:
            row["frames"] = decode_frames(tf.constant(row.pop("jpegs")), height, width).numpy()
        yield row


def _answer_rows(model: ModelForm, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    run, read = model.run, [row for row in rows if "frames" in row]
    answers: Iterable[Scores] = ()
    if read:
        frames = np.stack([row["frames"] for row in read])
        (scores,) = model.scores(frames, [[row["words"] for row in read]])
        answers = ({head: values[i] for head, values in scores.items()} for i in range(len(read)))
    answers = iter(answers)
    for row in rows:
        if "error" in row:
            yield row
        else:
            yield {"path": row["path"], "heads": describe(next(answers), run.labels, run.thresholds)}


def describe(scores: Scores, labels: Labels, thresholds: dict[str, list[float]]) -> dict[str, Any]:
    """The scores of one clip, `{head: [K]}`, in words."""
    heads = {}
    for head, names in labels.items():
        values = [float(score) for score in scores[head]]
        if head in labels.multi_label:
            given = [name for name, score, least in zip(names, values, thresholds[head], strict=True) if score >= least]
            answer = {"labels": given}
        else:
            best = int(np.argmax(values))
            answer = {"label": names[best], "score": values[best]}
        heads[head] = {**answer, "scores": dict(zip(names, values, strict=True))}
    return heads
