from __future__ import annotations

import json

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction, read_predictions, write_predictions

PREDICTIONS = [
    Prediction(
        0, 1, "猫.mp4", "cam",
        {"label": HeadPrediction("a", "b", (0.25, 0.75)), "things": HeadPrediction(("x", "y"), (), (0.5, 0.5))},
    ),
    Prediction(0, 2, "dog.mp4", "hall", {"label": HeadPrediction(None, "a"), "things": HeadPrediction((), ())}),
]  # fmt: skip


def test_predictions_are_read_as_they_were_written(tmp_path):
    path = write_predictions(tmp_path, PREDICTIONS)
    assert read_predictions(tmp_path) == PREDICTIONS
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0]) == {
        "seed": 0,
        "fold": 1,
        "id": "猫.mp4",
        "source": "cam",
        "heads": {
            "label": {"truth": "a", "answer": "b", "scores": [0.25, 0.75]},
            "things": {"truth": ["x", "y"], "answer": [], "scores": [0.5, 0.5]},
        },
    }


def test_names_with_other_ends_of_lines_are_read_back(tmp_path):
    odd = [Prediction(0, 1, "a\u2028b\x85c.mp4", "cam\u2029", {"label": HeadPrediction("a", "b", (0.25, 0.75))})]
    write_predictions(tmp_path, odd)
    assert read_predictions(tmp_path) == odd


def test_an_answer_is_right_where_all_its_classes_are():
    right = [HeadPrediction("a", "a"), HeadPrediction(("x", "y"), ("x", "y")), HeadPrediction((), ())]
    wrong = [HeadPrediction("a", "b"), HeadPrediction(("x", "y"), ("x",)), HeadPrediction((), ("x",))]
    assert all(each.is_right for each in right)
    assert not any(each.is_right for each in wrong)


@pytest.mark.parametrize("content", ["", "{", '{"seed": 0}', "[]"])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "predictions.jsonl").write_text(content and f"{content}\n")
    with pytest.raises(InputError, match=r"predictions\.jsonl was damaged: .*; run `vidmodel crossvalidate` again"):
        read_predictions(tmp_path)


def test_a_folder_without_predictions_is_no_finished_cross_validation(tmp_path):
    with pytest.raises(InputError, match="is no finished cross-validation"):
        read_predictions(tmp_path)
