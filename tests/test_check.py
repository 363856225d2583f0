"""`vidmodel check` reads everything anew, says how many files are whole, and names what is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import NAME, Content, atomic_write_with_sum, check_sums, write_sums
from vidmodel_tf.records import layout as data_set
from vidmodel_tf.run_folder import layout

KINDS: dict[str, tuple[Content, tuple[str, ...]]] = {
    "data": (data_set.CONTENT, (data_set.FEATURES, data_set.INFO, "d-train.tfrecord-00000-of-00001")),
    "run": (layout.CONTENT, (layout.CONFIG, layout.LABELS, layout.WEIGHTS, "examples/0/000.jpg")),
    "versions/1": (layout.CONTENT_OF_VERSION, (layout.GRAPH, "variables/variables.index")),
    "versions/tflite": (layout.CONTENT_OF_FILES, (layout.CONFIG, "float32.tflite")),
    "versions/openvino": (layout.CONTENT_OF_FILES, (layout.CONFIG, *layout.OPENVINO_FILES[:2])),
}


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, (content, files) in KINDS.items():
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(file)
        write_sums(tmp_path / name, content)
    return tmp_path


def paths(folder):
    return [str(folder / name) for name in ("data", "run", "versions")]


def test_all_are_whole(folder, capsys):
    assert main(["check", *paths(folder)]) == 0
    assert capsys.readouterr().out == "14 files in 5 folders are whole\n"


@pytest.mark.parametrize("name", [f"{name}/{file}" for name, (_, files) in KINDS.items() for file in files])
@pytest.mark.parametrize("what", ["changed", "missing"])
def test_what_is_not_is_named(folder, capsys, name, what):
    path = folder / name
    path.unlink() if what == "missing" else path.write_text("other")
    assert main(["check", *paths(folder)]) == 2
    expected = f"vidmodel check: 1 files are not as they were written, 13 are whole\n  {path}: {what}\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        ("data", "e-train.tfrecord-00000-of-00001"),
        ("data", "labels-x.labels.txt"),
        ("run", "vocabulary.txt"),
        ("run", "examples/0/001.jpg"),
        ("versions/1", "variables/variables.data-00000-of-00001"),
        ("versions/tflite", "int8.tflite"),
        ("versions/openvino", "bfloat16.bin"),
    ],
)
def test_foreign_files_are_named(folder, capsys, name, foreign):
    (folder / name / foreign).touch()
    assert main(["check", str(folder / name), "--json"]) == 2
    (found,) = json.loads(capsys.readouterr().out)
    assert found["path"] == str(folder / name)
    assert found["num_whole"] == len(KINDS[name][1])
    assert found["faults"] == [{"name": foreign, "what": "foreign"}]


def test_what_is_remembered_is_not_believed_and_then_forgotten(folder, capsys):
    path = folder / "run" / "labels.json"
    check_sums(path.parent, layout.CONTENT)
    times = path.stat()
    path.write_text("LABELS.JSON")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    check_sums(path.parent, layout.CONTENT)  # nothing to be seen without reading it
    assert main(["check", str(path.parent)]) == 2
    with pytest.raises(ValueError, match=r"labels\.json \(changed\)"):
        check_sums(path.parent, layout.CONTENT)


def test_shards_of_a_feature_cache_have_sums_of_their_own(folder, capsys):
    path = folder / "data" / "features" / "0a1b" / "plain" / "d-train.tfrecord-00000-of-00001"
    with atomic_write_with_sum(path) as beside:
        beside.write_text("encodings")
    assert main(["check", str(folder / "data")]) == 0
    assert capsys.readouterr().out == "4 files in 2 folders are whole\n"
    path.write_text("encoding?")
    assert main(["check", str(folder / "data")]) == 2
    assert capsys.readouterr().err.endswith(f"  {path}: changed\n")


@pytest.mark.parametrize("is_there", [True, False])
def test_what_has_no_sums_is_told(folder, capsys, is_there):
    path = folder / "run"
    (path / NAME).unlink()
    if not is_there:
        shutil.rmtree(path)
    assert main(["check", str(path)]) == 2
    said = f" with {NAME}. Received: none" if is_there else ". There is nothing at this path"
    assert f"vidmodel check: {path}: expected a data set, a run or an export{said}" in capsys.readouterr().err


@pytest.mark.parametrize("name", KINDS)
def test_among_others_that_have_sums_it_is_named(folder, capsys, name):
    (folder / name / NAME).unlink()
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr()
    assert f"files in {len(KINDS) - 1} folders are whole" in said.out
    assert said.err == f"{folder / name}: made by an older version, without {NAME}: its files are not checked\n"


def test_what_other_programs_leave_is_not_foreign(folder):
    for name in ("examples/0/Thumbs.db", "examples/.ipynb_checkpoints/000.jpg", "examples/0/.hidden/000.jpg"):
        (folder / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "run" / name).write_text("")
    check_sums(folder / "run", layout.CONTENT)
    (folder / "run/examples/0/001.jpg").write_text("")
    with pytest.raises(InputError, match=r"examples/0/001\.jpg \(foreign\)"):
        check_sums(folder / "run", layout.CONTENT)


def test_a_folder_of_folders_is_searched_to_the_ground(folder, capsys):
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out == "14 files in 5 folders are whole\n"


def test_what_was_just_written_is_not_read_again_in_another_place(folder, monkeypatch):
    (folder / "data").rename(folder / "moved")
    monkeypatch.setattr("vidmodel_tf.integrity.file_sha256", None)
    check_sums(folder / "moved", data_set.CONTENT)
