import csv
import dataclasses
import io
import json
import os
import sys

import pytest

from tests.conftest import MODEL, PREPARE, TRAIN, write_clips
from vidmodel_tf.cli import main
from vidmodel_tf.commands import show
from vidmodel_tf.commands.train import describe_stages
from vidmodel_tf.config import to_mapping
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.run_folder.run import load_run


def run_json(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.slow
def test_all_commands_on_two_heads_missing_labels_and_chinese_words(tmp_path, capsys):
    manifest = write_clips(tmp_path)
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps({"prepare": to_mapping(PREPARE)}))
    (report,) = run_json(capsys, "prepare", manifest, "--out", tmp_path / "data", "--config", settings)
    assert report["num_refused"] == 0
    (found,) = run_json(capsys, "inspect", tmp_path / "data")
    assert found["num_clips"] == report["num_clips"]
    assert found["words"]["subtitles"]["clips_with_words"] == 5
    assert found["leaks"]["sources_in_two_splits"] == []
    assert (tmp_path / "data" / "contact_sheet.png").stat().st_size > 1000
    settings.write_text(json.dumps({"model": to_mapping(MODEL), "train": to_mapping(TRAIN)}))
    run = tmp_path / "run"
    assert main(["train", str(tmp_path / "data"), "--out", str(run), "--config", str(settings), "--epochs", "2"]) == 0
    capsys.readouterr()
    (result,) = run_json(capsys, "evaluate", run)
    assert set(result["heads"]) == {"colour", "topic"}
    answers = run_json(capsys, "predict", run, tmp_path / "clip0*.mp4")
    assert len(answers) == 10
    assert set(answers[0]["heads"]["topic"]) == {"labels", "scores"}
    for command in (["evaluate", run], ["predict", run, tmp_path / "clip00.mp4"], ["inspect", tmp_path / "data"]):
        assert main([str(part) for part in command]) == 0
        out = capsys.readouterr().out
        assert "colour" in out
        assert "topic" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "no_such"], "vidmodel inspect: no_such is not a prepared data set"),
        (["evaluate", "no_such"], "vidmodel evaluate: there is no model at no_such"),
        (["prepare", "no_such", "--out", "x"], "no_such"),
        (["train", "d", "--out", "s3://b/x"], "--out: expected a path, for `prepare` alone writes to addresses."),
        (
            ["train", "d", "--out", "x", "--set", "model.heigth=3"],
            "unknown setting model.heigth: did you mean 'height'?",
        ),
        (["train", "d", "--out", "x", "--fold", "3"], "--fold: expected K/N, such as 1/5. Received: '3'"),
        (["train", "d", "--out", "x", "--config", "none.json"], "cannot read the config file none.json"),
    ],
)
def test_a_user_s_mistake_is_one_line_and_exit_code_2(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["train", "prepare"])
def test_a_file_where_a_folder_is_meant(command, data_set, clips_csv, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    source = data_set if command == "train" else clips_csv
    flags = ["--weights", "none", "--backbone", "small_cnn"] if command == "train" else []
    settings = ["--set", "model.num_frames=4"] if command == "train" else []
    assert main([command, str(source), "--out", str(tmp_path / "file" / "x"), *flags, *settings]) == 2
    assert "Not a directory" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_bad_rows_are_listed_below(tmp_path, capsys):
    (tmp_path / "clips.csv").write_text("path,label\na.mp4,x\nb.mp4,\n")
    assert main(["prepare", str(tmp_path / "clips.csv"), "--out", str(tmp_path / "out")]) == 2
    first, *rows = capsys.readouterr().err.splitlines()
    assert "2 bad rows of 2" in first
    assert len(rows) >= 2


def test_unknown_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["tarin"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "invalid choice: 'tarin'" in error
    assert len(error.splitlines()) == 1


def test_an_option_of_another_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["predict", "run", "a.mp4", "--hosts", "a:1,b:1"])
    assert caught.value.code == 2
    told = "vidmodel predict: unrecognized arguments: --hosts a:1,b:1 (see vidmodel predict --help)\n"
    assert capsys.readouterr().err == told


def test_predict_fails_when_nothing_was_answered(run_dir, clips_csv, tmp_path, capsys):
    (tmp_path / "broken.mp4").write_text("no video")
    broken = str(tmp_path / "broken.mp4")
    assert main(["predict", str(run_dir), broken]) == 2
    assert main(["predict", str(run_dir), broken, "--json"]) == 2
    assert main(["predict", str(run_dir), broken, str(clips_csv.parent / "clip00.mp4")]) == 0
    assert "expected a video" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--json"], []])
def test_a_name_that_is_not_unicode_is_printed_escaped(run_dir, tmp_path, monkeypatch, flags):
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    path.write_text("no video")
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="utf-8", errors="strict"))
    assert main(["predict", str(run_dir), str(path), *flags]) == 2
    sys.stdout.flush()
    text = printed.getvalue().decode("utf-8")
    if flags:
        assert json.loads(text)["path"] == str(path)
    else:
        assert "caf\\udce9.mp4" in "".join(text.split())


def test_json_of_what_is_no_number_is_refused_in_one_line(capsys):
    with pytest.raises(VidmodelError, match="expected finite figures"):
        show.print_json({"score": float("nan")})
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_training_for_programs_prints_its_figures_only(data_set, tmp_path, capsys):
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps({"model": to_mapping(MODEL), "train": to_mapping(TRAIN)}))
    out = tmp_path / "run"
    (printed,) = run_json(capsys, "train", data_set, "--out", out, "--config", settings, "--epochs", 1)
    assert (printed["run"], printed["was_finished"]) == (str(out), False)


def test_training_again_says_that_nothing_was_done(run_dir, data_set, tmp_path, capsys):
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps({"model": to_mapping(MODEL), "train": to_mapping(TRAIN)}))
    assert main(["train", str(data_set), "--out", str(run_dir), "--config", str(settings)]) == 0
    printed = capsys.readouterr().out
    assert "already trained with these arguments, nothing was done" in printed
    assert "scratch: 4 epochs, as many as were allowed; kept epoch " in printed


def test_figures_of_a_training_for_programs(run_dir, data_set, tmp_path, capsys):
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps({"model": to_mapping(MODEL), "train": to_mapping(TRAIN)}))
    (printed,) = run_json(capsys, "train", data_set, "--out", run_dir, "--config", settings)
    with (run_dir / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    best = min(rows, key=lambda row: float(row["val_loss"]))
    assert (printed["run"], printed["was_finished"]) == (str(run_dir), True)
    assert printed["kept"] == {name: value if name == "stage" else float(value) for name, value in best.items()}
    stage = {"name": "scratch", "epochs": 4, "monitor": "val_loss", "best_epoch": int(best["epoch"]) + 1}
    assert printed["stages"] == [{**stage, "lowest": float(best["val_loss"])}]


def test_what_is_said_of_stages(run_dir, tmp_path):
    run = dataclasses.replace(load_run(run_dir), path=tmp_path)
    train_config = dataclasses.replace(run.config.train, patience=2)
    run = dataclasses.replace(run, config=dataclasses.replace(run.config, train=train_config))
    losses = {"frozen": (0.5, 0.25, 0.3, 0.4), "fine_tune": (0.28, 0.27), "frozen_refit": ("", "")}
    rows = [(stage, loss) for stage, values in losses.items() for loss in values]
    lines = [f"{epoch},{stage},0.1,{loss}" for epoch, (stage, loss) in enumerate(rows)]
    (tmp_path / "history.csv").write_text("\n".join(["epoch,stage,loss,val_loss", *lines]))
    assert describe_stages(run) == [
        "frozen: 4 epochs, ended by patience 2; kept epoch 2, val_loss 0.2500",
        "fine_tune: 2 epochs, ended by patience 2; none kept, val_loss was 0.2500 before",
        "frozen_refit: 2 epochs, as many as were best before",
    ]


def test_arguments_of_verify_in_the_wrong_order(tmp_path, capsys):
    run_dir, export = tmp_path / "run", tmp_path / "export"
    run_dir.mkdir()
    export.mkdir()
    (run_dir / "config.json").write_text("{}")
    assert main(["verify", str(run_dir), str(export)]) == 2
    assert f"did you mean `vidmodel verify {export} {run_dir}`?" in capsys.readouterr().err
