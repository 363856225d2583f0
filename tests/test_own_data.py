import dataclasses
import shutil

import pytest

from tests.conftest import MODEL, TRAIN
from tests.sums import without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.run_folder.own_data import is_own_data, open_own_data
from vidmodel_tf.training.train import plan_run


@pytest.fixture
def run(data_set, tmp_path):
    return plan_run(open_data_set(data_set), tmp_path / "run", MODEL, TRAIN)


@pytest.fixture
def other_data(data_set, tmp_path):
    """A data set of the same form, prepared from other clips."""
    copy = without_sums(shutil.copytree(data_set, tmp_path / "other"))
    report = copy / "prepare_report.json"
    report.write_text(report.read_text().replace(open_data_set(data_set).fingerprint, "another"))
    return copy


def test_it_is_found_where_it_lay(run, data_set):
    assert open_own_data(run).path == data_set


def test_it_is_known_again_wherever_it_lies(run, data_set, tmp_path):
    moved = shutil.copytree(data_set, tmp_path / "moved")
    assert open_own_data(dataclasses.replace(run, data=tmp_path / "gone"), moved).path == moved


def test_it_comes_in_the_splits_of_its_fold(run, data_set):
    found = open_own_data(dataclasses.replace(run, fold=(2, 3)))
    expected = open_data_set(data_set).with_fold((2, 3))
    assert found.in_split("test") == expected.in_split("test") != open_data_set(data_set).in_split("test")


def test_another_data_set_is_refused(run, other_data, tmp_path):
    assert not is_own_data(open_data_set(other_data), run)
    with pytest.raises(InputError, match=r"other: expected the data set that .*run was trained on\. Received: another"):
        open_own_data(run, other_data)
    with pytest.raises(InputError, match=r"nothing: expected the data set .* Received: none there"):
        open_own_data(run, tmp_path / "nothing")


def test_one_that_was_prepared_anew_is_refused(run, other_data):
    run = dataclasses.replace(run, data=other_data)
    with pytest.raises(InputError, match=r"other was prepared anew since .*run was trained on it"):
        open_own_data(run)


def test_one_that_is_gone_is_none(run, tmp_path):
    assert open_own_data(dataclasses.replace(run, data=tmp_path / "gone")) is None
    assert open_own_data(dataclasses.replace(run, data=None)) is None
