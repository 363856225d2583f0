import inspect
import pkgutil
import subprocess
import sys

import pytest

from vidmodel_tf import commands
from vidmodel_tf.cli import main
from vidmodel_tf.commands.parser import COMMANDS, build_parser
from vidmodel_tf.config import ModelConfig, TrainConfig

SHARED = {"parser", "settings", "show", "timed_metrics_table"}


def in_a_new_process(arguments, folder):
    """The exit code, and which of the package's and TensorFlow's modules were imported."""
    script = f"""
import sys
from vidmodel_tf.cli import main
try:
    code = main({arguments!r})
except SystemExit as error:
    code = error.code
print("\\nIMPORTED", code, *[name for name in sys.modules if name.startswith(("vidmodel_tf.commands.", "tensorflow"))])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    code, *imported = result.stdout.rpartition("IMPORTED")[2].split()
    return int(code), set(imported)


def test_every_module_of_the_folder_is_a_command():
    found = {module.name for module in pkgutil.iter_modules(commands.__path__)} - SHARED
    assert found == {name.replace("-", "_") for name in COMMANDS}


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "no_such", "neither"],
        ["calibrate", "no_such", "--truth", "none.csv", "--out", "policy.json"],
        ["export", "run", "--out", "exported", "--data", "data"],
        ["predict", "clip.mp4", "run"],
        ["prepare", "clips", "--out", "x", "--set", "prepare.jpeg_quality=0"],
        ["serving-client", "localhost:1", "model", "clip.mp4", "--settings", "no_such", "--rest"],
        ["train", "data", "--out", "x", "--set", "model.heigth=3"],
        ["train", "data", "--out", "x", "--fold", "1"],
        ["crossvalidate", "data", "--out", "x", "--epochs", "0"],
        ["crossvalidate", "no_such", "--out", "x"],
        ["evaluate", "no_such"],
        ["evaluate", ".", "--data", "no_such"],
        ["export", "no_such", "--out", "x"],
        ["inspect", "no_such"],
        ["predict", "no_such", "clip.mp4"],
        ["train", "no_such", "--out", "x"],
        ["verify", ".", "no_such"],
        ["decide", "no_such", "--policy", "no_such.json"],
        ["audit", "no_such"],
        ["evaluate", "--help"],
    ],
    ids=" ".join,
)
def test_what_is_said_before_any_work_is_said_without_tensorflow(arguments, tmp_path):
    code, imported = in_a_new_process(arguments, tmp_path)
    assert code == (0 if "--help" in arguments else 2)
    assert imported <= {f"vidmodel_tf.commands.{name}" for name in (*SHARED, arguments[0].replace("-", "_"))}


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(f"\n    {name}" in printed for name in COMMANDS)


def defaults_of(command, *arguments):
    return vars(build_parser([command]).parse_args([command, *arguments]))


def test_defaults_are_those_of_the_library():
    from vidmodel_tf.evaluation.crossvalidate import crossvalidate
    from vidmodel_tf.evaluation.evaluate import evaluate
    from vidmodel_tf.serving.endpoint import Endpoint
    from vidmodel_tf.serving.predict import BATCH_SIZE

    options = defaults_of("crossvalidate", "data", "--out", "run")
    expected = {name: value.default for name, value in inspect.signature(crossvalidate).parameters.items()}
    assert options["folds"] == expected["num_folds"]
    assert options["seeds"] == expected["num_seeds"]
    assert options["workers"] == expected["num_workers"]
    assert defaults_of("evaluate", "run")["split"] == inspect.signature(evaluate).parameters["split"].default
    options = defaults_of("serving-client", "host:1", "model", "clip.mp4", "--settings", "run")
    assert options["deadline"] == Endpoint("host:1", "model").deadline_seconds
    assert options["batch_size"] == BATCH_SIZE


@pytest.mark.parametrize("command", ["train", "crossvalidate"])
def test_everyday_flags_name_the_defaults_of_the_settings(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for default in (ModelConfig().backbone, ModelConfig().weights, TrainConfig().epochs, TrainConfig().seed):
        assert f"(default: {default})" in printed


@pytest.mark.parametrize("arguments", [["-clip.mp4"], ["a.mp4", "-clip.mp4"]])
def test_a_file_name_with_a_dash_first(arguments, capsys):
    with pytest.raises(SystemExit):
        main(["predict", "run", *arguments])
    error = capsys.readouterr().err
    assert "write -- before a file whose name begins with a dash: -- -clip.mp4" in error
    assert build_parser().parse_args(["predict", "run", "--", "-clip.mp4"]).files == ["-clip.mp4"]


def test_no_hint_of_dashes_for_other_mistakes(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "run", "--txt=a.b", "clip.mp4"])
    assert "begins with a dash" not in capsys.readouterr().err


def test_a_video_given_for_the_model(capsys):
    assert main(["predict", "clip.mp4", "runs/fights"]) == 2
    assert "did you mean `vidmodel predict runs/fights clip.mp4`?" in capsys.readouterr().err
