import dataclasses
import json
import shutil

import pytest

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.resume import check_folder, remove_leftovers
from vidmodel_tf.training.train import train


@pytest.mark.parametrize(
    ("model", "training", "words"),
    [
        (dataclasses.replace(MODEL, lstm_units=13), TRAIN, r"model\.lstm_units=12, not 13"),
        (MODEL, dataclasses.replace(TRAIN, seed=7), r"train\.seed=0, not 7"),
    ],
)
def test_other_arguments_are_refused(run_dir, data_set, model, training, words):
    with pytest.raises(InputError, match=rf"was begun with other arguments \({words}\)"):
        train(data_set, run_dir, model, training)


def test_a_folder_with_something_else_in_it_is_refused_and_stays(data_set, tmp_path):
    (tmp_path / ".env").write_text("a secret")
    with pytest.raises(InputError, match=r"expected a new folder, or a run folder .* other content \(\.env\)"):
        train(data_set, tmp_path, MODEL, TRAIN)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_settings_that_are_gone_are_noticed(run_dir, data_set, tmp_path):
    shutil.copytree(run_dir, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    settings = json.loads(path.read_text())
    settings["train"]["head_weights"] = {"colour": 2.0}
    path.write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"train\.head_weights\.colour=2\.0, not None"):
        train(data_set, tmp_path / "run", MODEL, TRAIN)


def test_a_new_folder_and_a_run_folder_may_be_trained_into(run_dir, tmp_path):
    check_folder(tmp_path / "new")
    check_folder(tmp_path)
    check_folder(run_dir)


def test_what_a_killed_run_was_writing_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    leftovers = [".config.x1.json", ".model.x1.keras", "checkpoints/.scratch-last-00001.x1.weights.h5"]
    others = ["config.json", ".env", "notes.json", "checkpoints/state.json"]
    for name in [*leftovers, *others]:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(others)
