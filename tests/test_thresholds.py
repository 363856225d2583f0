import json
import shutil

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.run_folder.thresholds import thresholds_of


@pytest.fixture
def copy(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "run")


def test_only_heads_of_several_labels_have_thresholds():
    assert thresholds_of(Labels({"colour": ["a", "b"], "topic": ["x", "y", "z"]}, ["topic"])) == {"topic": [0.5] * 3}


@pytest.mark.parametrize(
    "found", [{"topic": [0.7]}, {"topic": [0.5, 5]}, {"topic": [0.5, "0.5"]}, {"colour": [0.5, 0.5]}, {}, [0.5, 0.5]]
)
def test_thresholds_that_do_not_fit_are_refused(copy, found):
    (copy / "thresholds.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"thresholds\.json: expected numbers from 0 to 1 .*\(2 for topic\)\."):
        load_run(copy)


def test_whole_numbers_are_thresholds_too(copy):
    (copy / "thresholds.json").write_text('{"topic": [1, 0]}')
    assert [type(value) for value in load_run(copy).thresholds["topic"]] == [float, float]
