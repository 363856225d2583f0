import json

import pytest

from vidmodel_tf.commands.parser import build_parser
from vidmodel_tf.commands.settings import gather_prepare_settings, gather_training_settings
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.errors import InputError


def options_of(*arguments):
    return build_parser().parse_args(arguments)


@pytest.mark.parametrize("command", ["train", "crossvalidate"])
def test_flags_change_the_config_file_and_set_changes_both(command, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"model": {"height": 64, "backbone": "a"}, "train": {"epochs": 7, "seed": 7}}))
    given = [
        "--config",
        str(file),
        "--backbone",
        "b",
        "--seed",
        "8",
        "--set",
        "train.seed=9",
        "--set",
        "model.width=48",
    ]
    model, train = gather_training_settings(options_of(command, "data", "--out", "run", *given))
    assert model == ModelConfig(height=64, width=48, backbone="b")
    assert train == TrainConfig(epochs=7, seed=9)


def test_without_flags_all_settings_have_their_defaults():
    assert gather_training_settings(options_of("train", "d", "--out", "r")) == (ModelConfig(), TrainConfig())
    assert gather_prepare_settings(options_of("prepare", "s", "--out", "d")) == PrepareConfig()


def test_settings_of_another_section_are_refused():
    with pytest.raises(InputError, match=r"--set: expected prepare\.KEY=VALUE\. Received: 'train\.seed=1'"):
        gather_prepare_settings(options_of("prepare", "s", "--out", "d", "--set", "train.seed=1"))


def test_zero_is_a_value():
    with pytest.raises(InputError, match=r"train\.epochs: expected 1 to 1000000\. Received: 0"):
        gather_training_settings(options_of("train", "d", "--out", "r", "--epochs", "0"))
