"""Run folders of older versions are read, and those of newer ones refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.sums import without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.run_folder.formats import FORMAT, upgrade
from vidmodel_tf.run_folder.run import load_run, read_settings_of_run, settings_of

OLD_RUNS = Path(__file__).parent / "data" / "old_runs"


@pytest.fixture(params=["clips", "words"])
def old_run(request):
    return OLD_RUNS / request.param / "run"


def test_an_old_run_has_no_format_and_is_brought_to_the_present_one(old_run):
    kept = json.loads((old_run / "config.json").read_text())
    assert "format" not in kept
    settings = settings_of(load_run(old_run))
    assert settings["format"] == FORMAT
    assert settings["model"]["ensemble_size"] == kept["model"].pop("num_nets")
    assert settings["clip_seconds"] is None
    for section in ("model", "train", "prepare"):
        assert settings[section].items() >= kept[section].items()


def test_an_old_run_predicts_the_scores_that_it_predicted_then(old_run):
    result = verify(old_run, old_run)
    assert result.num_examples == 6
    for head in result.answers["scores"].values():
        assert head.max_difference < 1e-5
        assert head.label_agreement == 1.0


def test_thresholds_of_an_old_run_are_kept():
    assert load_run(OLD_RUNS / "clips" / "run").thresholds == {"topic": [0.25, 0.75]}


def test_steps_leave_what_they_do_not_know():
    settings = {"model": {"num_nets": 2, "height": 64}, "other": [1]}
    assert upgrade(settings, "config.json") == {
        "model": {"ensemble_size": 2, "height": 64}, "other": [1], "format": FORMAT,
    }  # fmt: skip
    assert settings == {"model": {"num_nets": 2, "height": 64}, "other": [1]}


def test_a_run_from_before_words_were_found_in_videos_finds_none(old_run):
    assert load_run(old_run).config.prepare.words == ()


def test_a_run_that_says_where_its_words_are_found_keeps_it():
    settings = {"format": FORMAT, "prepare": {"words": ["speech"]}}
    assert upgrade(settings, "config.json") == settings


def test_the_present_format_stays_as_it_is():
    settings = {"format": FORMAT, "model": {"ensemble_size": 2}}
    assert upgrade(settings, "config.json") == settings


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            {"format": FORMAT + 1, "vidmodel_version": "7.5"},
            rf"made by vidmodel 7\.5: install it.*Received: {FORMAT + 1}$",
        ),
        ({"format": "two"}, rf"expected a format from 1 to {FORMAT}\. Received: 'two'"),
        ({"format": 0}, r"expected a format from 1 .*Received: 0"),
        ({"format": True}, r"expected a format from 1 .*Received: True"),
    ],
)
def test_formats_that_cannot_be_read_are_refused(run_dir, tmp_path, entries, words):
    run = without_sums(shutil.copytree(run_dir, tmp_path / "run"))
    settings = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(settings | entries))
    with pytest.raises(InputError, match=rf"^{run}/config\.json: {words}"):
        load_run(run)


def test_a_config_that_is_no_object_is_refused(run_dir, tmp_path):
    run = without_sums(shutil.copytree(run_dir, tmp_path / "run"))
    (run / "config.json").write_text("[]")
    with pytest.raises(InputError, match=r"config\.json: expected an object with the settings of a run"):
        load_run(run)


def test_a_setting_of_another_version_is_refused_with_both_versions(run_dir, tmp_path):
    run = without_sums(shutil.copytree(run_dir, tmp_path / "run"))
    settings = json.loads((run / "config.json").read_text())
    settings["model"]["depth_maps"] = True
    settings["vidmodel_version"] = "9.9"
    (run / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"\(vidmodel 9\.9 wrote it, this is .*\): unknown setting model\.depth_maps"):
        load_run(run)


def test_a_run_that_an_older_version_finished_is_not_trained_again(tmp_path):
    from vidmodel_tf.training.train import train

    run = shutil.copytree(OLD_RUNS / "words" / "run", tmp_path / "run")
    config = read_settings_of_run(run).config
    before = (run / "model.keras").read_bytes()
    train(OLD_RUNS / "words" / "data", run, config.model, config.train)
    assert (run / "model.keras").read_bytes() == before


def test_a_run_that_an_older_version_began_goes_on(tmp_path):
    from vidmodel_tf.training.train import train

    begun = shutil.copytree(OLD_RUNS / "words" / "interrupted", tmp_path / "run")
    config = read_settings_of_run(begun).config
    run = train(OLD_RUNS / "words" / "data", begun, config.model, config.train)
    found, expected = (
        np.genfromtxt(path / "history.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
        for path in (begun, OLD_RUNS / "words" / "run")
    )
    assert len(found) == len(expected) == config.train.epochs
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=2e-3)  # the order of float32 sums differs
    np.testing.assert_allclose(found["val_loss"], expected["val_loss"], rtol=2e-3)
    assert json.loads((run.path / "config.json").read_text())["format"] == FORMAT
