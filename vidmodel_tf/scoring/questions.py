"""Video files and the words beside them -> what a model is asked. No TensorFlow: clients of a server use it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.clips.read_clips import DecodeRequest, decode_all
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.sampling import slots_for_inference
from vidmodel_tf.words.sidecars import read_sidecar_words


def read_videos(run: Run, paths: Sequence[Path], text: str | None) -> Iterator[dict[str, Any]]:
    """Reads videos as the clips were read that the run was trained on.

    Args:
        run: Says how.
        paths: Video files.
        text: Words for all of them, taken for the first text field; None: the sidecar of each, if any.

    Yields:
        In order, `{"path", "jpegs", "words"}` with T JPEG frames and a joined string, or `{"path", "error"}`.
    """
    if not run.config.model.has_frames:  # whether they can be decoded is nothing to such a model
        yield from (_words_of(path, run, text) for path in paths)
        return
    prepare = run.config.prepare
    slots = slots_for_inference(prepare.num_stored_frames, run.config.model.num_frames)
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
        if isinstance(result, InputError):
            yield _error_row(request.path, result)
            continue
        yield _add_words({"path": str(request.path), "jpegs": [result.jpeg_frames[slot] for slot in slots]}, run, text)


def _words_of(path: Path, run: Run, text: str | None) -> dict[str, Any]:
    """The row of a video for a model of words alone: what stands for its frames is black."""
    if not path.is_file():
        return _error_row(path, InputError("there is no such file: expected a video"))
    _, jpeg = import_opencv().imencode(".jpg", np.zeros((8, 8, 3), np.uint8))
    return _add_words({"path": str(path), "jpegs": [jpeg.tobytes()] * run.config.model.num_frames}, run, text)


def _add_words(row: dict[str, Any], run: Run, text: str | None) -> dict[str, Any]:
    """The row of a video with its words, or `{"path", "error"}` where its sidecar cannot be read."""
    fields = run.config.model.text_fields
    try:
        given = {fields[0]: text} if text is not None else read_sidecar_words(Path(row["path"]))
        return {**row, "words": join_fields(given, fields)}
    except InputError as error:
        return _error_row(row["path"], error)


def _error_row(path: str | Path, error: InputError) -> dict[str, Any]:
    # The row has the path already.
    return {"path": str(path), "error": str(error).removeprefix(f"{Path(path).absolute()}: ")}
