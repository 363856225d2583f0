import dataclasses
import json
import shutil
from collections import Counter

import numpy as np
import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.evaluation.results import Evaluation, MultiLabelResult, SingleLabelResult
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.text import vocabulary
from vidmodel_tf.training.train import train

PLAIN = dataclasses.replace(TRAIN, epochs=1)


@pytest.fixture(scope="module")
def copy(run_dir, tmp_path_factory):
    return shutil.copytree(run_dir, tmp_path_factory.mktemp("evaluated") / "run")


@pytest.fixture(scope="module")
def result(copy):
    return evaluate(copy)


@pytest.fixture(scope="module")
def batch(copy, data_set):
    run = load_run(copy)
    data = open_data_set(data_set)
    (batch,) = for_inference(data, "test", run.config.model, run.vocabulary, batch_size=100).as_numpy_iterator()
    return batch


def accuracy(copy, frames, token_ids, batch):
    _, labels, weights = batch
    scores = load_run(copy).load_model().predict({"frames": frames, "token_ids": token_ids}, verbose=0)
    labelled = weights["colour"] > 0
    return float(np.mean((scores["colour"].argmax(-1) == labels["colour"])[labelled]))


def test_accuracy_is_that_of_the_model_s_own_predictions(copy, result, batch):
    inputs, _, weights = batch
    assert result.heads["colour"].accuracy == accuracy(copy, inputs["frames"], inputs["token_ids"], batch)
    assert result.heads["colour"].num_clips == int(weights["colour"].sum())
    assert result.num_clips == len(inputs["frames"])


def test_the_baseline_is_the_class_most_frequent_in_training(copy, result, data_set):
    clips = open_data_set(data_set).clips
    counts = Counter(clip.labels["colour"] for clip in clips if clip.split == "train" and clip.labels["colour"])
    test = [clip.labels["colour"] for clip in clips if clip.split == "test" and clip.labels["colour"]]
    best = max(sorted(counts), key=counts.__getitem__)
    assert result.heads["colour"].baseline == test.count(best) / len(test)


def test_what_programs_read_is_kept(copy, result):
    assert json.loads((copy / "evaluation" / "test.json").read_text()) == result.to_json()
    for metrics in result.heads.values():
        low, high = metrics.interval_95
        assert 0 <= low <= metrics.accuracy <= high <= 1
        assert 0 <= metrics.baseline <= 1
    assert isinstance(result.heads["colour"], SingleLabelResult)
    assert isinstance(result.heads["topic"], MultiLabelResult)
    assert {path.name for path in (copy / "evaluation").glob("*.png")} == {
        "test_colour_confusion.png",
        "test_colour_reliability.png",
        "test_topic_reliability.png",
    }


def test_unknown_split(copy):
    with pytest.raises(InputError, match=r"has no clips in the split 'tests'; it has: "):
        evaluate(copy, split="tests")


@pytest.mark.slow
def test_a_run_knows_its_data_wherever_it_lies(data_set, tmp_path):
    run = train(data_set, tmp_path / "run", MODEL, PLAIN, fold=(1, 3))
    moved = shutil.copytree(data_set, tmp_path / "moved")
    assert evaluate(run.path, data=moved).num_clips == evaluate(run.path).num_clips == 10


@pytest.mark.slow
def test_data_that_was_prepared_anew_is_refused(clips_csv, tmp_path):
    prepare(clips_csv, tmp_path / "data", PREPARE)
    run = train(tmp_path / "data", tmp_path / "run", MODEL, PLAIN)
    shutil.rmtree(tmp_path / "data")
    prepare(clips_csv, tmp_path / "data", dataclasses.replace(PREPARE, seed=5))
    with pytest.raises(InputError, match=r"was prepared anew since .* its splits may hold training clips"):
        evaluate(run.path)
    with pytest.raises(InputError, match=r"was begun with other arguments \(data_fingerprint="):
        train(tmp_path / "data", run.path, MODEL, PLAIN)


@pytest.mark.slow
def test_other_data_keeps_its_result_apart(copy, result, clips_csv, tmp_path):
    prepare(clips_csv, tmp_path / "other", dataclasses.replace(PREPARE, seed=5))
    evaluate(copy, data=tmp_path / "other")
    assert json.loads((copy / "evaluation" / "test.json").read_text()) == result.to_json()
    assert (copy / "evaluation" / "other" / "test.json").exists()
    prepare(clips_csv, tmp_path / "elsewhere" / "other", dataclasses.replace(PREPARE, seed=6))
    for _ in range(2):
        evaluate(copy, data=tmp_path / "elsewhere" / "other")
        evaluate(copy, data=tmp_path / "other")
    kept = {path.name: json.loads((path / "test.json").read_text())["data"] for path in copy.glob("evaluation/other*")}
    second = f"other-{open_data_set(tmp_path / 'elsewhere' / 'other').fingerprint[:8]}"
    assert kept == {"other": str(tmp_path / "other"), second: str(tmp_path / "elsewhere" / "other")}


def test_a_head_without_labels_in_the_split_is_told_as_such(capsys):
    from vidmodel_tf.commands.evaluate import print_evaluation
    from vidmodel_tf.commands.show import open_console
    from vidmodel_tf.evaluation.metrics import single_label_metrics

    metrics = single_label_metrics(np.ones((3, 2)) / 2, np.full(3, -1), ["a", "b"])
    result = Evaluation("test", 3, "data", {"mood": metrics}, {"without_text": {"mood": None}})
    print_evaluation(result, open_console())
    assert "mood" in capsys.readouterr().out


def test_each_text_is_tokenized_once(run_dir, data_set, tmp_path, monkeypatch):
    tokenized, tokenize = [], vocabulary.tokenize_fields

    def count(joined, num_fields):
        tokenized.append(joined)
        return tokenize(joined, num_fields)

    monkeypatch.setattr(vocabulary, "tokenize_fields", count)
    evaluate(shutil.copytree(run_dir, tmp_path / "run"))
    data, run = open_data_set(data_set), load_run(run_dir)
    words = {question.words for _, question in data.questions("test", run.config.model)}
    assert sorted(tokenized) == sorted(words | {""})
