import json
import shutil

import pytest

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.errors import InputError
from vidmodel_tf.training.history import Epoch
from vidmodel_tf.training.state import TrainingState
from vidmodel_tf.training.train import train


def test_a_new_run_has_a_fresh_state(tmp_path):
    state = TrainingState.load(tmp_path)
    assert (state, state.next_epoch, state.result.num_epochs) == (TrainingState(), 0, 0)


def test_what_is_saved_is_read_back_and_weights_without_a_name_are_removed(tmp_path):
    history = [Epoch(0, "frozen", {"loss": 0.5, "val_loss": 0.25}), Epoch(1, "fine_tune", {"loss": 0.125})]
    state = TrainingState("fine_tune", ["frozen"], "last.weights.h5", "best.weights.h5", history)
    (tmp_path / "checkpoints").mkdir()
    for name in ("last", "best", "older"):
        (tmp_path / "checkpoints" / f"{name}.weights.h5").touch()
    state.save(tmp_path)
    assert TrainingState.load(tmp_path) == state
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "last.weights.h5", "best.weights.h5", "state.json",
    }  # fmt: skip
    assert (
        tmp_path / "history.csv"
    ).read_text() == "epoch,stage,loss,val_loss\n0,frozen,0.5,0.25\n1,fine_tune,0.125,\n"


def test_a_stage_is_passed_when_a_later_one_has_begun():
    state = TrainingState(stage="frozen", finished_stages=["frozen"])
    assert not state.has_passed("frozen")
    state.stage = "fine_tune"
    assert state.has_passed("frozen")
    assert not state.has_passed("fine_tune")


NOTHING = {"stage": "", "finished_stages": [], "last_weights": "", "best_weights": ""}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"stage": "scratch", "learning_rates": []}', r"Received: stage, learning_rates; go on with the version"),
        ("[1]", r"Received: list; go on with the version"),
        ("{", r"is not JSON"),
        (json.dumps({**NOTHING, "history": [{"loss": 0.5}]}), r"was damaged: not an epoch"),
        (json.dumps({**NOTHING, "history": 5}), r"was damaged"),
    ],
)
def test_a_state_that_cannot_be_gone_on_from_is_refused_in_one_line(data_set, run_dir, tmp_path, content, words):
    begun = shutil.copytree(run_dir, tmp_path / "run", ignore=shutil.ignore_patterns("model.keras"))
    settings = (begun / "config.json").read_bytes()
    (begun / "checkpoints" / "state.json").write_text(content)
    with pytest.raises(InputError, match=rf"checkpoints/state\.json.*{words}") as caught:
        train(data_set, begun, MODEL, TRAIN)
    assert "\n" not in str(caught.value)
    assert (begun / "config.json").read_bytes() == settings
