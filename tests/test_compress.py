"""A student that is taught by a trained run."""

import csv
import dataclasses
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.exports import EXPORTS
from vidmodel_tf.cli import main
from vidmodel_tf.compression import prune, score_split, teacher
from vidmodel_tf.compression.compress import compress
from vidmodel_tf.config import PrepareConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder.check import check
from vidmodel_tf.run_folder.distillation import DistilConfig, PruneConfig
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.train import train

SMALL = dataclasses.replace(MODEL, branches="text", text_lstm_units=4, hidden_units=8)  # trains in no time
WITH_FRAMES = dataclasses.replace(MODEL, projection_units=8, lstm_units=6, text_lstm_units=4)
QUICK = dataclasses.replace(TRAIN, epochs=3, label_smoothing=0.1)
DISTIL = DistilConfig(temperature=3.0, alpha=0.75)


def asked_of_teacher(patch):
    """The splits that the teacher is asked about from now on, as they come."""
    asked = []

    def count(form, data, split, description):
        asked.append(split)
        return score_split.score_split(form, data, split, description)

    patch.setattr(teacher, "score_split", count)
    return asked


@pytest.fixture(scope="module")
def data(data_set, tmp_path_factory):
    """The teacher's data set, for students whose frozen backbone fills a cache of features."""
    return copy_data_set(data_set, tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def made(run_dir, tmp_path_factory):
    """The student's run folder, the report on it, and what the teacher was asked."""
    out = tmp_path_factory.mktemp("student") / "run"
    with pytest.MonkeyPatch.context() as patch:
        asked = asked_of_teacher(patch)
        result = compress(run_dir, out, SMALL, QUICK, DISTIL)
    return out, result, asked


def history(path):
    with (path / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_teacher_scores_each_clip_once(made):
    out, _, asked = made
    assert len(history(out)) == QUICK.epochs
    assert asked == ["train", "validation"]


def test_the_settings_say_what_it_was_made_from(made, run_dir):
    settings = json.loads((made[0] / "config.json").read_text())
    assert settings["distil"] == {"temperature": 3.0, "alpha": 0.75}
    assert settings["teacher"] == str(run_dir.resolve())
    assert settings["teacher_fingerprint"] == fingerprint(run_dir)
    assert load_run(made[0]).distillation.config == DISTIL
    assert "distil" not in json.loads((run_dir / "config.json").read_text())


def test_the_loss_is_the_formula(made, run_dir, data_set):
    """In NumPy, of both models' scores of the validation clips: one head with one class a clip, one with several."""
    data = open_data_set(data_set)
    clips = data.in_split("validation")
    forms = [KerasForm(load_run(path)) for path in (run_dir, made[0])]
    taught, learnt = (score_split.score_split(form, data, "validation", "") for form in forms)
    names = forms[0].run.labels
    temperature, alpha = DISTIL.temperature, DISTIL.alpha

    def softened(scores):
        powers = scores.astype(np.float64) ** (1 / temperature)
        return powers / powers.sum(axis=-1, keepdims=True)

    def divergence(p, q):
        return temperature**2 * (p * np.log(p / q)).sum(axis=-1)

    colour = alpha * divergence(softened(taught["colour"]), softened(learnt["colour"])).mean()
    for clip, scores in zip(clips, learnt["colour"], strict=True):
        if clip.labels["colour"] is not None:
            target = 0.9 * np.eye(2)[names["colour"].index(clip.labels["colour"])] + 0.1 / 2
            colour += (1 - alpha) * -(target * np.log(scores)).sum() / len(clips)
    outcomes = [np.stack([scores, 1 - scores], axis=-1) for scores in (taught["topic"], learnt["topic"])]
    topic = alpha * divergence(*map(softened, outcomes)).mean()
    for clip, scores in zip(clips, learnt["topic"], strict=True):
        if clip.labels["topic"] is not None:
            target = np.array([name in clip.labels["topic"] for name in names["topic"]])
            topic += (1 - alpha) * -np.log(np.where(target, scores, 1 - scores)).mean() / len(clips)
    assert {clip.labels["colour"] is None for clip in clips} == {True, False}
    best = min(history(made[0]), key=lambda row: float(row["val_loss"]))
    assert float(best["val_loss"]) == pytest.approx(colour + topic, rel=1e-3)  # the loss keeps batches in float32


@pytest.mark.slow
def test_the_run_folder_is_like_any_other(made):
    out, result, _ = made
    assert not [fault for folder in check(out) for fault in folder.checked.faults]
    assert verify(out, out).passed
    figures = evaluate(out)
    assert figures.heads["colour"].accuracy == result.heads["colour"].student_accuracy
    assert evaluate(out, split="validation").num_clips


def test_the_report(made, run_dir, data_set):
    out, result, _ = made
    assert json.loads((out / "compress.json").read_text()) == result.to_json()
    assert result.student.num_parameters == load_run(out).load_model().count_params()
    assert result.teacher.num_parameters == load_run(run_dir).load_model().count_params()
    assert result.student.num_bytes == 4 * result.student.num_parameters < result.teacher.num_bytes
    assert result.speedup == pytest.approx(result.teacher.milliseconds / result.student.milliseconds)
    assert (result.split, result.num_clips) == ("test", open_data_set(data_set).count("test"))
    colour = result.heads["colour"]
    assert colour.teacher_accuracy == evaluate(run_dir).heads["colour"].accuracy
    assert colour.difference.difference == pytest.approx(colour.student_accuracy - colour.teacher_accuracy)
    assert 0 <= colour.label_agreement <= 1


@pytest.mark.slow
def test_a_finished_student_is_only_measured_again(made, run_dir, monkeypatch):
    asked = asked_of_teacher(monkeypatch)
    before = (made[0] / "model.keras").read_bytes()
    assert compress(run_dir, made[0], SMALL, QUICK, DISTIL).heads == made[1].heads
    assert not asked and (made[0] / "model.keras").read_bytes() == before


def test_another_teacher_or_temperature_does_not_go_on(made, run_dir, data_set):
    with pytest.raises(InputError, match=r"was begun with other arguments \(distil\.temperature=3\.0, not 4\.0"):
        compress(run_dir, made[0], SMALL, QUICK, DistilConfig(alpha=0.75))
    with pytest.raises(InputError, match=r"was begun with other arguments \(distil=.*, teacher_fingerprint="):
        train(data_set, made[0], SMALL, QUICK)


def test_what_is_refused(run_dir, tmp_path, clips_csv):
    with pytest.raises(InputError, match=r"--out: expected another folder than the teacher's\. Received: .*colours"):
        compress(run_dir, run_dir, SMALL)
    with pytest.raises(InputError, match=r"expected a student that is smaller .* Received: the teacher's own settings"):
        compress(run_dir, tmp_path / "run", MODEL)
    speech = dataclasses.replace(SMALL, text_fields=("title", "speech"))
    with pytest.raises(
        InputError, match=r"text_fields: expected fields that clips .* have words .* Received: 'speech'"
    ):
        compress(run_dir, tmp_path / "run", speech)
    (tmp_path / "note.txt").touch()
    with pytest.raises(InputError, match=r"expected a new folder, or a run folder to go on with\. Received: .*note"):
        compress(run_dir, tmp_path, SMALL)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("distil.temperature=0.5", r"distil\.temperature: expected 1\.0 to 100\.0\. Received: 0\.5"),
        ("distil.alpha=1.5", r"distil\.alpha: expected 0\.0 to 1\.0\. Received: 1\.5"),
        ("prune.share=0.95", r"prune\.share: expected 0\.0 to 0\.9\. Received: 0\.95"),
        ("distil.beta=1", r"unknown setting distil\.beta: expected one of: temperature, alpha"),
        (
            "prepare.seed=1",
            r"--set: expected model\.KEY=VALUE or train\.KEY=VALUE or distil\.KEY=VALUE or prune\.KEY=VALUE",
        ),
    ],
)
def test_settings_out_of_range(run_dir, tmp_path, capsys, given, words):
    assert main(["compress", str(run_dir), "--out", str(tmp_path / "run"), "--set", given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(words, line)


def test_a_model_that_is_no_run(tmp_path, capsys):
    assert main(["compress", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "is not a run folder" in capsys.readouterr().err


def words_of(folder, rows):
    """A prepared data set of words alone."""
    folder.mkdir()
    names = list(rows[0])
    lines = [",".join(names), *(",".join(row[name] for name in names) for row in rows)]
    (folder / "clips.csv").write_text("\n".join(lines), encoding="utf-8")
    prepare(folder / "clips.csv", folder / "data", PrepareConfig(num_workers=1))
    return folder / "data"


def labelled_words(**more):
    kinds = [("red", "sport|news", "a red film"), ("蓝色", "news", "a blue film")]
    return [
        {"id": f"row{n}", "label:colour": colour, "labels:topic": topic, "title": title, **more}
        for n in range(12)
        for colour, topic, title in [kinds[n % 2]]
    ]


def test_data_sets_that_do_not_fit_the_teacher(run_dir, made, tmp_path):
    without_topic = [{name: row[name] for name in ("id", "label:colour", "title")} for row in labelled_words()]
    with pytest.raises(InputError, match=r"the head 'topic' differ from the model's: .* Received: None"):
        compress(run_dir, tmp_path / "run", SMALL, data=words_of(tmp_path / "one", without_topic))
    words = words_of(tmp_path / "two", labelled_words())
    with pytest.raises(InputError, match=r"holds words without videos: expected model\.branches=text\. Received"):
        compress(run_dir, tmp_path / "run", SMALL, data=words)
    untitled = [{**row, "title": "", "speech": row["title"]} for row in labelled_words()]
    student = dataclasses.replace(SMALL, hidden_units=4)
    with pytest.raises(InputError, match=r"words in the fields that the teacher reads \(title, .* Received: none"):
        compress(made[0], tmp_path / "run", student, data=words_of(tmp_path / "three", untitled))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_clips_without_labels_are_learnt_from_the_teacher(made, tmp_path):
    rows = labelled_words(**{"label:from": "labelled", "split": "train"})
    rows += [
        {**row, "id": f"new{n}", "label:colour": "", "labels:topic": "", "label:from": "unlabelled"}
        for n, row in enumerate(rows)
    ]
    data = words_of(tmp_path / "words", rows)
    student = dataclasses.replace(SMALL, hidden_units=4)
    compress(made[0], tmp_path / "run", student, dataclasses.replace(QUICK, epochs=1), data=data)
    assert set(load_run(tmp_path / "run").labels) == {"colour", "topic"}
    with np.load(tmp_path / "run" / "checkpoints" / "teacher_scores.npz") as scores:
        assert sum(name.startswith("new") for name in scores["ids"]) == len(rows) // 2


class InterruptedTrainingError(Exception):
    pass


@pytest.mark.slow
def test_interrupted_it_goes_on(made, run_dir, tmp_path, monkeypatch):
    on_epoch_end, asked = StageProgress.on_epoch_end, asked_of_teacher(monkeypatch)

    def interrupt(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        raise InterruptedTrainingError

    with monkeypatch.context() as patched, pytest.raises(InterruptedTrainingError):
        patched.setattr(StageProgress, "on_epoch_end", interrupt)
        compress(run_dir, tmp_path / "run", SMALL, QUICK, DISTIL)
    compress(run_dir, tmp_path / "run", SMALL, QUICK, DISTIL)
    assert asked == ["train", "validation"]  # not again
    for row, whole in zip(history(tmp_path / "run"), history(made[0]), strict=True):
        # The order of float32 sums over threads differs from run to run.
        assert float(row["loss"]) == pytest.approx(float(whole["loss"]), rel=2e-3)


@pytest.mark.slow
def test_from_the_command_line_and_in_a_fresh_process(run_dir, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "vidmodel_tf"]
    changes = ["--epochs", "2", "--set", "model.lstm_units=6", "--set", "distil.temperature=2", "--json"]
    made = subprocess.run(
        [*command, "compress", run_dir, "--out", out, *changes], capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout) == json.loads((out / "compress.json").read_text())
    run = load_run(out)
    assert run.config.model == dataclasses.replace(MODEL, lstm_units=6)
    assert run.config.train == dataclasses.replace(TRAIN, epochs=2)
    for arguments in (["evaluate", out], ["check", out], ["export", out, "--out", tmp_path / "saved"]):
        subprocess.run([*command, *arguments], capture_output=True, check=True)
    subprocess.run([*command, "verify", tmp_path / "saved", out], capture_output=True, check=True)


@pytest.mark.slow
def test_an_ensemble_of_two_streams_teaches_one_network_on_cached_encodings(
    trained_runs, data, backbone_weights, tmp_path, monkeypatch
):
    asked, run = asked_of_teacher(monkeypatch), trained_runs("two_streams")
    config = dataclasses.replace(WITH_FRAMES, weights=str(backbone_weights))
    training = dataclasses.replace(TrainConfig(), epochs=2, batch_size=4, fine_tune_epochs=1)
    result = compress(run.path, tmp_path / "run", config, training, data=data)
    assert asked == ["train", "validation"]
    assert [row["stage"] for row in history(tmp_path / "run")] == ["frozen", "frozen", "fine_tune"]
    assert result.student.num_parameters < result.teacher.num_parameters


@pytest.mark.slow
def test_refit_learns_from_the_validation_clips_too(run_dir, tmp_path):
    training = dataclasses.replace(QUICK, epochs=2, refit=True)
    compress(run_dir, tmp_path / "run", WITH_FRAMES, training, DISTIL)
    assert {row["stage"] for row in history(tmp_path / "run")} == {"scratch", "scratch_refit"}


HALF = PruneConfig(share=0.5)


@pytest.fixture(scope="module")
def pruned(run_dir, data, tmp_path_factory):
    """A student with half of the channels of the teacher's backbone, and the report on it."""
    out = tmp_path_factory.mktemp("pruned") / "run"
    return out, compress(run_dir, out, MODEL, dataclasses.replace(QUICK, epochs=1), DISTIL, HALF, data=data)


def test_a_pruned_student_is_smaller_and_says_what_it_was_made_from(pruned, run_dir):
    out, result = pruned
    # The small CNN: 3 x 3 convolutions of 32, 64, 96 and 128 channels. All but the last give half, to a multiple of 8.
    assert (result.teacher.backbone_channels, result.student.backbone_channels) == (320, 16 + 32 + 48 + 128)
    sizes = [(3, 16, 16 * 20), (16, 32, 8 * 10), (32, 48, 4 * 5), (48, 128, 2 * 3)]  # of pictures of 32 x 40
    assert result.student.backbone_multiply_adds == sum(9 * before * after * area for before, after, area in sizes)
    assert (out / "model.keras").stat().st_size < 0.8 * (run_dir / "model.keras").stat().st_size
    settings = json.loads((out / "config.json").read_text())
    assert settings["prune"] == {"share": 0.5}
    assert settings["model"]["backbone"].startswith("file:")


@pytest.mark.slow
def test_a_finished_pruned_student_is_only_measured_again(pruned, run_dir, data, monkeypatch, tmp_path):
    monkeypatch.setattr(prune, "choose_channels", None)  # nothing is pruned again
    before = (pruned[0] / "model.keras").read_bytes()
    training = dataclasses.replace(QUICK, epochs=1)
    assert compress(run_dir, pruned[0], MODEL, training, DISTIL, HALF, data=data).heads == pruned[1].heads
    assert (pruned[0] / "model.keras").read_bytes() == before
    with pytest.raises(InputError, match=r"was begun with other arguments \(prune\.share=0\.5, not 0\.25\)"):
        compress(run_dir, pruned[0], MODEL, training, DISTIL, PruneConfig(share=0.25), data=data)
    shutil.copytree(pruned[0], tmp_path / "run")
    (tmp_path / "run" / "backbone.keras").unlink()
    with pytest.raises(InputError, match=r"expected the pruned backbone that the run was begun with\. Received: none"):
        compress(run_dir, tmp_path / "run", MODEL, training, DISTIL, HALF, data=data)


def prune_only(run_dir, data, out, training, share, monkeypatch):
    """Compresses up to where training would begin."""

    def interrupt(*args, **kwargs):
        raise InterruptedTrainingError

    with monkeypatch.context() as patched, pytest.raises(InterruptedTrainingError):
        patched.setattr("vidmodel_tf.compression.compress.train", interrupt)
        compress(run_dir, out, MODEL, training, DISTIL, share, data=data)


@pytest.mark.slow
def test_killed_behind_pruning_it_goes_on_with_the_same_backbone(run_dir, data, tmp_path, monkeypatch):
    out, training = tmp_path / "run", dataclasses.replace(QUICK, epochs=1)
    prune_only(run_dir, data, out, training, HALF, monkeypatch)
    assert [path.name for path in out.iterdir()] == ["backbone.keras"]
    written = (out / "backbone.keras").read_bytes()
    (out / ".backbone.left.keras").touch()
    with monkeypatch.context() as patched:
        patched.setattr(prune, "choose_channels", None)
        result = compress(run_dir, out, MODEL, training, DISTIL, HALF, data=data)
    assert (out / "backbone.keras").read_bytes() == written
    assert not (out / ".backbone.left.keras").exists()
    assert result.student.backbone_channels == 224


@pytest.mark.slow
def test_a_backbone_that_was_pruned_for_another_share_is_not_taken(run_dir, data, tmp_path, monkeypatch):
    out, training = tmp_path / "run", dataclasses.replace(QUICK, epochs=1)
    prune_only(run_dir, data, out, training, PruneConfig(share=0.25), monkeypatch)
    assert compress(run_dir, out, MODEL, training, DISTIL, HALF, data=data).student.backbone_channels == 224


@pytest.mark.slow
def test_a_pruned_student_in_every_form(pruned, tmp_path):
    out, _ = pruned
    assert not [fault for folder in check(out) for fault in folder.checked.faults]
    files = {"saved_model": "", "lite": "float16.tflite", "onnx": "model.onnx", "openvino": "float32.xml"}
    for kind, make in EXPORTS.items():
        assert verify(make(out, tmp_path / kind) / files[kind], out).passed


@pytest.mark.slow
def test_a_pruned_student_is_pruned_again_and_fine_tuned(trained_runs, tmp_path):
    """Of a backbone that a user brought, with a model inside it: the run folder is all that is left of it."""
    teacher = trained_runs("gru")
    training = dataclasses.replace(QUICK, epochs=1, fine_tune_epochs=1, fine_tune_from="inner_last")
    result = compress(teacher.path, tmp_path / "one", teacher.config.model, training, DISTIL, HALF)
    assert [row["stage"] for row in history(tmp_path / "one")] == ["frozen", "fine_tune"]
    again = compress(
        tmp_path / "one", tmp_path / "two", load_run(tmp_path / "one").config.model, training, DISTIL, HALF
    )
    channels = [each.backbone_channels for each in (result.teacher, result.student, again.student)]
    assert channels == [8 + 16 + 128, 4 + 8 + 128, 2 + 4 + 128]


def test_backbones_that_are_not_pruned(run_dir, made, trained_runs, tmp_path):
    other, larger = dataclasses.replace(MODEL, backbone="resnet50"), dataclasses.replace(MODEL, height=64)
    refused = [
        (made[0], SMALL, r"prune\.share: expected 0 where a model reads words alone .* Received: 0\.5"),
        (run_dir, SMALL, r"prune\.share: expected 0 where a model reads words alone"),
        (run_dir, other, r"model\.backbone: expected the teacher's .* \(small_cnn\)\. Received: resnet50"),
        (run_dir, larger, r"model\.height: expected the teacher's .* \(32\)\. Received: 64"),
    ]
    for teacher_dir, config, words in refused:
        with pytest.raises(InputError, match=words):
            compress(teacher_dir, tmp_path / "run", config, prune_config=HALF)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_transformer_is_not_pruned(trained_runs, tmp_path):
    run = trained_runs("own_preset")
    with pytest.raises(InputError, match=r"prune\.share: expected a backbone in which .* Received: .*, which has none"):
        compress(run.path, tmp_path / "run", run.config.model, prune_config=HALF)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_config_file_repeats_a_pruning(pruned, run_dir, data, tmp_path):
    out = tmp_path / "run"
    config = str(pruned[0] / "config.json")
    assert main(["compress", str(run_dir), "--data", str(data), "--out", str(out), "--config", config]) == 0
    wanted, found = load_run(pruned[0]), load_run(out)
    assert found.distillation == wanted.distillation
    same = {"backbone": "", "weights": ""}  # a file is another one for the time that stands in it
    assert dataclasses.replace(found.config.model, **same) == dataclasses.replace(wanted.config.model, **same)
    assert found.load_model().count_params() == wanted.load_model().count_params()
