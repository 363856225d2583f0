"""Answers for video files from a model that TF Serving has loaded. Videos are decoded here, pixels are judged there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.questions import read_videos
from vidmodel_tf.serving.answers import describe_outputs, read_settings_of_served
from vidmodel_tf.serving.endpoint import Endpoint, ServingClient
from vidmodel_tf.video.names import expand_videos

BATCH_SIZE = 4  # one of the sizes for which the server warms up


def open_client(endpoint: Endpoint, *, rest: bool = False) -> ServingClient:
    """A client for a served model; to be closed (`contextlib.closing`).

    Args:
        endpoint: The model.
        rest: Whether the address is that of the REST interface, not of gRPC. REST needs no TensorFlow here.
    """
    if rest:
        from vidmodel_tf.serving.rest_client import RestClient

        return RestClient(endpoint)
    from vidmodel_tf.serving.grpc_client import GrpcClient  # loads TensorFlow

    return GrpcClient(endpoint)


def predict_by_server(
    client: ServingClient,
    files: Sequence[str | Path],
    settings: str | Path,
    *,
    text: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[dict[str, Any]]:
    """What a served model says of each video.

    Args:
        client: From `open_client`.
        files: Videos, folders (searched for videos) and globs.
        settings: The run folder or the exported model: how clips are read, and the class names.
        text: Words for all of them, taken for the model's first text field; None: the sidecar of each, if any.
        batch_size: Clips a request, at most.

    Yields:
        In order, rows as `vidmodel_tf.scoring.clips.predict` gives them: `{"path", "heads": ...}` with the
        labels that the server chose, or `{"path", "error"}`.

    Raises:
        InputError: An argument cannot be used, or the server refuses what it is asked.
        VidmodelError: The server cannot be reached, or did not answer in time.
    """
    if batch_size < 1:
        raise InputError(f"batch_size: expected 1 or more. Received: {batch_size}")
    run = read_settings_of_served(settings, client.endpoint.version)
    paths = expand_videos([str(file) for file in files])
    return _answer(client, run, read_videos(run, paths, text), batch_size)


def _answer(
    client: ServingClient, run: Run, rows: Iterator[dict[str, Any]], batch_size: int
) -> Iterator[dict[str, Any]]:
    waiting: list[dict[str, Any]] = []  # those still without an answer hold "jpegs" and "words"
    for row in rows:
        waiting.append(row)
        if sum("jpegs" in row for row in waiting) == batch_size or "error" in waiting[0]:
            yield from _answer_rows(client, run, waiting)
            waiting = []
    yield from _answer_rows(client, run, waiting)


def _answer_rows(client: ServingClient, run: Run, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    read = [row for row in rows if "jpegs" in row]
    answers: Iterator[dict[str, Any]] = iter(())
    if read:
        outputs = client.ask([row["jpegs"] for row in read], [row["words"] for row in read])
        answers = iter(describe_outputs(outputs, len(read), run.labels))
    for row in rows:
        yield row if "error" in row else {"path": row["path"], "heads": next(answers)}
