"""Several devices train as one does, under TensorFlow and under JAX. Here they are the CPU, divided for a process."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.own_backbones import save_backbone_file
from vidmodel_tf.backend.devices import Devices, find_devices
from vidmodel_tf.config import TrainConfig, from_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.crossvalidate import crossvalidate
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.training.full_batches import check_shared, fill_last_batch
from vidmodel_tf.training.history import read_history
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.state import TrainingState
from vidmodel_tf.training.train import plan_run, train

ON_THREE = """
import sys
import keras, tensorflow as tf
if keras.backend.backend() == "tensorflow":
    cpu, three = tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 3
    tf.config.set_logical_device_configuration(cpu, three)
from tests.test_devices import train_all
train_all(*sys.argv[1:])
"""
NAMES = ("scratch", "stages")


class KilledError(Exception):
    """Stands for the end of the process."""


def settings(folder, name):
    """Of a run on pixels with a BatchNorm, of one in two stages, and of one of words alone that draws at random."""
    model = dataclasses.replace(MODEL, dropout=0.0)
    if name == "scratch":
        # Each device has a single clip, which has no colour every fifth time; the gradients are clipped.
        training = dataclasses.replace(TRAIN, epochs=2, batch_size=2, learning_rate=1e-3, head_weights={"colour": 50.0})
        return dataclasses.replace(model, backbone=str(folder / "own.keras")), training
    if name == "stages":
        training = dataclasses.replace(TRAIN, epochs=2, fine_tune_epochs=1, fine_tune_learning_rate=1e-3, mirror=True)
        return dataclasses.replace(model, weights=str(folder / "small_cnn.weights.h5")), training
    words = dataclasses.replace(model, branches="text", dropout=0.5, ensemble_size=2)
    return words, dataclasses.replace(TRAIN, epochs=2)


def train_all(data, folder):
    """Each run on one device and on two, and killed after every epoch, with other devices each time."""
    folder = Path(folder)
    for name in NAMES:
        for devices in (1, 2):
            train_one(data, folder, name, f"{name}-{devices}", devices)
    train_killed(data, folder, "stages", (1, 2))
    train_one(data, folder, "words", "words-2", 2)
    train_killed(data, folder, "words", (2,))
    np.save(folder / "states.npy", states_of_three(folder))


def states_of_three(folder):
    """The states of the random numbers of a layer, by device, in epoch 3 of seed 7, after training on all devices."""
    devices = find_devices("all")
    with devices.scope():
        inputs = keras.Input((8,))
        model = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Dense(2)(inputs)))
        model.compile("adam", "mse")
        model.fit(np.ones((6, 8)), np.ones((6, 2)), batch_size=6, verbose=0)
        progress = StageProgress(folder, TrainingState(), patience=1, seed=7, devices=devices)
        progress.set_model(model)
        progress.on_epoch_begin(3)
        return [np.asarray(state) for state in devices.copies(model.layers[-1].seed_generator.state)]


def train_one(data, folder, name, out, devices):
    """Trains a run, or goes on with it."""
    shutil.rmtree(Path(data) / "features", ignore_errors=True)
    model, training = settings(folder, name)
    train(data, folder / out, model, dataclasses.replace(training, devices=devices))


def train_killed(data, folder, name, devices):
    """Trains a run, an epoch at a time."""
    on_epoch_end = StageProgress.on_epoch_end

    def kill(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        raise KilledError

    for number in devices:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
            patch.setattr(StageProgress, "on_epoch_end", kill)
            train_one(data, folder, name, f"{name}-killed", number)
    train_one(data, folder, name, f"{name}-killed", devices[0])


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def folder(request, data_set, backbone_weights, tmp_path_factory):
    """The runs of `train_all`, made by a process that has three devices."""
    pytest.importorskip(request.param, reason="the extra jax is not installed")
    out = tmp_path_factory.mktemp(request.param)
    shutil.copy(backbone_weights, out / "small_cnn.weights.h5")
    save_backbone_file(out / "own.keras")
    data = copy_data_set(data_set, out / "data")
    three = "--xla_force_host_platform_device_count=3"
    environment = {**os.environ, "KERAS_BACKEND": request.param, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": three}
    command = [sys.executable, "-c", ON_THREE, str(data), str(out)]
    root = Path(__file__).parents[1]
    result = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-5000:]
    return out


def assert_same_losses(found, wanted):
    """The epochs of two runs are the same, but for float32 sums in another order."""
    assert [epoch.stage for epoch in found] == [epoch.stage for epoch in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.values.keys() == other.values.keys()
        for value in ("loss", "val_loss", "colour_accuracy", "topic_accuracy", "val_colour_accuracy"):
            if value in other.values:
                assert one.values[value] == pytest.approx(other.values[value], rel=1e-5), (value, one, other)
    assert len(found) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_devices_have_the_losses_of_one(folder, name):
    assert_same_losses(read_history(folder / f"{name}-2"), read_history(folder / f"{name}-1"))


@pytest.mark.slow
def test_a_killed_run_goes_on_with_other_devices(folder):
    assert_same_losses(read_history(folder / "stages-killed"), read_history(folder / "stages-1"))
    lines = (folder / "stages-killed" / "logs" / "machines.jsonl").read_text().splitlines()
    assert [len(json.loads(line)["used_devices"]) for line in lines] == [1, 2, 1]


@pytest.mark.slow
def test_what_two_devices_draw_at_random_is_drawn_again_after_a_kill(folder):
    assert_same_losses(read_history(folder / "words-killed"), read_history(folder / "words-2"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_run_folder_is_that_of_one_device(folder, name):
    one, two = (folder / f"{name}-{devices}" for devices in (1, 2))
    assert (two / "config.json").read_bytes() == (one / "config.json").read_bytes()
    assert compiled_with(two) == compiled_with(one)
    found, wanted = (json.loads((run / "examples" / "examples.json").read_text()) for run in (two, one))
    for clip, expected in zip(found, wanted, strict=True):
        for head, scores in expected["scores"].items():
            assert clip["scores"][head] == pytest.approx(scores, abs=1e-4)  # as the losses above


def compiled_with(run):
    """The losses and the optimizer of a saved model."""
    with zipfile.ZipFile(run / "model.keras") as file:
        text = file.read("config.json").decode()
    assert '"synchronized": true' not in text
    return json.loads(text)["compile_config"]


@pytest.mark.slow
def test_each_device_draws_numbers_of_its_own(folder):
    """Under TensorFlow: the first those of a single device. Under JAX all share one batch, and its numbers."""
    states = np.load(folder / "states.npy")
    draws = np.random.SeedSequence([7, 3, 0]).generate_state(2)
    np.testing.assert_array_equal(states[0], draws >> 1)
    assert len(states) == (3 if folder.name.startswith("tensorflow") else 1)
    assert len({state.tobytes() for state in states}) == len(states)


@pytest.mark.parametrize(("wanted", "number"), [(1, 1), ("all", 1)])
def test_the_first_devices_are_taken(wanted, number):
    assert find_devices(wanted).names == tuple(keras.distribution.list_devices()[:number])


def test_more_devices_than_there_are(data_set, tmp_path):
    words = r"train\.devices: expected at most 1, for tensorflow sees cpu:0 on this machine\. Received: 2"
    with pytest.raises(InputError, match=words):
        train(data_set, tmp_path / "run", MODEL, dataclasses.replace(TRAIN, devices=2))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, r"train\.devices: expected 1 to 1024\. Received: 0"),
        (True, r"train\.devices: expected a whole number or 'all'\. Received: True"),
        ("some", r"train\.devices: expected a whole number or 'all'\. Received: 'some'"),
    ],
)
def test_what_is_no_number_of_devices(value, words):
    with pytest.raises(InputError, match=words):
        from_mapping(TrainConfig, {"devices": value}, "train")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": 3}, r"train\.batch_size: expected a multiple of 2, .* Received: 3"),
        ({"batch_size": 64}, r"not above the number of training clips, \d+\. Received: 64"),
        ({"batch_size": 4}, None),
    ],
)
def test_batches_are_shared_equally(data_set, tmp_path, settings, words):
    data = open_data_set(data_set)
    odd = next(clip.id for clip in data.in_split("train"))
    if data.count("train") % 2 == 0:
        data = data.with_splits({clip.id: "test" if clip.id == odd else clip.split for clip in data.clips})
    run = plan_run(data, tmp_path, MODEL, dataclasses.replace(TRAIN, **settings))
    devices = Devices(["cpu:0", "cpu:1"])
    if words is None:
        check_shared(run, data, devices)
    else:
        with pytest.raises(InputError, match=words):
            check_shared(run, data, devices)


def test_half_precision_with_a_scaled_loss_is_refused(data_set, tmp_path):
    data = open_data_set(data_set)
    run = plan_run(data, tmp_path, dataclasses.replace(MODEL, precision="mixed_float16"), TRAIN)
    check_shared(run, data, Devices(["cpu:0"]))
    with pytest.raises(InputError, match=r"model\.precision: expected float32 or mixed_bfloat16 with train\.devices"):
        check_shared(run, data, Devices(["cpu:0", "cpu:1"]))


def test_a_finished_run_asks_for_no_devices(run_dir, data_set):
    train(data_set, run_dir, MODEL, dataclasses.replace(TRAIN, devices=64))
    assert "devices" not in json.loads((run_dir / "config.json").read_text())["train"]


def test_cross_validation_trains_on_cores(data_set, tmp_path):
    with pytest.raises(InputError, match=r"train\.devices: expected 1, for the processes of a cross-validation"):
        crossvalidate(data_set, tmp_path / "cross", MODEL, dataclasses.replace(TRAIN, devices="all"))


@pytest.mark.parametrize("num_clips", [1, 4, 7])
def test_rows_that_fill_the_last_batch_do_not_count(num_clips):
    rng = np.random.default_rng(0)
    inputs, labels = {"x": rng.normal(size=(num_clips, 3)).astype("float32")}, rng.integers(0, 2, num_clips)
    weights = {"y": rng.uniform(0, 2, num_clips).astype("float32")}
    batches = tf.data.Dataset.from_tensor_slices((inputs, {"y": labels}, weights)).batch(4)
    filled = fill_last_batch(batches, 4, num_clips)
    assert {len(batch["x"]) for batch, *_ in filled} == {4}

    layer = keras.Input((3,), name="x")
    model = keras.Model({"x": layer}, {"y": keras.layers.Dense(2, "softmax")(layer)})
    model.compile(loss={"y": "sparse_categorical_crossentropy"}, weighted_metrics={"y": ["accuracy"]})
    scores = model.predict(inputs, verbose=0)["y"]
    found = model.evaluate(filled, verbose=0, return_dict=True)
    losses = -np.log(scores[np.arange(num_clips), labels]) * weights["y"]
    assert found["loss"] == pytest.approx(losses.mean(), rel=1e-5)  # float32 sums
    right = (scores.argmax(1) == labels) * weights["y"]
    assert found["accuracy"] == pytest.approx(right.sum() / weights["y"].sum(), rel=1e-5)
