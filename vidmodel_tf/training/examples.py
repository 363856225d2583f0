"""A few clips kept in the run folder, by which any artefact of the model can be checked later without the data."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.records.pipeline import Splits, clip_text_encoder, count_clips, inference_slots, record_files
from vidmodel_tf.records.schema import open_data_set, parse_clip
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.storage import write_json

NUM_EXAMPLES = 8


def write_examples(run: Run, model: keras.Model, splits: Splits | None) -> None:
    """Writes `examples/`: `CLIP/FRAME.jpg`, and `examples.json` with each clip's id, frames, words and scores.

    Validation clips; training clips where there are none. A model of words alone keeps no frames.
    """
    folder = run.path / "examples.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = [_write_example(folder, number, clip, run, model) for number, clip in enumerate(_clips(run, splits))]
    write_json(folder / Path(layout.EXAMPLES_INDEX).name, rows)
    shutil.rmtree(run.path / layout.EXAMPLES, ignore_errors=True)
    folder.rename(run.path / layout.EXAMPLES)


def _clips(run: Run, splits: Splits | None):
    split = "validation" if count_clips(run.data, "validation", splits) else "train"
    features = open_data_set(run.data).info.features
    slots = inference_slots(run.data, features, run.config.model) if run.config.model.has_frames else []
    for record in itertools.islice(record_files(run.data, split, splits).in_order(), NUM_EXAMPLES):
        example = parse_clip(features, record[0])
        yield {**example, "frames": tf.gather(example["frames"], tf.constant(slots, tf.int64))}


def _write_example(folder: Path, number: int, clip: dict[str, Any], run: Run, model: keras.Model) -> dict[str, Any]:
    (folder / str(number)).mkdir()
    names = [f"{number}/{slot:03d}.jpg" for slot in range(len(clip["frames"]))]
    for name, jpeg in zip(names, clip["frames"].numpy(), strict=True):
        (folder / name).write_bytes(jpeg)
    frames = tf.zeros((run.config.model.num_frames, run.config.model.height, run.config.model.width, 3), tf.uint8)
    if names:
        frames = decode_frames(clip["frames"], run.config.model.height, run.config.model.width)
    token_ids = clip_text_encoder(run.config.model, run.vocabulary)(clip["text"])
    scores = model({"frames": frames[np.newaxis], "token_ids": token_ids[np.newaxis]}, training=False)
    return {
        "id": clip["id"].numpy().decode(),
        "frames": names,
        "text": {field: value.numpy().decode() for field, value in clip["text"].items()},
        "scores": {head: values[0].numpy().tolist() for head, values in scores.items()},
    }
