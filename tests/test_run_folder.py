import json
import shutil

import pytest

from tests.sums import DAMAGES, without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import load_run


@pytest.fixture
def copy(run_dir, tmp_path):
    return without_sums(shutil.copytree(run_dir, tmp_path / "run"))


def test_what_is_no_run_folder(tmp_path):
    with pytest.raises(InputError, match=r"is not a run folder \(no config\.json in it\)"):
        load_run(tmp_path)


def test_damaged_settings_are_named(copy):
    settings = json.loads((copy / "config.json").read_text())
    settings["model"]["num_frames"] = "four"
    (copy / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"was damaged: model\.num_frames: expected a whole number"):
        load_run(copy)


def test_settings_that_do_not_fit_the_weights_are_refused(copy):
    settings = json.loads((copy / "config.json").read_text())
    settings["model"]["hidden_units"] = 17
    (copy / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"the weights in .* belong to another model: expected .*hidden"):
        load_run(copy).load_model()


@pytest.mark.parametrize("content", ["{", '{"topic": [2.0]}'])
def test_bad_thresholds_are_not_told_as_damage_of_another_file(copy, content):
    (copy / "thresholds.json").write_text(content)
    with pytest.raises(InputError, match=r"thresholds\.json") as raised:
        load_run(copy)
    assert "config.json" not in str(raised.value)


def test_no_json(copy):
    (copy / "labels.json").write_text("{")
    with pytest.raises(InputError, match=r"labels\.json is not JSON"):
        load_run(copy)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(
    "name",
    ["config.json", "labels.json", "vocabulary.txt", "history.csv", "model.keras", "examples/examples.json"],
)
def test_files_that_are_not_as_they_were_written(run_dir, tmp_path, name, damage):
    run = shutil.copytree(run_dir, tmp_path / "run")
    damage(run / name)
    with pytest.raises(InputError, match=rf"{run}: .*Received: {name} \(changed\); fetch the run again, or train"):
        load_run(run)


def test_backbones_and_pictures_of_others_are_foreign(run_dir, tmp_path):
    run = shutil.copytree(run_dir, tmp_path / "run")
    (run / "backbone.json").write_text("{}")
    (run / "examples" / "0" / "999.jpg").touch()
    with pytest.raises(InputError, match=r"backbone\.json \(foreign\), examples/0/999\.jpg \(foreign\); move"):
        load_run(run)


def test_what_is_not_listed_may_change(run_dir, tmp_path, capsys):
    run = shutil.copytree(run_dir, tmp_path / "run")
    (run / "thresholds.json").write_text('{"topic": [0.25, 0.75]}')
    (run / "evaluation").mkdir()
    shutil.rmtree(run / "logs")
    assert load_run(run).thresholds == {"topic": [0.25, 0.75]}
    assert not capsys.readouterr().err
