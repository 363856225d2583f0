"""The log of live sources: whole lines, unique ids, and what a killed run left open is ended."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.largest_file import largest_file
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.live.event_log import NAME, EventLog


def read(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / NAME).read_text(encoding="utf-8").splitlines()]


def open_log(folder: Path) -> EventLog:
    return EventLog(folder, warn=pytest.fail)


def test_a_line_is_there_at_once(tmp_path):
    log = open_log(tmp_path / "new" / "folder")
    written = log.write("门口", "lost", reason="timed out")
    (line,) = read(tmp_path / "new" / "folder")
    assert line == json.loads(written)
    assert (line["source"], line["type"], line["event"], line["reason"]) == ("门口", "lost", None, "timed out")
    assert datetime.datetime.fromisoformat(line["time"]).tzinfo is not None
    log.close()


def test_shown_in_short(tmp_path):
    shown = []
    log = EventLog(tmp_path, pytest.fail, shown.append)
    log.write("cam1", "start", "a-1", rule="fight", score=0.8)
    log.close()
    assert shown[0].endswith(" cam1 start fight 0.8")


def test_a_restart_ends_what_was_open_and_goes_on_counting(tmp_path):
    log = open_log(tmp_path)
    first, second = log.new_id(), log.new_id()
    log.write("cam1", "start", first, rule="fight", score=0.7)
    log.write("cam1", "start", second, rule="fire", score=0.9)
    log.write("cam1", "end", second, rule="fire")
    log.write("cam1", "update", first, rule="fight", score=0.8)
    log.close()
    log = open_log(tmp_path)
    end = read(tmp_path)[-1]
    assert (end["source"], end["type"], end["event"], end["reason"]) == ("cam1", "end", first, "restart")
    assert (end["rule"], end["score"]) == ("fight", 0.8)
    assert len({first, second, log.new_id()}) == 3
    log.close()
    open_log(tmp_path).close()
    assert len(read(tmp_path)) == 5  # nothing is ended twice


def test_ids_go_on_after_the_log_was_moved_away(tmp_path, monkeypatch):
    times = iter([datetime.datetime(2026, 1, 1, second=number, tzinfo=datetime.UTC) for number in range(9)])
    monkeypatch.setattr("vidmodel_tf.live.event_log._now", lambda: next(times))
    ids = []
    for _ in range(2):
        log = open_log(tmp_path)
        ids.append(log.new_id())
        log.write("cam1", "start", ids[-1])
        log.close()
        (tmp_path / NAME).unlink()
    assert ids[0] != ids[1]


@pytest.mark.parametrize("rest", [b'{"time": "2026', b"\xff\xfe" * 70_000])
def test_half_a_line_is_cut_off(tmp_path, rest):
    log = open_log(tmp_path)
    log.write("cam1", "connected")
    log.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(rest)
    log = open_log(tmp_path)
    log.write("cam1", "lost")
    log.close()
    assert [line["type"] for line in read(tmp_path)] == ["connected", "lost"]


def test_a_log_of_half_a_line_alone(tmp_path):
    (tmp_path / NAME).write_bytes(b'{"time"')
    open_log(tmp_path).close()
    assert (tmp_path / NAME).read_bytes() == b""


def test_a_damaged_line_is_told_and_passed_over(tmp_path):
    (tmp_path / NAME).write_text('{"type": "start", "event": "x-7", "source": "cam1"}\nwords\n[1]\n')
    warnings = []
    log = EventLog(tmp_path, warnings.append)
    assert [warning.split(": ")[1] for warning in warnings] == [
        "line 2 is not a JSON object; it is passed over",
        "line 3 is not a JSON object; it is passed over",
    ]
    assert log.new_id().endswith("-8")
    log.close()


def test_one_watch_a_folder(tmp_path):
    log = open_log(tmp_path)
    script = (
        "import sys, pathlib; from vidmodel_tf.live.event_log import EventLog; "
        f"EventLog(pathlib.Path({str(tmp_path)!r}), print)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "is being written by process" in result.stderr
    with pytest.raises(InputError, match="is being written by process"):
        open_log(tmp_path)
    log.close()


def test_a_full_disk_is_one_clear_line(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    log = open_log(tmp_path)
    log.close()
    with (
        Path("/dev/full").open("ab", buffering=0) as log._file,
        pytest.raises(VidmodelError, match=r"events.jsonl cannot be written \(No space left on device\)"),
    ):
        log.write("cam1", "lost")


def test_a_write_that_fails_halfway_leaves_no_half_line(tmp_path):
    log = open_log(tmp_path)
    log.write("cam1", "connected")
    with largest_file(log.path.stat().st_size + 20), pytest.raises(VidmodelError, match="cannot be written"):
        log.write("cam1", "lost")
    log.write("cam1", "connected")
    log.close()
    lines = [json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines()]
    assert [line["type"] for line in lines] == ["connected", "connected"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VidmodelError, match=r"file.* cannot be written \("):
        open_log(tmp_path / "file" / "folder")
