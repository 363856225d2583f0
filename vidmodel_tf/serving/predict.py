"""Answers for video files from a model that TF Serving has loaded: videos are decoded here, frames are scored there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.clips.clip_range import expand_clips
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.decision import Answer
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.batches import answer_in_batches
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.serving.answers import describe_outputs, read_settings_of_served
from vidmodel_tf.serving.endpoint import Endpoint, ServingClient
from vidmodel_tf.serving.grpc_client import GrpcClient
from vidmodel_tf.serving.rest_client import RestClient
from vidmodel_tf.video.opencv import import_opencv

BATCH_SIZE = 4  # one of the sizes for which the server warms up


def open_client(endpoint: Endpoint, *, rest: bool = False) -> ServingClient:
    """A client for a served model; to be closed (`contextlib.closing`).

    Args:
        endpoint: The model.
        rest: Whether the address is that of the REST interface, not of gRPC.
    """
    return RestClient(endpoint) if rest else GrpcClient(endpoint)


def predict_by_server(
    client: ServingClient,
    files: Sequence[str | Path],
    settings: str | Path,
    *,
    text: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Answer | Refusal]:
    """Answers for each video what a served model predicts.

    Args:
        client: From `open_client`.
        files: Videos, folders (searched for videos), globs, and lists of ranges, as `predict` takes them.
        settings: The run folder or the exported model: how clips are read, and the class names.
        text: Words for all of them, taken for the model's first text field; None: those beside and in each video.
        batch_size: Clips a request, at most.

    Yields:
        In order, as `vidmodel_tf.scoring.clips.predict` does, answers with the labels that the server chose, or
        refusals.

    Raises:
        InputError: An argument cannot be used, or the server refuses what it is asked.
        VidmodelError: The server cannot be reached, or did not answer in time.
    """
    if batch_size < 1:
        raise InputError(f"batch_size: expected 1 or more. Received: {batch_size}")
    run = read_settings_of_served(settings, client.endpoint.version)
    clips = expand_clips([str(file) for file in files])
    questions = read_questions(run, clips, text)
    return answer_in_batches(questions, lambda batch: _ask(client, run, batch), batch_size)


def _ask(client: ServingClient, run: Run, questions: Sequence[Question]) -> list[Answer]:
    if run.config.model.has_frames:
        jpegs = [question.jpeg_frames for question in questions]
    else:
        jpegs = [_black_frames(run.config.model.num_frames)] * len(questions)
    outputs = client.ask(jpegs, [question.words for question in questions])
    answers = describe_outputs(outputs, len(questions), run.labels)
    return [
        Answer(question.id, heads, question.seconds, question.question)
        for question, heads in zip(questions, answers, strict=True)
    ]


def _black_frames(num_frames: int) -> list[bytes]:
    """What a model of words alone gets for frames: its signatures have that input too, and do not read it."""
    _, jpeg = import_opencv().imencode(".jpg", np.zeros((8, 8, 3), np.uint8))
    return [jpeg.tobytes()] * num_frames
