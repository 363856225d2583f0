"""A data set of words without videos, and models of words alone, through every stage."""

from __future__ import annotations

import dataclasses
import json

import pytest

import vidmodel_tf as vm
from tests.conftest import MODEL, TRAIN
from vidmodel_tf.cli import main
from vidmodel_tf.clips.splits.assign import SPLITS, assign_folds
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.inspect import inspect
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.text.vectors.coverage import Coverage
from vidmodel_tf.training.train import plan_run, train

WORDS = dataclasses.replace(MODEL, branches="text", text_pooling="mean", num_frames=1)


@pytest.fixture(scope="module")
def words_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    colours = [("r", "red car"), ("b", "blue sea")]
    rows = [f"c{i},{colours[i % 2][1]} channel{i // 4},{colours[i % 2][0]},s{i // 4}" for i in range(60)]
    (folder / "titles.csv").write_text("\n".join(["id,title,label,source", *rows]) + "\n", encoding="utf-8")
    prepare(folder / "titles.csv", folder / "data")
    return folder / "data"


@pytest.mark.slow
@pytest.mark.parametrize("text_pooling", ["mean", "last", "both"])
def test_words_alone_are_learnt(words_data, tmp_path, text_pooling):
    model = dataclasses.replace(WORDS, text_pooling=text_pooling)
    run = train(words_data, tmp_path / "run", model, dataclasses.replace(TRAIN, epochs=15, learning_rate=0.02))
    result = evaluate(run.path)
    assert result.heads["label"].accuracy == 1.0
    assert result.ablations["without_text"]["label"] < 0.8
    assert result.ablations["without_frames"]["label"] is None
    assert result.ablations["shuffled_frames"]["label"] is None
    examples = json.loads((run.path / "examples" / "examples.json").read_text())
    assert examples and all(example["frames"] == [] for example in examples)


def test_a_model_with_frames_needs_videos(words_data, tmp_path):
    with pytest.raises(
        InputError, match=r"holds words without videos: expected model\.branches=text. Received: a model of"
    ):
        train(words_data, tmp_path / "run", MODEL, TRAIN)
    assert not (tmp_path / "run").exists()


def test_words_alone_have_no_contact_sheet(words_data):
    found = inspect(words_data)
    assert found.contact_sheet is None
    assert found.words["title"].clips_with_words == 60


@pytest.mark.slow
def test_videos_serve_models_of_words_too(data_set, tmp_path):
    run = train(
        data_set, tmp_path / "run", dataclasses.replace(WORDS, num_frames=4), dataclasses.replace(TRAIN, epochs=1)
    )
    assert evaluate(run.path).num_clips > 0
    (tmp_path / "undecodable.mp4").write_bytes(b"no video")
    answered, missing = predict(run.path, [tmp_path / "undecodable.mp4", tmp_path / "typo.mp4"], text="A blue film")
    assert set(answered.heads) == {"colour", "topic"}
    assert missing.reason == "expected a video. There is no such file"


@pytest.mark.slow
def test_a_model_of_frames_alone(data_set, tmp_path):
    model = dataclasses.replace(MODEL, branches="video")
    run = train(data_set, tmp_path / "run", model, dataclasses.replace(TRAIN, epochs=1))
    ablations = evaluate(run.path).ablations
    assert ablations["without_text"] == {"colour": None, "topic": None}
    assert ablations["without_frames"]["colour"] is not None


def test_the_vocabulary_of_a_fold_is_that_of_its_training_clips(words_data, tmp_path):
    data = open_data_set(words_data)
    data = data.with_splits(assign_folds(data.clips, num_folds=5, seed=0)[1])
    run = plan_run(data, tmp_path, WORDS, TRAIN)
    names = {split: {f"channel{clip.source[1:]}" for clip in data.in_split(split)} for split in SPLITS}
    known = {word for word in run.vocabulary.words if word.isdigit()}
    assert known == {name.removeprefix("channel") for name in names["train"]}
    assert names["test"] and names["validation"]


def test_words_as_a_library_loads_them(words_data):
    vocabulary = vm.Vocabulary.from_dataset(words_data)
    for split in ("train", "test"):
        inputs, labels, _ = next(iter(vm.load_dataset(words_data, split, WORDS, vocabulary, batch_size=4)))
        assert inputs["frames"].shape == (4, 1, MODEL.height, MODEL.width, 3)
        assert (inputs["token_ids"].numpy().max(axis=1) > 0).all()
        assert labels["label"].shape == (4,)


def test_vectors_of_the_training_words_are_written_and_trained_with(words_data, tmp_path, capsys):
    pytest.importorskip("gensim", reason="gensim is not installed")
    arguments = ["vectors", str(words_data), "--out", str(tmp_path / "own.txt"), "--units", "8"]
    assert main([*arguments, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    training = open_data_set(words_data).in_split("train")
    assert made["num_tokens"] == 4 * len(training) and made["units"] == 8
    header, *lines = (tmp_path / "own.txt").read_text(encoding="utf-8").splitlines()
    assert header == f"{made['num_words']} 8" and len(lines) == made["num_words"]
    held_out = {clip.source[1:] for clip in open_data_set(words_data).in_split("test")}
    assert not held_out & {line.split(" ")[0] for line in lines}
    model = dataclasses.replace(WORDS, embeddings=str(tmp_path / "own.txt"), embedding_units=None, min_word_count=2)
    run = plan_run(open_data_set(words_data), tmp_path / "run", model, TRAIN)
    assert run.coverage == Coverage(1.0, 1.0)


def test_vectors_of_no_numbers_are_refused_with_the_data_set(words_data, tmp_path, capsys):
    assert main(["vectors", str(words_data), "--out", str(tmp_path / "own.txt"), "--units", "0"]) == 2
    assert f"{words_data}: units: expected 1 to 4096. Received: 0" in capsys.readouterr().err
    assert not (tmp_path / "own.txt").exists()
