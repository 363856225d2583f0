"""The model floor on another Keras backend, in a process that cannot import TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.trainable import adapt_standardisation

pytest.importorskip("jax")

ON_JAX = """
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
import keras, numpy as np
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.build import build_encoded_model, build_frame_encoder, build_model
from vidmodel_tf.model.cut import build_cut_model, split_backbone
from vidmodel_tf.model.trainable import adapt_standardisation, backbone_of, set_trainable
from vidmodel_tf.model.weights import load_weights

assert keras.backend.backend() == "jax"
folder = Path(sys.argv[1])
config = ModelConfig(**eval(sys.argv[2]))
model = build_model(config, {"kind": ["a", "b", "c"]}, 20)
inputs = dict(np.load(folder / "inputs.npz"))
load_weights(model, folder / "model.keras")
outputs = model.get_layer("frame_encoder").predict(inputs["frames"], verbose=0)
np.savez(folder / "jax.npz", outputs=outputs, scores=model.predict(inputs, verbose=0)["kind"])

adapt_standardisation(model, [outputs])
set_trainable(backbone_of(model), backbone_of(model))
model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
assert np.isfinite(model.fit(inputs, {"kind": np.array([0, 1, 2])}, verbose=0).history["loss"]).all()
build_encoded_model(model, config).predict({"encodings": outputs, "token_ids": inputs["token_ids"]}, verbose=0)
lower, upper = split_backbone(backbone_of(model), "block_2_conv")
activations = build_frame_encoder(config, lower).predict(inputs["frames"], verbose=0)
build_cut_model(model, config, upper).predict(
    {"activations": activations, "token_ids": inputs["token_ids"]}, verbose=0
)
assert sys.modules["tensorflow"] is None
print("ran on jax")
"""
WHAT_USES_CUDNN = """
import dataclasses, keras
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.temporal import temporal_branch

for temporal, bidirectional in (("lstm", False), ("gru", False), ("lstm", True)):
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        config = ModelConfig(temporal=temporal, bidirectional=bidirectional, precision=precision)
        for has_gaps in (False, True):
            features = keras.Input((4, 8))
            model = keras.Model(features, temporal_branch(features, "some", has_gaps, config))
            layers = [layer for layer in model._flatten_layers() if hasattr(layer, "use_cudnn")]
            print(temporal, precision, has_gaps, *sorted({str(layer.use_cudnn) for layer in layers}))
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_jax_gives_the_same_scores_without_tensorflow(tmp_path):
    settings = {
        "backbone": "small_cnn", "weights": "none", "num_frames": 4, "height": 32, "width": 32, "streams": "both",
        "num_tokens": 6, "projection_units": 16, "lstm_units": 8, "embedding_units": 8,
        "text_lstm_units": 8, "hidden_units": 8, "bidirectional": True, "pooling": "attention", "text_pooling": "both",
        "ensemble_size": 2,
    }  # fmt: skip
    keras.utils.set_random_seed(0)
    model = build_model(ModelConfig(**settings), {"kind": ["a", "b", "c"]}, 20)
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 32, 32, 3), dtype=np.uint8)
    frames[1] = frames[1, :1]  # a clip without motion
    frames[2, 2] = frames[2, 1]
    token_ids = np.array([[1, 2, 0, 0, 0, 0], [0] * 6, [1, 2, 3, 4, 5, 6]], np.int32)
    inputs = {"frames": frames, "token_ids": token_ids}
    outputs = model.get_layer("frame_encoder").predict_on_batch(frames)
    adapt_standardisation(model, [outputs])
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **inputs)

    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", ON_JAX, str(tmp_path), repr(settings)]
    root = Path(__file__).parents[1]
    result = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "ran on jax" in result.stdout

    on_jax = np.load(tmp_path / "jax.npz")
    # float32 on both sides, with sums in another order: values of order 1 to 10, and scores in 0..1
    np.testing.assert_allclose(on_jax["outputs"], outputs, atol=1e-4)
    np.testing.assert_allclose(on_jax["scores"], model.predict_on_batch(inputs)["kind"], atol=1e-5)
    np.testing.assert_array_equal(on_jax["outputs"] == 0, outputs == 0)


def test_no_module_of_the_floor_names_tensorflow():
    for path in (Path(__file__).parents[1] / "vidmodel_tf" / "model").glob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert "import tensorflow" not in code, path
        assert "tf." not in code.replace("vidmodel_tf.", ""), path


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_cudnn_gets_no_smaller_floats_from_jax_and_no_masks(backend):
    """JAX knows no way to hand bfloat16 to cuDNN, and Keras finds out when it is too late: on a GPU, `fit` failed."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", WHAT_USES_CUDNN]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    found = dict(line.rsplit(" ", 1) for line in output.splitlines())
    assert len(found) == 2 * 3 * 2  # an LSTM in both directions has the name of another one
    for name, use_cudnn in found.items():
        _, precision, has_gaps = name.split()
        may = has_gaps == "False" and (backend == "tensorflow" or precision == "float32")
        assert use_cudnn == ("auto" if may else "False"), name
