"""A run folder -> TensorFlow Lite files: the whole model in four precisions, and the streaming pair.

The pair is for apps that see frame after frame: `frame_features` looks at each frame once, beside the one before it,
and `classify_features` answers for any window of T of them, however the windows overlap.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.lite.bias import with_corrected_bias
from vidmodel_tf.export.lite.convert import LitePrecision, convert
from vidmodel_tf.export.lite.frame_pair import frame_pair_function, frame_pair_specs
from vidmodel_tf.export.lite.lstm import with_lite_lstms
from vidmodel_tf.export.lite.ops import report_on
from vidmodel_tf.export.parts import InferenceParts, load_parts
from vidmodel_tf.export.place import replaced_folder
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder.own_data import open_own_data
from vidmodel_tf.run_folder.run import Run, load_run, write_settings
from vidmodel_tf.storage import write_json

MAX_UNROLLED_STEPS = 64  # each step of an LSTM becomes some fifteen ops; more would make a slow file
NUM_CALIBRATION_CLIPS = 24


def export_tflite(run_dir: str | Path, out: str | Path, *, data: str | Path | None = None) -> Path:
    """Writes `OUT/tflite/`: the files, what they need beside them, and `report.json` on all of them.

    `float32.tflite`, `float16.tflite`, `dynamic.tflite` and `int8.tflite` take `frames` uint8 [1, T, H, W, 3] and
    `token_ids` int32 [1, L]. The single int8 file is left out where an LSTM has more than 64 steps: calibration needs
    LSTMs without loops, and the file would be long and slow. The pair has the int8 encoder then too.
    `frame_features_float32.tflite` and `frame_features_int8.tflite` take `frame` and `previous_frame` uint8
    [1, H, W, 3] (the frame itself for the first) and give `features` [1, D]; `classify_features.tflite` takes
    `features` [1, T, D] and `token_ids`.

    Args:
        run_dir: A run folder, its data set still there: int8 learns from it how large numbers get, and the report
            measures on its test split.
        out: The folder of the exported model, `saved_models/NAME`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained.

    Returns:
        The folder `OUT/tflite`; an earlier one is replaced as a whole.

    Raises:
        InputError: There is no finished run, its data set is gone, or `out` is no place for the files.
    """
    run = load_run(run_dir)
    own_data = open_own_data(run, data)
    if own_data is None:
        raise InputError(
            f"{run.path}: expected its data set at {run.data}, for calibration and the report. Received: none there; "
            "give --data where it lies now"
        )
    with replaced_folder(Path(out), "tflite") as folder:
        _write_files(folder, dataclasses.replace(run, data=own_data.path), own_data)
    return Path(out) / "tflite"


def _write_files(folder: Path, run: Run, data: DataSet) -> None:
    write_settings(dataclasses.replace(run, path=folder))
    parts = load_parts(run)
    parts_of = {precision: _corrected(parts, run, data, precision) for precision in ("dynamic", "int8")}
    jobs = {
        name: functools.partial(_convert_whole, parts_of.get(name, parts), run, data, name)
        for name in _whole_files(run)
    }
    if run.config.model.has_frames:
        jobs |= {
            f"frame_features_{precision}": functools.partial(
                _convert_frame_features, parts_of.get(precision, parts), run, data, precision
            )
            for precision in ("float32", "int8")
        }
        jobs["classify_features"] = functools.partial(_convert_classify_features, parts)
    for name, job in track(jobs.items(), "converting", len(jobs)):
        (folder / f"{name}.tflite").write_bytes(job())
    write_json(folder / "report.json", report_on(folder, run, data))


def _corrected(parts: InferenceParts, run: Run, data: DataSet, precision: LitePrecision) -> InferenceParts:
    if not parts.config.has_frames:
        return parts
    return with_corrected_bias(parts, precision, lambda: _frame_pairs(run, data))


def _whole_files(run: Run) -> tuple[LitePrecision, ...]:
    config = run.config.model
    steps = [config.num_frames] if config.has_frames else []
    if config.has_text and config.text_pooling != "mean":
        steps.append(config.num_tokens)
    with_int8 = max(steps, default=0) <= MAX_UNROLLED_STEPS
    return ("float32", "float16", "dynamic", "int8") if with_int8 else ("float32", "float16", "dynamic")


def _convert_whole(parts: InferenceParts, run: Run, data: DataSet, precision: LitePrecision) -> bytes:
    config, encoder = parts.config, parts.frame_features() if parts.config.has_frames else None
    parts = with_lite_lstms(parts, unroll=precision == "int8")

    def score(frames, token_ids):
        seen = {"features": encoder(frames, training=False)} if encoder else {}
        return _classify(parts, token_ids, seen)

    frames = tf.TensorSpec((1, config.num_frames, config.height, config.width, 3), tf.uint8, "frames")
    models = [parts.head] if encoder is None else [parts.head, encoder]
    return convert(score, [frames, _token_ids(config)], models, precision, lambda: _clips(run, data))


def _convert_frame_features(parts: InferenceParts, run: Run, data: DataSet, precision: LitePrecision) -> bytes:
    encoder = parts.frame_features(previous_given=True)
    encode = frame_pair_function(encoder, "features")
    return convert(encode, frame_pair_specs(parts.config), [encoder], precision, lambda: _frame_pairs(run, data))


def _convert_classify_features(parts: InferenceParts) -> bytes:
    parts = with_lite_lstms(parts, unroll=False)

    def score(features, token_ids):
        return _classify(parts, token_ids, {"features": features})

    features = tf.TensorSpec((1, parts.config.num_frames, parts.num_features), tf.float32, "features")
    return convert(score, [features, _token_ids(parts.config)], [parts.head], "float32")


def _classify(parts: InferenceParts, token_ids: tf.Tensor, seen: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    for layer in parts.head.layers:
        if isinstance(layer, keras.layers.Embedding):
            # An id out of range would make the interpreter fail in the middle of the model.
            token_ids = tf.clip_by_value(token_ids, 0, layer.input_dim - 1)
    return parts.head({**seen, "token_ids": token_ids}, training=False)


def _token_ids(config: ModelConfig) -> tf.TensorSpec:
    return tf.TensorSpec((1, config.num_tokens), tf.int32, "token_ids")


def _clips(run: Run, data: DataSet) -> Iterator[dict[str, np.ndarray]]:
    """Training clips one by one, as the model takes them."""
    batches = for_inference(data, "train", run.config.model, run.vocabulary, batch_size=1)
    for inputs, _, _ in itertools.islice(batches.as_numpy_iterator(), NUM_CALIBRATION_CLIPS):
        yield inputs


def _frame_pairs(run: Run, data: DataSet) -> Iterator[dict[str, np.ndarray]]:
    for clip in _clips(run, data):
        for slot in range(run.config.model.num_frames):
            frames = clip["frames"]
            yield {"frame": frames[:, slot], "previous_frame": frames[:, max(slot - 1, 0)]}
