"""Data sets and runs that may be read and not written."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture(scope="module")
def places(data_set, run_dir, tmp_path_factory):
    """A data set and a run that nobody may write to, and a folder for the user's cache."""
    folder = tmp_path_factory.mktemp("read_only")
    for name, source in (("data", data_set), ("run", run_dir)):
        shutil.copytree(
            source, folder / name, ignore=shutil.ignore_patterns("features", "contact_sheet.png", "evaluation")
        )
    before = snapshot(folder)
    for path in [folder / "data", folder / "run", *folder.glob("*/**/*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    assert snapshot(folder) == before
    for path in [folder / "data", folder / "run", *folder.glob("*/**/*")]:
        path.chmod(0o755)


def snapshot(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for name in ("data", "run") for path in (folder / name).rglob("*")}


def without_rights() -> None:
    """Root may write anywhere, but for this."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def run(places, *arguments, command=("-m", "vidmodel_tf")):
    environment = {**os.environ, "VIDMODEL_CACHE": str(places / "cache")}
    words = [sys.executable, *command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=environment, preexec_fn=without_rights)


@pytest.mark.slow
def test_a_data_set_is_inspected(places):
    done = run(places, "inspect", places / "data", "--json")
    assert done.returncode == 0, done.stderr
    sheet = Path(json.loads(done.stdout)["contact_sheet"])
    assert sheet.is_relative_to(places / "cache")
    assert sheet.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_run_is_evaluated(places):
    done = run(places, "evaluate", places / "run", "--data", places / "data", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["num_clips"]
    assert f"{places / 'run'} cannot be written: the result is not kept there" in done.stderr


ENCODE = """
import sys
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.backbones import build_backbone
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.training.encoded_files import encoded_files

config = ModelConfig(backbone="small_cnn", weights="none", num_frames=4, height=32, width=40)
cnn = build_backbone("small_cnn", 32, 40, "none")
files = encoded_files(open_data_set(sys.argv[1]), "test", cnn, config, views=["plain"])
print(*files.records.paths[0])
"""


@pytest.mark.slow
def test_features_are_cached_elsewhere(places):
    done = run(places, places / "data", command=("-c", ENCODE))
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[-1])
    assert path.is_relative_to(places / "cache" / "of_read_only")
    assert path.is_file()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["prepare", "train", "export"])
def test_a_place_that_cannot_be_written_is_one_line(places, clips_csv, command):
    source = {"prepare": clips_csv, "train": places / "data", "export": places / "run"}[command]
    settings = ["--set", "model.num_frames=4"] if command == "train" else []
    done = run(places, command, source, "--out", places / "data" / "new", *settings)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"vidmodel {command}: {places / 'data' / 'new'}"), last
    assert "Permission denied" in last
