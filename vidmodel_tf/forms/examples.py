"""The examples that a run folder keeps: a few clips, and what the Keras model said to them right after training."""

from __future__ import annotations

import dataclasses
import json

from vidmodel_tf.clips.question import Question
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
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
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if not path.exists():
            raise InputError(
                f"{run.path} keeps no examples to verify with: expected a run of `vidmodel train`, which keeps some; "
                "compare the answers of `vidmodel predict` instead"
            ) from None
        raise InputError(f"{run.path} keeps no examples to verify with ({path.name}: {error})") from None
    if not rows:
        raise InputError(f"{run.path} keeps no examples to verify with: its data set had no clips to keep")
    return [
        Example(
            Question(
                id=row["id"],
                jpeg_frames=tuple((run.path / layout.EXAMPLES / name).read_bytes() for name in row["frames"]),
                words=join_fields(row["text"], run.config.model.text_fields),
            ),
            row["scores"],
        )
        for row in rows
    ]
