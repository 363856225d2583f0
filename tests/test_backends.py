"""The same run under TensorFlow and under JAX: trained, killed, gone on with and asked under either."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.training.history import read_history
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.train import train

pytest.importorskip("jax", reason="the extra jax is not installed")
pytestmark = pytest.mark.slow

ON_JAX = """
import json, sys
import keras
from tests.test_backends import train_again
from vidmodel_tf.forms.verify import verify
assert keras.backend.backend() == "jax"
folder, data = sys.argv[1:3]
for name in ("scratch", "stages"):
    train_again(data, folder, "jax", name)
print(json.dumps(verify(f"{folder}/tensorflow-stages", f"{folder}/tensorflow-stages").to_json()))
"""


class KilledError(Exception):
    """Stands for the end of the process."""


def settings(folder, name):
    """Of a run on pixels, or of one in two stages; no dropout, for backends draw other random numbers."""
    model = dataclasses.replace(MODEL, dropout=0.0)
    if name == "scratch":
        return model, dataclasses.replace(TRAIN, epochs=2)
    model = dataclasses.replace(model, weights=str(folder / "small_cnn.weights.h5"), temporal="gru")
    return model, dataclasses.replace(TRAIN, epochs=1, fine_tune_epochs=1, fine_tune_learning_rate=1e-3)


def train_again(data, folder, backend, name):
    """Goes on with a run that was killed, under the backend of this process."""
    folder = Path(folder)
    return train(data, folder / f"{backend}-{name}", *settings(folder, name))


@pytest.fixture(scope="module")
def folder(data_set, backbone_weights, tmp_path_factory):
    """`data/`, and `BACKEND-NAME/`: runs killed under TensorFlow after an epoch and gone on with under BACKEND."""
    out = tmp_path_factory.mktemp("backends")
    data = copy_data_set(data_set, out / "data")
    shutil.copy(backbone_weights, out / "small_cnn.weights.h5")
    on_epoch_end = StageProgress.on_epoch_end

    def kill(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        raise KilledError

    for name in ("scratch", "stages"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
            patch.setattr(StageProgress, "on_epoch_end", kill)
            train_again(data, out, "tensorflow", name)
        shutil.copytree(out / f"tensorflow-{name}", out / f"jax-{name}")
        train_again(data, out, "tensorflow", name)
    return out


@pytest.fixture(scope="module")
def verified_on_jax(folder):
    """What JAX found of the run that was trained under TensorFlow, after it has trained its own."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", ON_JAX, str(folder), str(folder / "data")]
    root = Path(__file__).parents[1]
    result = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["scratch", "stages"])
def test_a_run_goes_on_under_another_backend_with_the_same_losses(folder, verified_on_jax, name):
    epochs, expected = (read_history(folder / f"{backend}-{name}") for backend in ("jax", "tensorflow"))
    assert [epoch.stage for epoch in epochs] == [epoch.stage for epoch in expected]
    for found, wanted in zip(epochs, expected, strict=True):
        assert found.values.keys() == wanted.values.keys()
        # float32 sums in another order, which Adam's division by small numbers makes larger from step to step
        for loss in ("loss", "val_loss"):
            assert found.values[loss] == pytest.approx(wanted.values[loss], rel=5e-4), (found, wanted)


def test_the_run_says_which_backends_trained_it(folder, verified_on_jax):
    lines = (folder / "jax-stages" / "logs" / "machines.jsonl").read_text().splitlines()
    machines = [json.loads(line) for line in lines]
    assert [machine["backend"] for machine in machines] == ["tensorflow", "jax"]
    assert machines[1]["devices"] == ["cpu:0"]


@pytest.mark.parametrize("name", ["scratch", "stages"])
def test_a_run_of_jax_gives_the_same_scores_under_tensorflow(folder, verified_on_jax, name):
    run = load_run(folder / f"jax-{name}")
    found = verify(run.path, run.path)
    assert found.num_examples > 0
    for agreement in found.answers["scores"].values():
        assert agreement.max_difference < 1e-5  # float32 sums in another order, of scores in 0..1


def test_a_run_of_tensorflow_gives_the_same_scores_under_jax(verified_on_jax):
    assert verified_on_jax["passed"]
    differences = [found["max_difference"] for found in verified_on_jax["answers"]["scores"].values()]
    assert len(differences) == 2
    assert np.max(differences) < 1e-5  # as above
