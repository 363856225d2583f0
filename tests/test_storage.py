import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import atomic_folder, atomic_write, read_json, read_text, remove_leftovers_of, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError, match="half-way"), atomic_write(path) as beside:
        beside.write_text("half")
        raise RuntimeError("half-way")
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "film [1].mp4"
    with atomic_write(path) as beside:
        left = tmp_path / beside.name
    others = [tmp_path / name for name in (".bashrc", ".film [1].key", ".film [1].partial.npz", ".film 1.abcdefgh.mp4")]
    for one in (left, *others):
        one.touch()
        os.utime(one, (0, 0))
    remove_leftovers_of(path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])
    left.touch()
    remove_leftovers_of(path)
    assert left.exists()  # another process may be writing there now
    remove_leftovers_of(path, unused_seconds=0.0)
    assert not left.exists()


def test_a_folder_is_replaced_whole(tmp_path):
    for content in ("old", "new"):
        with atomic_folder(tmp_path / "deep" / "a") as folder:
            assert list(folder.iterdir()) == []
            (folder / content).write_text(content)
    assert [path.name for path in (tmp_path / "deep" / "a").iterdir()] == ["new"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with pytest.raises(RuntimeError, match="half-way"), atomic_folder(tmp_path / "a"):
        raise RuntimeError("half-way")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["a", "a/old"]


KILLED = """
import os, pathlib, sys
from vidmodel_tf.storage import atomic_folder
rename, num_left = pathlib.Path.rename, int(sys.argv[2])
def rename_or_die(self, target):
    global num_left
    num_left -= 1
    if num_left < 0:
        os._exit(9)
    return rename(self, target)
pathlib.Path.rename = rename_or_die
with atomic_folder(sys.argv[1]) as folder:
    (folder / "new").touch()
"""


@pytest.mark.parametrize(("num_renames", "kept"), [(0, "old"), (1, "old"), (2, "new")])
def test_a_kill_at_any_rename_loses_no_folder(tmp_path, num_renames, kept):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a"), str(num_renames)])
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "a"):
        raise RuntimeError
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["a", f"a/{kept}"]


def test_the_suffix_is_kept_and_others_may_read(tmp_path):
    with atomic_write(tmp_path / "deep" / "m.weights.h5") as beside:
        assert beside.name.endswith(".weights.h5")
        assert beside.parent == tmp_path / "deep"
        beside.write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "deep" / "m.weights.h5").stat().st_mode) == 0o644


def test_json_is_unicode_and_refuses_nan(tmp_path):
    write_json(tmp_path / "a.json", {"名": "é"})
    assert "名" in (tmp_path / "a.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_by_its_mark(tmp_path, encoding):
    text = "Привет, 世界 🎬\r\nzweite Zeile"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_text(path) == text


def test_big_endian_utf16(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xfe\xff" + "世界".encode("utf-16-be"))
    assert read_text(path) == "世界"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ok\nna\xefve", r"a\.txt is not UTF-8: .*byte 0xef in line 2; save the file as UTF-8"),
        ("你好\n世界".encode("gbk"), r"a\.txt is not UTF-8: .*in line 1;"),
        (b"\xff\xfe" + "ok\nno".encode("utf-16-le") + b"\x00", r"a\.txt is not UTF-16: .*byte 0x00 in line 2;"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", r"pointer of Git LFS.*git lfs pull"),
    ],
)
def test_other_encodings_and_pointers_are_refused_by_name(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_text(path)


def test_text_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.txt: No such file"):
        read_text(tmp_path / "none.txt")


@pytest.mark.parametrize("read", [read_text, read_json])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_refused(tmp_path, read, kind):
    path = Path("/dev/zero") if kind == "device" else tmp_path / "a.json"
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(InputError, match=rf"{path.name}: expected a file. Received: a pipe, a device or a socket"):
        read(path)


def test_a_text_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("é" * 1000)
    assert read_text(path, max_bytes=2000) == "é" * 1000
    with pytest.raises(InputError, match=r"a\.txt: expected at most 1,999 bytes. Received: 2,000"):
        read_text(path, max_bytes=1999)


def test_json_that_nests_too_deeply_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match=r"a\.json is not JSON: maximum recursion depth"):
        read_json(tmp_path / "a.json")
