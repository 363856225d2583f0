import json
import shutil

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import derangement, evaluate
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder import load_run


@pytest.fixture(scope="module")
def copy(run_dir, tmp_path_factory):
    return shutil.copytree(run_dir, tmp_path_factory.mktemp("evaluated") / "run")


@pytest.fixture(scope="module")
def result(copy):
    return evaluate(copy)


@pytest.fixture(scope="module")
def batch(copy, data_set):
    run = load_run(copy)
    (batch,) = for_inference(data_set, "test", run.model, run.vocabulary, batch_size=100).as_numpy_iterator()
    return batch


def accuracy(copy, frames, token_ids, batch):
    _, labels, weights = batch
    scores = load_run(copy).load_model().predict({"frames": frames, "token_ids": token_ids}, verbose=0)
    labelled = weights["colour"] > 0
    return float(np.mean((scores["colour"].argmax(-1) == labels["colour"])[labelled]))


def test_accuracy_is_that_of_the_model_s_own_predictions(copy, result, batch):
    inputs, _, weights = batch
    assert result["heads"]["colour"]["accuracy"] == accuracy(copy, inputs["frames"], inputs["token_ids"], batch)
    assert result["heads"]["colour"]["num_clips"] == int(weights["colour"].sum())
    assert result["num_clips"] == len(inputs["frames"])


def test_ablations_take_away_what_they_say(copy, result, batch):
    inputs, _, _ = batch
    frames, token_ids = inputs["frames"], inputs["token_ids"]
    ablations = result["ablations"]
    assert ablations["without_text"]["colour"] == accuracy(copy, frames, 0 * token_ids, batch)
    others = derangement(len(frames), 0)
    assert ablations["without_frames"]["colour"] == accuracy(copy, frames[others], token_ids, batch)
    assert set(ablations) == {"without_text", "without_frames", "shuffled_frames"}


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_a_derangement_moves_every_clip(n):
    order = derangement(n, seed=4)
    assert sorted(order) == list(range(n))
    assert not np.any(order == np.arange(n))


def test_what_programs_read_is_kept(copy, result):
    assert json.loads((copy / "evaluation" / "test.json").read_text()) == result
    for metrics in result["heads"].values():
        low, high = metrics["interval_95"]
        assert 0 <= low <= metrics["accuracy"] <= high <= 1
        assert 0 <= metrics["baseline"] <= 1
    assert "mean_average_precision" in result["heads"]["topic"]
    assert {path.name for path in (copy / "evaluation").glob("*.png")} == {
        "test_colour_confusion.png",
        "test_colour_reliability.png",
        "test_topic_reliability.png",
    }


def test_unknown_split(copy):
    with pytest.raises(InputError, match=r"has no clips in the split 'tests'; it has: "):
        evaluate(copy, split="tests")
