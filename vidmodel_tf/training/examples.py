"""A few clips kept in the run folder, to check any export of the model later without the data set."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.storage import atomic_folder, write_json

NUM_EXAMPLES = 8


def write_examples(run: Run, model: keras.Model, data: DataSet) -> None:
    """Writes `examples/`: `CLIP/FRAME.jpg`, and `examples.json` with each clip's id, frames, words and scores.

    They are validation clips, or training clips where there are none. A model of words alone keeps no frames.
    """
    split = "validation" if data.count("validation") else "train"
    questions = itertools.islice(data.one_question_a_clip(split, run.config.model), NUM_EXAMPLES)
    with atomic_folder(run.path / layout.EXAMPLES) as folder:
        rows = [_write_example(folder, number, *asked, run, model) for number, asked in enumerate(questions)]
        write_json(folder / Path(layout.EXAMPLES_INDEX).name, rows)


def _write_example(
    folder: Path, number: int, clip: StoredClip, question: Question, run: Run, model: keras.Model
) -> dict[str, Any]:
    (folder / str(number)).mkdir()
    names = [f"{number}/{slot:03d}.jpg" for slot in range(len(question.jpeg_frames))]
    for name, jpeg in zip(names, question.jpeg_frames, strict=True):
        (folder / name).write_bytes(jpeg)
    config = run.config.model
    token_ids = run.vocabulary.encode(question.words, config.num_tokens, config.field_budgets)
    inputs = {"frames": decode_questions([question], config), "token_ids": token_ids[np.newaxis]}
    scores = model(inputs, training=False)
    return {
        "id": clip.id,
        "frames": names,
        "text": clip.text,
        "scores": {head: keras.ops.convert_to_numpy(values[0]).tolist() for head, values in scores.items()},
    }
