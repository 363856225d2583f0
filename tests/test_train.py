import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import vidmodel_tf as vm
from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.hostile.same_content import values_of
from vidmodel_tf.config import to_mapping, without_machine
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.cut import build_cut_model, split_backbone
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.training.losses import (
    compile_arguments,
)
from vidmodel_tf.training.train import train


def history(run_dir):
    with (run_dir / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_run_folder_holds_all_that_was_decided(run_dir, data_set):
    assert {path.name for path in run_dir.iterdir()} >= {
        "config.json", "labels.json", "vocabulary.txt", "model.keras", "history.csv", "checkpoints", "logs", "examples",
    }  # fmt: skip
    settings = json.loads((run_dir / "config.json").read_text())
    assert settings["model"] == to_mapping(MODEL)
    assert settings["train"] == without_machine(TRAIN)
    assert settings["multi_label_heads"] == ["topic"]
    assert settings["format"] == 2
    seconds = [clip.duration_seconds for clip in open_data_set(data_set).in_split("train")]
    assert settings["clip_seconds"]["median"] == pytest.approx(np.median(seconds), abs=1e-3)
    assert settings["clip_seconds"]["p5"] < settings["clip_seconds"]["median"] < settings["clip_seconds"]["p95"]
    assert json.loads((run_dir / "labels.json").read_text()) == vm.load_labels(data_set)
    assert [row["epoch"] for row in history(run_dir)] == ["0", "1", "2", "3"]
    assert list((run_dir / "logs").rglob("events.out.tfevents*"))
    (machine,) = (run_dir / "logs" / "machines.jsonl").read_text().splitlines()
    assert json.loads(machine)["backend"] == "tensorflow"


def test_training_lowers_the_loss(run_dir):
    losses = [float(row["loss"]) for row in history(run_dir)]
    assert losses[-1] < losses[0]


def test_best_weights_are_kept(run_dir, data_set):
    rows = history(run_dir)
    run = load_run(run_dir)
    model = run.load_model()
    model.compile(**compile_arguments(run.labels, label_smoothing=TRAIN.label_smoothing))
    data = for_inference(open_data_set(data_set), "validation", MODEL, run.vocabulary, batch_size=TRAIN.batch_size)
    loss = model.evaluate(data, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(min(float(row["val_loss"]) for row in rows), rel=1e-4)  # float32 sums


def test_examples_can_be_checked_without_the_data(run_dir):
    from vidmodel_tf.records.frames import decode_frames
    from vidmodel_tf.text.fields import join_fields

    run = load_run(run_dir)
    model = run.load_model()
    examples = json.loads((run_dir / "examples" / "examples.json").read_text())
    assert 0 < len(examples) <= 8
    for example in examples:
        jpegs = [(run_dir / "examples" / name).read_bytes() for name in example["frames"]]
        frames = decode_frames(jpegs, MODEL.height, MODEL.width).numpy()
        token_ids = run.vocabulary.encode(join_fields(example["text"], MODEL.text_fields), MODEL.num_tokens)
        scores = model.predict({"frames": frames[None], "token_ids": token_ids[None]}, verbose=0)
        for head, values in scores.items():
            np.testing.assert_allclose(values[0], example["scores"][head], atol=1e-5)


def test_the_same_arguments_again_change_nothing(run_dir, data_set):
    before = (run_dir / "model.keras").stat().st_mtime_ns
    train(data_set, run_dir, MODEL, TRAIN)
    assert (run_dir / "model.keras").stat().st_mtime_ns == before


@pytest.mark.slow
def test_killed_before_the_model_is_written_nothing_is_missing(run_dir, data_set, tmp_path):
    shutil.copytree(run_dir, tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    train(data_set, tmp_path / "run", MODEL, TRAIN)
    expected, found = values_of(run_dir / "model.keras"), values_of(tmp_path / "run" / "model.keras")
    assert any(name.startswith("optimizer/") for name in expected)
    assert found.keys() == expected.keys()
    for name in expected.keys() - {"config.json"}:  # layers have names that count on within a process
        np.testing.assert_array_equal(found[name], expected[name])


def command_of(data_set, out):
    script = f"""
import dataclasses
from tests.conftest import MODEL, TRAIN
from vidmodel_tf.training.train import train
train({str(data_set)!r}, {str(out)!r}, MODEL, dataclasses.replace(TRAIN, epochs=5))
"""
    return [sys.executable, "-c", script]


@pytest.mark.slow
def test_killed_it_goes_on_as_if_nothing_had_been(data_set, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command_of(data_set, whole), check=True, **quiet)
    process = subprocess.Popen(command_of(data_set, killed), start_new_session=True, **quiet)
    deadline = time.monotonic() + 300
    while len(history(killed) if (killed / "history.csv").exists() else []) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "model.keras").exists()
    with pytest.raises(InputError, match="training has not finished; call `vidmodel train` again"):
        load_run(killed)
    num_done = len(history(killed))
    assert 2 <= num_done < 5
    subprocess.run(command_of(data_set, killed), check=True, **quiet)
    assert len(history(killed)) == 5
    for row, expected in zip(history(killed), history(whole), strict=True):
        for name in expected.keys() - {"stage"}:
            # The order of float32 sums over threads differs from run to run.
            assert float(row[name]) == pytest.approx(float(expected[name]), rel=2e-3, abs=1e-4), (name, row)


@pytest.fixture(scope="module")
def two_stage_run(data_set, backbone_weights, tmp_path_factory):
    data = copy_data_set(data_set, tmp_path_factory.mktemp("two_stage") / "data")
    out = data.parent / "run"
    model = dataclasses.replace(MODEL, weights=str(backbone_weights), streams="both")
    training = dataclasses.replace(TRAIN, epochs=3, fine_tune_epochs=2, fine_tune_learning_rate=1e-3, mirror=True)
    return train(data, out, model, training)


@pytest.mark.slow
def test_two_stages(two_stage_run):
    assert [row["stage"] for row in history(two_stage_run.path)] == ["frozen"] * 3 + ["fine_tune"] * 2
    folders = list((two_stage_run.data / "features").iterdir())
    keys = [json.loads((folder / "key.json").read_text()) for folder in folders]
    assert {(key["stream"], key["cnn"]) for key in keys} == {
        (stream, cnn) for stream in ("appearance", "motion") for cnn in ("small_cnn", "small_cnn_below_block_3_conv")
    }
    assert len(keys) == 4
    assert all({path.name for path in folder.iterdir()} == {"key.json", "plain", "mirrored"} for folder in folders)


@pytest.mark.slow
def test_only_the_top_of_the_backbone_was_tuned(two_stage_run, backbone_weights):
    from vidmodel_tf.model.backbones import small_cnn

    pretrained = small_cnn((MODEL.height, MODEL.width, 3))
    pretrained.load_weights(backbone_weights)
    model = two_stage_run.load_model()
    state = json.loads((two_stage_run.path / "checkpoints" / "state.json").read_text())
    _, upper = split_backbone(backbone_of(model), "block_3_conv")
    cut_model = build_cut_model(model, two_stage_run.config.model, upper)
    cut_model.load_weights(two_stage_run.path / "checkpoints" / state["last_weights"])
    tuned = backbone_of(model)
    changed = [
        layer.name
        for layer, before in zip(tuned.layers, pretrained.layers, strict=True)
        if any(not np.array_equal(a, b) for a, b in zip(layer.get_weights(), before.get_weights(), strict=True))
    ]
    assert changed == ["block_3_conv"]


@pytest.mark.slow
def test_a_stage_that_gains_nothing_leaves_the_weights_of_the_one_before(two_stage_run, tmp_path):
    model = two_stage_run.config.model
    harmful = dataclasses.replace(two_stage_run.config.train, fine_tune_epochs=1, fine_tune_learning_rate=5.0)
    run = train(two_stage_run.data, tmp_path / "run", model, harmful)
    rows = history(run.path)
    assert float(rows[-1]["val_loss"]) > min(float(row["val_loss"]) for row in rows[:-1])
    reloaded = run.load_model()
    reloaded.compile(**compile_arguments(run.labels, label_smoothing=TRAIN.label_smoothing))
    data = for_inference(open_data_set(run.data), "validation", model, run.vocabulary, batch_size=TRAIN.batch_size)
    loss = reloaded.evaluate(data, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(min(float(row["val_loss"]) for row in rows[:-1]), rel=1e-4)  # float32 sums


@pytest.mark.slow
def test_a_fold_holds_out_its_sources(data_set, tmp_path):
    run = train(data_set, tmp_path / "run", MODEL, dataclasses.replace(TRAIN, epochs=1), fold=(2, 3))
    assert load_run(run.path).fold == (2, 3)
    result = vm.evaluate(run.path)
    assert result.num_clips == 10  # a third of 30 clips, two a source


def test_without_a_frozen_backbone_there_is_nothing_to_fine_tune(data_set, tmp_path):
    with pytest.raises(InputError, match=r"train\.fine_tune_epochs: expected 0 where no backbone is frozen"):
        train(data_set, tmp_path / "run", MODEL, dataclasses.replace(TRAIN, fine_tune_epochs=1))


def test_unknown_head_weight(data_set, tmp_path):
    with pytest.raises(InputError, match=r"train\.head_weights: expected heads among .*\. Received: 'mood'"):
        train(data_set, tmp_path / "run", MODEL, dataclasses.replace(TRAIN, head_weights={"mood": 2.0}))
    assert not (tmp_path / "run").exists()


def test_library_use_as_documented(data_set, tmp_path):
    config = dataclasses.replace(MODEL, num_frames=2)
    vocabulary = vm.Vocabulary.from_dataset(data_set)
    data = vm.load_dataset(data_set, "train", config, vocabulary, batch_size=8)
    labels = vm.load_labels(data_set)
    model = vm.build_model(config, labels, len(vocabulary))
    model.compile("adam", **vm.compile_arguments(labels))
    model.fit(data, verbose=0)
    vm.save_run(tmp_path / "run", model, config, labels, vocabulary)
    reloaded = vm.load_run(tmp_path / "run").load_model()
    inputs, _, _ = next(iter(data))
    for head, scores in model.predict(inputs, verbose=0).items():
        np.testing.assert_allclose(reloaded.predict(inputs, verbose=0)[head], scores, atol=1e-6)


def test_a_mistake_leaves_no_folder_that_refuses_the_correction(data_set, backbone_weights, tmp_path):
    with pytest.raises(InputError, match="num_frames"):
        train(data_set, tmp_path / "run", dataclasses.replace(MODEL, num_frames=3), TRAIN)
    tuned = dataclasses.replace(MODEL, weights=str(backbone_weights))
    misspelt = dataclasses.replace(TRAIN, fine_tune_epochs=1, fine_tune_from="block_4_conv")
    with pytest.raises(InputError, match="fine_tune_from: expected a layer of small_cnn; the nearest are block_3_conv"):
        train(data_set, tmp_path / "run", tuned, misspelt)
    assert not (tmp_path / "run").exists()


def test_a_run_saved_by_hand_reads_clips_as_its_data_was(data_set, tmp_path):
    labels, vocabulary = vm.load_labels(data_set), vm.Vocabulary.from_dataset(data_set)
    model = vm.build_model(MODEL, labels, len(vocabulary))
    vm.save_run(tmp_path / "run", model, MODEL, labels, vocabulary, data=data_set)
    run = load_run(tmp_path / "run")
    assert (run.config.prepare.num_stored_frames, run.config.prepare.short_side, run.data) == (8, 48, data_set)
    assert run.clip_seconds.p5 < run.clip_seconds.median < run.clip_seconds.p95
    config = dataclasses.replace(MODEL, num_frames=6)
    vm.save_run(tmp_path / "other", vm.build_model(config, labels, len(vocabulary)), config, labels, vocabulary)
    assert load_run(tmp_path / "other").config.prepare.num_stored_frames == 6
