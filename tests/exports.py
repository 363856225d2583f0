"""Trained runs to export, and the questions that every form of them is asked."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.made_once import made_once
from tests.own_backbones import save_backbone_file, save_hub_preset
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.lite.export import export_tflite
from vidmodel_tf.export.onnx.export import export_onnx
from vidmodel_tf.export.openvino.export import export_openvino
from vidmodel_tf.export.saved_model.export import export_saved_model
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder.run import Run, write_weights
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.training.examples import write_examples
from vidmodel_tf.training.train import train

VECTORS = Path(__file__).parent / "data" / "colours.vec"  # as long as the embeddings of MODEL

CONFIGS = {
    "plain": MODEL,
    "two_streams": dataclasses.replace(
        MODEL,
        streams="both",
        ensemble_size=2,
        bidirectional=True,
        pooling="attention",
        text_pooling="both",
        num_layers=2,
    ),
    "motion": dataclasses.replace(MODEL, streams="motion", branches="video", pooling="both", hidden_units=0),
    "words": dataclasses.replace(MODEL, branches="text"),
    "gru": dataclasses.replace(
        MODEL, temporal="gru", streams="both", embeddings=str(VECTORS), text_pooling="both", weights="imagenet"
    ),
    "transformer": dataclasses.replace(MODEL, temporal="transformer", streams="both", num_layers=2),
    "own_preset": dataclasses.replace(MODEL, streams="both", weights="imagenet"),
}
OWN_BACKBONES = {"gru": save_backbone_file, "own_preset": save_hub_preset}
EXPORTS = {
    "saved_model": export_saved_model,
    "lite": export_tflite,
    "onnx": export_onnx,
    "openvino": export_openvino,
}
TEXTS = [
    {"title": "一个红色的视频 🎬", "tags": "short, test"},
    {},
    {"title": "A blue film " * 20, "subtitles": "你好 world"},
    {"tags": "ÉCOLE unknown-word 123"},
    {"description": "\x01 a marker \x07 inside"},
    {"title": "🎬🎬"},
]


def export_once(run_dir: Path, kind: str) -> Path:
    """The export of a trained run: a version folder of `saved_model`, the folder of files of the others."""
    out = made_once(run_dir.with_name(kind), lambda folder: EXPORTS[kind](run_dir, folder / "name"))
    (folder,) = [path for path in out.glob("name/*") if path.is_dir()]
    return folder


def has_onnx(run: Run) -> bool:
    """Whether tf2onnx can convert a run's backbone; OpenVINO files are made of the ONNX graph."""
    return not run.config.model.backbone.startswith("keras_hub:")


def train_named_run(data: Path, name: str, folder: Path) -> None:
    """Trains the configuration of that name; a backbone of one's own is gone once the run is there."""
    if name not in OWN_BACKBONES:
        train_run(data, folder / "run", CONFIGS[name])
        return
    data = copy_data_set(data, folder / "data")
    source = OWN_BACKBONES[name](folder / "mine.keras")
    backbone = f"keras_hub:{source}" if source.is_dir() else str(source)
    train_run(data, folder / "run", dataclasses.replace(CONFIGS[name], backbone=backbone))
    source.rename(folder / "elsewhere")


def train_run(data: Path, out: Path, config: ModelConfig) -> Run:
    """A trained run, made so sure of itself that its scores for the questions are far apart."""
    run = train(data, out, config, TRAIN)
    model = run.load_model()
    _spread_scores(model, run)
    write_examples(run, model, open_data_set(data))
    write_weights(out, model)
    return run


def _spread_scores(model: keras.Model, run: Run) -> None:
    """Shifts and scales each head's last layer, so that what it says of the questions is half yes, half no."""
    head = model.get_layer("head")
    for layer in head.layers:
        if layer.name.split(".")[-1] in run.labels and isinstance(layer, keras.layers.Dense):
            before = keras.Model(head.input, layer.input).predict(_head_inputs(model, run), verbose=0)
            kernel, _ = layer.get_weights()
            logits = before @ kernel
            scale = 4 / np.ptp(logits - logits.mean(axis=1, keepdims=True) * (len(kernel[0]) > 1), axis=0).max()
            layer.set_weights([scale * kernel, -scale * logits.mean(axis=0)])


def _head_inputs(model: keras.Model, run: Run) -> dict[str, np.ndarray]:
    frames, texts = questions(run)
    inputs = {"token_ids": encode_texts(texts, run)}
    if run.config.model.has_frames:
        outputs = model.get_layer("frame_encoder").predict(frames, verbose=0)
        inputs["features"] = model.get_layer("projection").predict(outputs, verbose=0)
    return inputs


def questions(run: Run) -> tuple[np.ndarray, list[str]]:
    """Frames, uint8 [B, T, H, W, 3], of real clips, of one that stands still and of noise; and joined strings."""
    batches = for_inference(open_data_set(run.data), "train", run.config.model, run.vocabulary, batch_size=len(TEXTS))
    inputs, _, _ = next(batches.as_numpy_iterator())
    frames, rng = inputs["frames"].copy(), np.random.default_rng(0)
    frames[1, 2:] = frames[1, 1]
    frames[2] = rng.integers(0, 256, frames[2].shape)
    frames[3] = rng.integers(0, 256, frames[3].shape) // 2 * (np.arange(len(frames[3])) % 2)[:, None, None, None]
    return frames, [join_fields(text, run.config.model.text_fields) for text in TEXTS]


def expected_scores(run: Run) -> dict[str, np.ndarray]:
    """What the Keras model says to the questions."""
    frames, texts = questions(run)
    return run.load_model().predict({"frames": frames, "token_ids": encode_texts(texts, run)}, verbose=0)


def ask_process(script: str, model: Path, run: Run, folder: Path) -> dict[str, np.ndarray]:
    """Asks the questions in a process of its own: `script MODEL QUESTIONS ANSWERS`, the last two .npz files.

    The questions are `frames` and `token_ids`; what the script writes comes back.
    """
    frames, texts = questions(run)
    np.savez(folder / "questions.npz", frames=frames, token_ids=encode_texts(texts, run))
    paths = (model, folder / "questions.npz", folder / "answers.npz")
    command = [sys.executable, "-c", script, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert result.returncode == 0, result.stderr[-2000:]
    with np.load(folder / "answers.npz") as answers:
        return dict(answers)
