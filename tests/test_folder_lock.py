"""A folder that one process at a time writes into: what the second is told, and that no lock outlives its process."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.crossvalidate import crossvalidate
from vidmodel_tf.folder_lock import NAME, locked
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.training.train import train

HOLD = """
import pathlib, sys, time
from vidmodel_tf.folder_lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder `out`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_process_is_told_who_writes_there(tmp_path, holder):
    expected = rf"out is being written by process {holder.pid} on '.+' \(-c\): wait until it has ended, or name"
    with pytest.raises(InputError, match=expected), locked(tmp_path / "out"):
        pass
    assert json.loads((tmp_path / "out" / NAME).read_text())["process"] == holder.pid


def test_no_argument_is_written_for_it_may_hold_a_password(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/vidmodel", "watch", "runs/a", "rtsp://admin:s3cret@cam/1"])
    with locked(tmp_path / "out"):
        text = (tmp_path / "out" / NAME).read_text()
    assert json.loads(text)["command"] == "vidmodel watch"
    assert "s3cret" not in text


def test_a_killed_process_leaves_no_lock(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "out"):
        assert json.loads((tmp_path / "out" / NAME).read_text())["process"] == os.getpid()


@pytest.mark.parametrize("error", [None, ValueError])
def test_nothing_is_left_behind(tmp_path, error):
    with pytest.raises(error) if error else locked(tmp_path / "other"), locked(tmp_path / "out"):
        if error:
            raise error
    assert not (tmp_path / "out").exists()
    (tmp_path / "there").mkdir()
    with locked(tmp_path / "there"), locked(tmp_path / "out"):
        (tmp_path / "out" / "result").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result"]
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_may_be_removed_while_it_is_held(tmp_path):
    with locked(tmp_path / "out"):
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / NAME).write_text("of another")
    assert (tmp_path / "out" / NAME).read_text() == "of another"


def test_a_lock_that_its_holder_removes_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    flock, path = fcntl.flock, tmp_path / "out" / NAME

    def remove_first(file, operation):
        flock(file, operation)
        if not removed:
            removed.append(path.unlink())

    removed = []
    monkeypatch.setattr(fcntl, "flock", remove_first)
    with locked(tmp_path / "out"):
        assert path.exists()
        monkeypatch.setattr(fcntl, "flock", flock)
        with pytest.raises(InputError, match="is being written by process"), locked(tmp_path / "out"):
            pass


def test_without_locks_a_warning_and_the_work(tmp_path, monkeypatch, capsys):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "out"):
        assert "out is on a file system without locks (No locks available): see to it" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError), locked(tmp_path / "file" / "out"):
        pass


def test_one_run_of_a_command_at_a_time(tmp_path, data_set, clips_csv):
    out = tmp_path / "out"
    calls = (
        lambda: train(data_set, out, MODEL, TRAIN),
        lambda: crossvalidate(data_set, out, MODEL, TRAIN, num_folds=2, num_seeds=1),
        lambda: prepare(clips_csv, tmp_path / "data", PREPARE),
    )
    with locked(out), locked(tmp_path / "data.partial"):
        for call in calls:
            with pytest.raises(InputError, match=rf"is being written by process {os.getpid()} on "):
                call()
    assert not out.exists()
