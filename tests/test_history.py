import math

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.training.history import (
    Epoch,
    StageResult,
    kept_epoch,
    read_history,
    result_of,
    stage_results,
    write_history,
)


def epochs_of(*losses, monitor="val_loss"):
    return [Epoch(number, stage, {monitor: loss}) for number, (stage, loss) in enumerate(losses)]


FROZEN = [("frozen", 1.0), ("frozen", 0.5), ("frozen", 0.9)]


@pytest.mark.parametrize(
    ("fine_tune", "best_epoch", "lowest"), [([0.6, 0.4], 2, 0.4), ([0.6, 0.7], 0, 0.5), ([0.5], 0, 0.5)]
)
def test_a_stage_must_be_better_than_the_stages_before(fine_tune, best_epoch, lowest):
    results = stage_results(epochs_of(*FROZEN, *(("fine_tune", loss) for loss in fine_tune)))
    assert results == [
        StageResult("frozen", 3, "val_loss", 2, 0.5),
        StageResult("fine_tune", len(fine_tune), "val_loss", best_epoch, lowest),
    ]
    assert [result.epochs_without_gain for result in results] == [1, len(fine_tune) - best_epoch]


def test_training_losses_of_two_stages_are_not_compared():
    results = stage_results(epochs_of(*FROZEN, ("fine_tune", 3.0), ("fine_tune", 2.0), monitor="loss"))
    assert [(result.best_epoch, result.lowest) for result in results] == [(2, 0.5), (2, 2.0)]


def test_a_refit_keeps_its_last_epoch():
    refit = [Epoch(3, "frozen_refit", {"loss": 0.1}), Epoch(4, "frozen_refit", {"loss": 0.2})]
    result = result_of([*epochs_of(*FROZEN), *refit], "frozen_refit")
    assert (result.best_epoch, result.num_epochs, result.epochs_without_gain) == (2, 2, 0)


def test_a_loss_that_is_no_number_is_never_the_best():
    result = result_of(epochs_of(("scratch", 1.0), ("scratch", math.nan)), "scratch")
    assert (result.best_epoch, result.lowest) == (1, 1.0)


def test_a_stage_that_has_not_begun_has_no_epochs():
    assert result_of(epochs_of(*FROZEN), "fine_tune") == StageResult("fine_tune")


@pytest.mark.parametrize(("fine_tune", "number"), [([], 1), ([0.6, 0.7], 1), ([0.6, 0.4, 0.45], 4), ([math.nan], 1)])
def test_the_model_keeps_the_best_epoch_of_the_last_stage_that_gained(fine_tune, number):
    epochs = epochs_of(*FROZEN, *(("fine_tune", loss) for loss in fine_tune))
    assert kept_epoch(epochs) == epochs[number]
    refit = Epoch(len(epochs), "frozen_refit", {"loss": 0.9})
    assert kept_epoch([*epochs, refit]) == refit


def test_no_epoch_is_kept_where_no_loss_is_a_number():
    epochs = epochs_of(("scratch", math.nan))
    assert kept_epoch(epochs) is None
    assert stage_results(epochs)[0].to_json()["lowest"] is None


def test_what_is_written_is_read_back(tmp_path):
    epochs = [Epoch(0, "frozen", {"loss": 0.1, "val_loss": 1 / 3}), Epoch(1, "frozen_refit", {"loss": 1e-9})]
    write_history(tmp_path, epochs)
    assert read_history(tmp_path) == epochs
    assert (tmp_path / "history.csv").read_text().splitlines()[0] == "epoch,stage,loss,val_loss"


def test_a_model_that_was_trained_by_hand_has_no_history(tmp_path):
    assert read_history(tmp_path) == []


@pytest.mark.parametrize(
    "content", ["epoch,stage,loss\n0,frozen,low\n", "stage,loss\nfrozen,1\n", "epoch,stage,loss\n0\n"]
)
def test_a_damaged_history_is_refused(tmp_path, content):
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(InputError, match=r"history\.csv: was damaged"):
        read_history(tmp_path)
