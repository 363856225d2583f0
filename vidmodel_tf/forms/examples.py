"""The examples that a run folder keeps: a few clips, and what the Keras model said to them right after training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from vidmodel_tf.clips.question import Question
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.storage import read_json
from vidmodel_tf.text.fields import join_fields


@dataclasses.dataclass(frozen=True)
class Example:
    """One clip with its scores.

    Attributes:
        question: The clip.
        scores: `{head: [K]}`, of the Keras model.
    """

    question: Question
    scores: dict[str, list[float]]


def read_examples(run: Run) -> list[Example]:
    """Reads what `training.examples.write_examples` wrote.

    Raises:
        InputError: The run folder keeps no examples.
    """
    path = run.path / layout.EXAMPLES_INDEX
    try:
        rows = read_json(path)
    except InputError as error:
        if not path.exists():
            raise InputError(
                f"{run.path} keeps no examples to verify with: expected a run of `vidmodel train`, which keeps some; "
                "compare the answers of `vidmodel predict` instead"
            ) from None
        raise InputError(f"{run.path} keeps no examples to verify with: {error}") from None
    if not rows:
        raise InputError(f"{run.path} keeps no examples to verify with: its data set had no clips to keep")
    try:
        return [_read_example(row, run) for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"this file is damaged: {error!r}; train the run anew", subject=path) from None


def _read_example(row: Mapping[str, Any], run: Run) -> Example:
    num_classes = {head: len(names) for head, names in run.labels.items()}
    scores = {head: [float(score) for score in row["scores"][head]] for head in num_classes}
    if wrong := [head for head, number in num_classes.items() if len(scores[head]) != number]:
        raise ValueError(f"expected a score for each class of {wrong[0]}")
    frames = tuple((run.path / layout.EXAMPLES / name).read_bytes() for name in row["frames"])
    return Example(Question(row["id"], frames, join_fields(row["text"], run.config.model.text_fields)), scores)
