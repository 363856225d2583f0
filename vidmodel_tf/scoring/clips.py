"""Answers for video files: each gets an answer, or the reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_range import expand_clips
from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.decision import Answer
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.scoring.answer_clips import answer_clips
from vidmodel_tf.scoring.answer_on_cluster import answer_on_cluster
from vidmodel_tf.scoring.questions import check_questions


def predict(
    model: str | Path | Form, files: Sequence[str | Path], *, text: str | None = None, cluster: str | None = None
) -> Iterator[Answer | Refusal]:
    """Answers for each video what the model predicts.

    Args:
        model: A run folder, an exported model, or one already opened by `vidmodel_tf.forms.open_model.open_model`.
        files: Videos, folders (searched for videos), globs, and .csv or .jsonl files with the columns `path`,
            `start_seconds` and `end_seconds` for ranges of videos, and `question` for what is asked about them.
        text: Words for all of them, taken for the model's first text field; None: those beside and in each video.
        cluster: The address of a Ray cluster whose nodes read the videos and compute the answers (docs/cluster.md),
            each with a model of its own, opened from the path `model`; None: this machine does.

    Yields:
        In order, questions about one clip together, an answer for each video, or a refusal of one that cannot be read.
        `to_json()` gives either as `vidmodel predict --json` prints it.

    Raises:
        InputError: There is no such model or cluster, a pattern matches nothing, or questions are asked of a model
            that reads none.
        VidmodelError: A node does not see a video or has other versions, or nodes died again and again.
    """
    form = open_model(model)
    clips = expand_clips([str(file) for file in files])
    check_questions(form.run, clips, text)
    if cluster is None:
        return answer_clips(form, clips, text)
    if not isinstance(model, str | Path):
        raise InputError("cluster: expected the path of a model, which each node opens. Received: one that is open")
    return answer_on_cluster(cluster, Path(model), clips, text)
