"""Training anew on training and validation clips; interrupted in any stage, training goes on."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.training.encoded_files import encoded_files
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.stages import run_stages
from vidmodel_tf.training.train import begin_run, plan_run, train

REFIT = dataclasses.replace(
    TRAIN, epochs=3, fine_tune_epochs=2, fine_tune_learning_rate=1e-3, refit=True, mirror=True, batch_size=6
)


def history(run):
    with (run.path / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def refit_run(data_set, backbone_weights, tmp_path_factory):
    data = copy_data_set(data_set, tmp_path_factory.mktemp("refit") / "data")
    model = dataclasses.replace(MODEL, weights=str(backbone_weights))
    return train(data, data.parent / "run", model, REFIT)


@pytest.mark.slow
def test_each_stage_has_as_many_epochs_again_as_were_best(refit_run):
    rows = history(refit_run)
    losses = [float(row["val_loss"]) for row in rows if row["val_loss"]]
    best = int(np.argmin(losses)) + 1
    expected = ["frozen"] * 3 + ["fine_tune"] * 2 + ["frozen_refit"] * int(np.argmin(losses[:3]) + 1)
    if best > 3:
        expected += ["fine_tune_refit"] * (best - 3)
    assert [row["stage"] for row in rows] == expected


@pytest.mark.slow
def test_the_standardisation_is_that_of_training_and_validation_clips(refit_run):
    run, encodings = refit_run, []
    model = run.load_model()
    pretrained = run.config.model.weights
    backbone = backbone_of(model)
    backbone.load_weights(pretrained)  # fine-tuning has changed it; the cache is of the pretrained one
    data = open_data_set(run.data)
    for split in ("train", "validation"):
        files = encoded_files(data, split, backbone, run.config.model, views=("plain",))
        encodings += [files.parse(record, 0)[1].numpy() for record in files.records.in_order()]
    layer = model.get_layer("projection").get_layer("appearance_standardization")
    slots = np.concatenate(encodings)
    assert len(slots) == MODEL.num_frames * (data.count("train") + data.count("validation"))
    np.testing.assert_allclose(layer.mean, slots.mean(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_last_weights_of_the_refit_are_the_model(refit_run):
    state = json.loads((refit_run.path / "checkpoints" / "state.json").read_text())
    assert state["best_weights"].split("-")[0] == history(refit_run)[-1]["stage"]
    assert state["best_weights"].split("-")[-1] == state["last_weights"].split("-")[-1]


class InterruptedTrainingError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("num_epochs", [3, 6])
def test_interrupted_it_goes_on(refit_run, monkeypatch, tmp_path, num_epochs):
    on_epoch_end = StageProgress.on_epoch_end

    def interrupt(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        if epoch + 1 == num_epochs:
            raise InterruptedTrainingError

    with monkeypatch.context() as patched, pytest.raises(InterruptedTrainingError):
        patched.setattr(StageProgress, "on_epoch_end", interrupt)
        train(refit_run.data, tmp_path / "run", refit_run.config.model, REFIT)
    run = train(refit_run.data, tmp_path / "run", refit_run.config.model, REFIT)
    rows, expected = history(run), history(refit_run)
    assert [row["stage"] for row in rows] == [row["stage"] for row in expected]
    for row, whole in zip(rows, expected, strict=True):
        # The order of float32 sums over threads differs from run to run.
        assert float(row["loss"]) == pytest.approx(float(whole["loss"]), rel=2e-3, abs=1e-4)


@pytest.mark.slow
def test_without_validation_clips_there_is_nothing_to_refit(data_set, tmp_path):
    data = open_data_set(data_set)
    data = data.with_splits({clip.id: "test" if clip.split == "test" else "train" for clip in data.clips})
    training = dataclasses.replace(TRAIN, epochs=2, refit=True)
    run = plan_run(data, tmp_path / "run", MODEL, training)
    run_stages(Job.of(run, data, verbose=0), begin_run(run, run.config.model.backbone))
    assert [row["stage"] for row in history(run)] == ["scratch"] * 2
