import json
from pathlib import Path

import pytest

from tests.conftest import MODEL
from vidmodel_tf.config import ModelConfig, TrainConfig, from_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.settings_file import read_settings_file

CONFIGURATIONS = sorted((Path(__file__).parents[1] / "benchmarks").glob("**/*.json"))
assert CONFIGURATIONS


def test_a_byte_order_mark_is_skipped(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('\ufeff{"model": {"num_frames": 4}}', encoding="utf-8")
    assert read_settings_file(path, ("model", "train")) == {"model": {"num_frames": 4}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", r"is not JSON"),
        ("[1]", r'expected an object with the sections "model" and "train"'),
        ('{"modle": {}}', r"""unknown section 'modle'; expected "model" and "train\""""),
    ],
)
def test_bad_config_files(tmp_path, content, words):
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_settings_file(path, ("model", "train"))


@pytest.mark.slow
def test_the_config_of_a_run_folder_is_read_as_settings(run_dir):
    settings = read_settings_file(run_dir / "config.json", ("model", "train"))
    assert set(settings) == {"model", "train"}
    assert from_mapping(ModelConfig, settings["model"], "model") == MODEL


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_the_ready_configurations_can_be_read(path):
    settings = read_settings_file(path, ("model", "train"))
    config = from_mapping(ModelConfig, settings["model"], "model")
    assert config.backbone == "efficientnet_lite0" or config.branches == "text"  # any other would be downloaded
    from_mapping(TrainConfig, settings["train"], "train")


def test_missing_config_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the config file .*No such file"):
        read_settings_file(tmp_path / "none.json", ("model",))


def test_the_config_of_an_older_run_folder_is_read_by_its_old_names(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model": {"num_nets": 3}, "data": None, "vidmodel_version": "0.1.0"}))
    assert read_settings_file(path, ("model", "train")) == {"model": {"ensemble_size": 3}}


def test_the_config_of_a_newer_run_folder_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model": {}, "format": 99, "vidmodel_version": "9.0"}))
    with pytest.raises(InputError, match=r"config\.json: made by vidmodel 9\.0: install it"):
        read_settings_file(path, ("model",))
