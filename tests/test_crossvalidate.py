"""Cross-validation: nothing of a held-out source in training, one backbone pass, going on after a kill."""

import dataclasses
import json
import os
import shutil
import signal

import pytest

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.evaluation import crossvalidate as module
from vidmodel_tf.evaluation.compare import compare
from vidmodel_tf.evaluation.crossvalidate import _check_folder, crossvalidate
from vidmodel_tf.evaluation.predictions import read_predictions
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.run_folder.formats import FORMAT
from vidmodel_tf.workers import begin_worker

QUICK = dataclasses.replace(TRAIN, epochs=2, mirror=True)


@pytest.fixture(scope="module")
def folds(data_set, backbone_weights, tmp_path_factory):
    """Folder and result of 2 seeds of 3 folds on cached features."""
    data = copy_data_set(data_set, tmp_path_factory.mktemp("cross") / "data")
    out = data.parent / "out"
    model = dataclasses.replace(MODEL, weights=str(backbone_weights))
    return data, out, crossvalidate(data, out, model, QUICK, num_folds=3, num_seeds=2), model


@pytest.mark.slow
def test_every_clip_is_answered_once_a_seed(folds):
    data, out, result, _ = folds
    rows = read_predictions(out)
    ids = sorted(clip.id for clip in open_data_set(data).clips)
    for seed in (0, 1):
        assert sorted(row.id for row in rows if row.seed == seed) == ids
    labels = {clip.id: clip.labels["colour"] for clip in open_data_set(data).clips}
    assert all(row.heads["colour"].truth == labels[row.id] for row in rows)
    colour = [row.heads["colour"] for row in rows if row.heads["colour"].truth]
    assert result.heads["colour"].pooled_accuracy == pytest.approx(
        sum(answer.truth == answer.answer for answer in colour) / len(colour)
    )
    assert json.loads((out / "result.json").read_text()) == result.to_json()
    assert list(result.to_json()) == ["folds", "seeds", "heads", "predictions", "random_split"]


@pytest.mark.slow
def test_a_source_is_held_out_whole_and_seeds_part_differently(folds):
    _, out, _, _ = folds
    rows = read_predictions(out)
    places = {}
    for row in rows:
        places.setdefault((row.seed, row.source), set()).add(row.fold)
    assert all(len(where) == 1 for where in places.values())
    sources = {source for _, source in places}
    assert any(places[0, source] != places[1, source] for source in sources)


@pytest.mark.slow
def test_the_scores_are_those_of_the_fold_s_own_model(folds, tmp_path):
    """`train --fold` makes the model of the fold of seed 0; with other threads, so that sums are in another order."""
    from vidmodel_tf.records.pipeline import for_inference
    from vidmodel_tf.training.train import train

    data, out, _, model = folds
    run = train(data, tmp_path / "run", model, QUICK, fold=(2, 3))
    fold = open_data_set(data).with_fold((2, 3))
    expected = {row.id: row.heads for row in read_predictions(out) if (row.seed, row.fold) == (0, 2)}
    held_out = [clip.id for clip, _ in fold.frames("test")]
    assert sorted(held_out) == sorted(expected)
    batches = for_inference(fold, "test", model, run.vocabulary, batch_size=30)
    inputs, _, _ = next(batches.as_numpy_iterator())
    scores = run.load_model().predict(inputs, verbose=0)
    for row, clip_id in enumerate(held_out):
        assert scores["colour"][row].tolist() == pytest.approx(expected[clip_id]["colour"].scores, abs=1e-3)


@pytest.mark.slow
def test_the_backbone_saw_each_clip_once_for_all(folds):
    data, out, _, _ = folds
    (folder,) = (data / "features").iterdir()
    assert {path.name for path in folder.iterdir()} == {"key.json", "plain", "mirrored"}
    first_fold = min(path.stat().st_mtime_ns for path in out.glob("folds/*/config.json"))
    assert max(path.stat().st_mtime_ns for path in folder.rglob("*.tfrecord*")) < first_fold


@pytest.mark.slow
def test_it_goes_on_where_it_stood_and_refuses_other_arguments(folds):
    data, out, result, model = folds
    before = (out / "folds" / "seed-0-fold-1" / "scores.json").stat().st_mtime_ns
    again = (out / "folds" / "seed-1-fold-3" / "scores.json").read_text()
    shutil.rmtree(out / "folds" / "seed-1-fold-3")
    assert crossvalidate(data, out, model, QUICK, num_folds=3, num_seeds=2) == result
    assert (out / "folds" / "seed-0-fold-1" / "scores.json").stat().st_mtime_ns == before
    assert (out / "folds" / "seed-1-fold-3" / "scores.json").read_text() == again  # one thread: bit for bit
    with pytest.raises(InputError, match="was begun with other arguments"):
        crossvalidate(data, out, model, dataclasses.replace(QUICK, epochs=3), num_folds=3, num_seeds=2)


def test_a_folder_begun_before_a_setting_was_renamed_goes_on(tmp_path):
    def arguments(model, **settings):
        return {"data_fingerprint": "f", "folds": 5, "random_split": False, "model": model, "train": {}, **settings}

    now = arguments({"ensemble_size": 1}, format=FORMAT)
    for before in ({"num_nets": 1}, {"ensemble_size": 1}):
        (tmp_path / "arguments.json").write_text(json.dumps(arguments(before)))
        _check_folder(tmp_path, now)
    (tmp_path / "arguments.json").write_text(json.dumps(arguments({"num_nets": 2})))
    with pytest.raises(InputError, match="was begun with other arguments"):
        _check_folder(tmp_path, now)


def test_a_folder_with_other_content_is_refused(data_set, run_dir, tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    for out, content in ((run_dir, "checkpoints"), (tmp_path, "mine.txt")):
        before = sorted(path.name for path in out.iterdir())
        with pytest.raises(InputError, match=rf"Received: one with other content \(.*{content}.*; give another --out"):
            crossvalidate(data_set, out, MODEL, QUICK, num_folds=3, num_seeds=1)
        assert sorted(path.name for path in out.iterdir()) == before


def die_in_the_second_fold(task):
    if task.fold == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    write_scores(task)


def die_the_first_time(task):
    task.folder.mkdir(parents=True, exist_ok=True)
    if task.fold == 2 and not (task.folder / "tried").exists():
        (task.folder / "tried").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    write_scores(task)


def write_scores(task):
    task.folder.mkdir(parents=True, exist_ok=True)
    clips = [clip_id for clip_id, split in task.split_of_clip.items() if split == "test"]
    task.scores.write_text(json.dumps({clip_id: {"colour": [0.6, 0.4], "topic": [0.1, 0.9]} for clip_id in clips}))


@pytest.fixture
def without_tensorflow(monkeypatch):
    """Workers that begin at once."""
    monkeypatch.setattr(module, "start_worker", begin_worker)
    monkeypatch.setattr(module, "_prepare", lambda tasks, data, backbone: None)


@pytest.mark.slow
def test_a_fold_whose_worker_is_killed_is_told(data_set, tmp_path, monkeypatch, without_tensorflow):
    monkeypatch.setattr(module, "run_fold", die_in_the_second_fold)
    message = r"fold 2 of seed 0 died twice.*\(signal SIGKILL, out of memory\?\).*fewer --workers than 2"
    with pytest.raises(VidmodelError, match=message):
        crossvalidate(data_set, tmp_path / "out", MODEL, QUICK, num_folds=3, num_seeds=1, num_workers=2)


@pytest.mark.slow
def test_a_fold_whose_worker_is_killed_once_is_trained_again(data_set, tmp_path, monkeypatch, without_tensorflow):
    monkeypatch.setattr(module, "run_fold", die_the_first_time)
    crossvalidate(data_set, tmp_path / "out", MODEL, QUICK, num_folds=3, num_seeds=1, num_workers=2)
    assert len(list((tmp_path / "out" / "folds").glob("*/scores.json"))) == 3
    assert (tmp_path / "out" / "folds" / "seed-0-fold-2" / "tried").exists()


@pytest.mark.slow
def test_folds_of_different_partitions_are_not_put_together(folds, tmp_path):
    data, out, _, model = folds
    shutil.copytree(out, tmp_path / "mixed")
    path = tmp_path / "mixed" / "folds" / "seed-0-fold-1" / "scores.json"
    scores = json.loads(path.read_text())
    scores.pop(next(iter(scores)))
    path.write_text(json.dumps(scores))
    with pytest.raises(InputError, match="expected each clip to be held out once a seed"):
        crossvalidate(data, tmp_path / "mixed", model, QUICK, num_folds=3, num_seeds=2)


@pytest.mark.slow
def test_command_line(folds, tmp_path, capsys):
    data, out, _, _ = folds
    config = tmp_path / "config.json"
    words = {"branches": "text", "num_frames": 4, "height": 32, "width": 32, "num_tokens": 12, "text_pooling": "mean"}
    config.write_text(json.dumps({"model": words, "train": {"epochs": 1}}))
    arguments = ["crossvalidate", str(data), "--config", str(config), "--folds", "2", "--seeds", "1", "--json"]
    assert main([*arguments, "--out", str(tmp_path / "grouped")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["random_split"] is False
    assert main([*arguments, "--random-split", "--out", str(tmp_path / "random")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["random_split"] is True
    sources = {}
    for row in read_predictions(tmp_path / "random"):
        sources.setdefault(row.source, set()).add(row.fold)
    assert any(len(where) == 2 for where in sources.values())
    assert main(["compare", str(out), str(tmp_path / "grouped"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found["colour"]) == {"difference", "interval_95", "verdict"}
    assert main(["compare", str(out), str(tmp_path / "grouped")]) == 0
    assert "the first is" in capsys.readouterr().out


def test_bad_input(data_set, tmp_path, capsys):
    with pytest.raises(InputError, match=r"at least 2 folds, 1 seed and 0 workers\. Received: 1 folds"):
        crossvalidate(data_set, tmp_path / "out", MODEL, QUICK, num_folds=1, num_seeds=1)
    with pytest.raises(InputError, match="at most one for each of 15 sources"):
        crossvalidate(data_set, tmp_path / "out", MODEL, QUICK, num_folds=16, num_seeds=1)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="is no finished cross-validation"):
        compare(tmp_path, tmp_path)
    assert main(["crossvalidate", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a prepared data set" in capsys.readouterr().err


@pytest.mark.slow
def test_a_random_split_is_not_compared_with_a_grouped_one(folds, tmp_path):
    _, out, _, _ = folds
    shutil.copytree(out, tmp_path / "random", ignore=shutil.ignore_patterns("folds"))
    path = tmp_path / "random" / "arguments.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "random_split": True}))
    with pytest.raises(InputError, match=r"expected two of the same kind\. Received: one with a random split"):
        compare(tmp_path / "random", out)
