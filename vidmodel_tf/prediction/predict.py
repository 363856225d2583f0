"""Answers for video files: each gets a row, one that cannot be read gets its error."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vidmodel_tf.clips.decode_pool import DecodedClip, DecodeRequest, decode_all
from vidmodel_tf.clips.files import expand_videos
from vidmodel_tf.clips.sampling import slots_for_inference
from vidmodel_tf.clips.words import read_sidecar_words
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.prediction.forms import ModelForm, open_model
from vidmodel_tf.prediction.run_model import Scores
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.run_folder import Run
from vidmodel_tf.text.fields import join_fields

_CLIPS_AT_ONCE = 4  # a batch; more would not be faster on a CPU and take more memory


def predict(
    model: str | Path | ModelForm, files: Sequence[str | Path], *, text: str | None = None
) -> Iterator[dict[str, Any]]:
    """What the model says of each video.

    Args:
        model: A run folder, an exported model, or one already opened by `vidmodel_tf.prediction.forms.open_model`.
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
    prepare, config = run.prepare, run.model
    shape = (config.num_frames, config.height, config.width, 3)
    if not config.has_frames:  # whether they can be decoded is nothing to such a model
        for path in paths:
            yield _row(path, lambda: np.zeros(shape, np.uint8), run, text)
        return
    slots = slots_for_inference(prepare.num_stored_frames, config.num_frames)
    requests = (
        DecodeRequest(
            path=path,
            num_frames=prepare.num_stored_frames,
            short_side=prepare.short_side,
            jpeg_quality=prepare.jpeg_quality,
        )
        for path in paths
    )
    for request, result in decode_all(requests, num_workers=0, timeout_seconds=prepare.timeout_seconds):
        yield _row(request.path, functools.partial(_decode, result, slots, config), run, text)


def _decode(result: DecodedClip | InputError, slots: Sequence[int], config: ModelConfig) -> np.ndarray:
    if isinstance(result, InputError):
        raise result
    jpegs = tf.constant([result.jpeg_frames[slot] for slot in slots])
    return decode_frames(jpegs, config.height, config.width).numpy()


def _row(path: Path, frames: Callable[[], np.ndarray], run: Run, text: str | None) -> dict[str, Any]:
    fields = run.model.text_fields
    try:
        pixels = frames()
        given = {fields[0]: text} if text is not None else read_sidecar_words(path)
        return {"path": str(path), "frames": pixels, "words": join_fields(given, fields)}
    except InputError as error:
        # The row has the path already.
        return {"path": str(path), "error": str(error).removeprefix(f"{Path(path).absolute()}: ")}


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
