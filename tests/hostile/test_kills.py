"""A tenth of the kills and signals, for the continuous integration, and the comparison that they rest on."""

from __future__ import annotations

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.hostile.same_content import differences
from tests.hostile.signals import ARGUMENTS
from tests.hostile.subjects import KILLED, ROOT
from vidmodel_tf.commands.parser import COMMANDS

FILES = ("data/a.tfrecord", "run/logs/events", "run/.config.ab_d4567.json", "run/config.json", ".cache/words/a.json")


@pytest.fixture
def folders(tmp_path):
    """Two folders with the same content."""
    for folder in (tmp_path / "one", tmp_path / "other"):
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("content")
        with h5py.File(folder / "run" / "a.weights.h5", "w") as file:
            file["layers/dense/vars/0"] = np.arange(3.0)
    return tmp_path / "one", tmp_path / "other"


def test_folders_that_are_the_same(folders):
    assert differences(*folders) == []


@pytest.mark.parametrize("name", FILES)
def test_a_changed_and_a_missing_file(folders, name):
    is_compared = name in ("data/a.tfrecord", "run/config.json")
    (folders[1] / name).write_text("changed")
    assert differences(*folders) == ([f"{name}: other bytes"] if is_compared else [])
    (folders[1] / name).unlink()
    assert differences(*folders) == ([f"{name}: only in one of them"] if is_compared else [])


def test_changed_weights(folders):
    with h5py.File(folders[1] / "run" / "a.weights.h5", "a") as file:
        file["layers/dense/vars/0"][1] = 1.00001
    assert differences(*folders) == ["run/a.weights.h5: other values"]


def test_all_kills_are_shared_out():
    assert sum(subject.share for subject in KILLED) == pytest.approx(1.0)


def test_every_command_is_sent_signals():
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.mark.slow
def test_a_tenth_of_the_kills_and_signals(tmp_path):
    command = [sys.executable, "-m", "tests.hostile.kills", "--share", "0.1"]
    results = tmp_path / "results.json"
    done = subprocess.run([*command, "--json", str(results)], cwd=ROOT, capture_output=True, text=True)
    assert results.exists(), done.stderr[-3000:]
    found = json.loads(results.read_text())
    assert [each for each in found["kills"] if each["faults"] or each["left"]] == []
    assert [each for each in found["signals"] if each["fault"] or each["left"]] == []
    assert sum(each["kills"] for each in found["kills"]) >= 6
    assert found["signals"]
