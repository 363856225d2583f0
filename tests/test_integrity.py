"""`SHA256SUMS`: what is changed, missing or foreign in a folder of ours is refused by name."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vidmodel_tf import integrity
from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import NAME, Content, check_sums, compare, read_sums, write_sums

CONTENT = Content(("weights.bin", "labels.txt", "parts/*"), "make it anew")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "parts").mkdir()
    for name in ("weights.bin", "labels.txt", "parts/1", "parts/2"):
        (tmp_path / name).write_text(name)
    (tmp_path / "notes.txt").write_text("not ours")
    write_sums(tmp_path, CONTENT)
    return tmp_path


def test_sha256sum_reads_it(folder):
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    told = subprocess.run(["sha256sum", "-c", NAME], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert told == "labels.txt: OK\nparts/1: OK\nparts/2: OK\nweights.bin: OK\n"


def test_what_is_whole_is_accepted_and_other_files_do_not_count(folder):
    check_sums(folder, CONTENT)
    (folder / "notes.txt").write_text("changed")
    (folder / ".parts.tmp").touch()
    check_sums(folder, CONTENT)


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def exchange(path: Path) -> None:
    shutil.copyfile(path.parent / "labels.txt", path)


@pytest.mark.parametrize("is_checked_before", [False, True])
@pytest.mark.parametrize(
    ("damage", "what"),
    [(change, "changed"), (cut, "changed"), (empty, "changed"), (exchange, "changed"), (Path.unlink, "missing")],
)
def test_damage_is_refused_by_name(folder, damage, what, is_checked_before):
    if is_checked_before:
        check_sums(folder, CONTENT)
    damage(folder / "weights.bin")
    with pytest.raises(InputError, match=rf"{folder}: expected .*Received: weights\.bin \({what}\); make it anew$"):
        check_sums(folder, CONTENT)


def test_a_foreign_file_is_to_be_moved(folder):
    (folder / "parts" / "3").touch()
    with pytest.raises(InputError, match=r"Received: parts/3 \(foreign\); move what is foreign elsewhere"):
        check_sums(folder, CONTENT)


def test_many_faults_are_one_line(folder):
    shutil.rmtree(folder / "parts")
    for name in "abcd":
        (folder / "parts").mkdir(exist_ok=True)
        (folder / "parts" / name).touch()
    with pytest.raises(InputError, match=r"parts/1 \(missing\), parts/2 \(missing\), .*, 2 more; make it anew$"):
        check_sums(folder, CONTENT)


def test_contents_are_read_once(folder, monkeypatch):
    check_sums(folder, CONTENT)
    monkeypatch.setattr(integrity, "file_sha256", None)
    check_sums(folder, CONTENT)


def test_they_are_read_each_time_where_nothing_can_be_remembered(folder, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIDMODEL_CACHE", str(tmp_path / "file" / "cache"))
    check_sums(folder, CONTENT)
    check_sums(folder, CONTENT)
    change(folder / "parts" / "1")
    with pytest.raises(InputError, match="changed"):
        check_sums(folder, CONTENT)


def test_reading_anew_finds_what_keeps_its_size_and_time(folder):
    check_sums(folder, CONTENT)
    times = (folder / "parts" / "1").stat()
    change(folder / "parts" / "1")
    os.utime(folder / "parts" / "1", ns=(times.st_atime_ns, times.st_mtime_ns))
    checked = compare(folder, CONTENT, read_sums(folder) or {})
    assert checked.num_whole == 3
    assert [(fault.name, fault.what) for fault in checked.faults] == [("parts/1", "changed")]


def test_a_folder_without_sums_is_accepted_with_a_line(folder, capsys):
    (folder / NAME).unlink()
    check_sums(folder, CONTENT)
    check_sums(folder, CONTENT)
    assert capsys.readouterr().err == f"{folder}: made by an older version, without {NAME}: its files are not checked\n"


@pytest.mark.parametrize(
    "line", ["", "abc  labels.txt", "0" * 64 + "  /etc/passwd", "0" * 64 + "  ../labels.txt", "\0"]
)
def test_damaged_sums_are_named(folder, line):
    path = folder / NAME
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=rf"{path}: it was damaged: .* in line 5; fetch the folder again"):
        check_sums(folder, CONTENT)


def test_sums_that_are_empty_make_all_files_foreign(folder):
    (folder / NAME).write_text("")
    with pytest.raises(InputError, match=r"labels\.txt \(foreign\)"):
        check_sums(folder, CONTENT)


def test_a_pointer_of_git_lfs_is_named_as_such(folder):
    (folder / "parts" / "2").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match="run 'git lfs pull'"):
        check_sums(folder, CONTENT)


def test_a_file_that_is_still_to_take_its_place_is_listed(folder):
    (folder / "weights.bin").rename(folder / ".weights.tmp")
    write_sums(folder, CONTENT, {"weights.bin": folder / ".weights.tmp"})
    (folder / ".weights.tmp").rename(folder / "weights.bin")
    check_sums(folder, CONTENT)
