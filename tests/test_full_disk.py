"""A disk that is full: one line and exit code 1, nothing half-written, and the same command goes on when there is room.

Files of more than so many bytes are refused by the system, with the words "File too large": for a process that is the
same as a full disk, and needs no disk of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from vidmodel_tf.cli import main
from vidmodel_tf.config import to_mapping
from vidmodel_tf.errors import disk_failure
from vidmodel_tf.run_folder.run import load_run

SMALL = 30_000  # bytes: less than a shard, the weights or an export needs


WITH_LIMIT = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
runpy.run_module("vidmodel_tf", run_name="__main__", alter_sys=True)
"""


def run(*arguments, file_bytes=resource.RLIM_INFINITY):
    command = [sys.executable, "-c", WITH_LIMIT, str(file_bytes), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def one_line(result, command):
    """The last line on standard error: TensorFlow's own log may stand above."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    line = result.stderr.splitlines()[-1]
    assert line.startswith(f"vidmodel {command}: ")
    assert "File too large" in line
    return line


def write_config(folder, **sections):
    path = folder / "config.json"
    path.write_text(json.dumps({name: to_mapping(section) for name, section in sections.items()}))
    return path


@pytest.mark.slow
def test_prepare(clips_csv, tmp_path):
    config, out = write_config(tmp_path, prepare=PREPARE), tmp_path / "data"
    one_line(run("prepare", clips_csv, "--out", out, "--config", config, file_bytes=SMALL), "prepare")
    assert not out.exists()
    assert not list((tmp_path / "data.partial").glob("**/.train*"))
    assert run("prepare", clips_csv, "--out", out, "--config", config).returncode == 0


@pytest.mark.slow
def test_train(data_set, tmp_path):
    config, out = write_config(tmp_path, model=MODEL, train=TRAIN), tmp_path / "run"
    one_line(run("train", data_set, "--out", out, "--config", config, file_bytes=SMALL), "train")
    assert not list(out.glob("checkpoints/*")), "half-written weights"
    assert run("train", data_set, "--out", out, "--config", config).returncode == 0
    assert np.isfinite(load_run(out).load_model().count_params())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["saved_model", "tflite", "onnx", "openvino"])
def test_export(run_dir, tmp_path, kind):
    out = tmp_path / "model"
    one_line(run("export", run_dir, "--out", out, "--format", kind, file_bytes=SMALL), "export")
    assert not [path for path in out.glob("**/*") if path.is_file()]


WRITE_TWO = """
import pathlib, resource, sys
from vidmodel_tf.storage import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
with atomic_write("fits", num_bytes=1000) as beside:
    beside.write_text("words")
with atomic_write("large", num_bytes=1001):
    print("began to write")
"""


def test_no_room_is_known_before_a_library_writes(tmp_path):
    done = subprocess.run([sys.executable, "-c", WRITE_TWO], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == ""
    assert done.stderr.endswith("OSError: [Errno 27] File too large\n")
    assert [path.name for path in tmp_path.iterdir()] == ["fits"]
    assert (tmp_path / "fits").read_text() == "words"


def raised_from(inner):
    try:
        raise ValueError("cannot save") from inner
    except ValueError as error:
        return error


def raised_while(inner):
    try:
        try:
            raise inner
        except OSError:
            return {}["name"]
    except KeyError as error:
        return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("a.tfrecord; No space left on device"), "a.tfrecord; No space left on device"),
        (
            raised_from(OSError("errno = 28, error message = 'No space left on device'")),
            "errno = 28, error message = 'No space left on device",
        ),
        (RuntimeError("/data/x;\n Read-only file system"), "/data/x; Read-only file system"),
        (
            RuntimeError("{{function_node __wrapped__/x/}} /tmp/part; File too large [Op:Save]"),
            "/tmp/part; File too large",
        ),
        (RuntimeError("the shapes differ"), None),
        (raised_while(PermissionError(13, "Permission denied")), None),  # a fault of ours on the way
    ],
)
def test_what_libraries_say_of_a_disk(error, expected):
    found = disk_failure(error)
    assert found == expected


def test_one_line_for_what_a_library_says(monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("/data/a.tfrecord; No space left on device")

    monkeypatch.setattr("vidmodel_tf.commands.prepare.run", fail)
    assert main(["prepare", "clips", "--out", "data/clips"]) == 1
    assert capsys.readouterr().err == "vidmodel prepare: /data/a.tfrecord; No space left on device\n"
