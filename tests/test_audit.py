from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.largest_file import largest_file
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.audit import AuditLog, AuditRecord, check_audit

RECORD = AuditRecord(
    time="2026-01-02T03:04:05+00:00",
    video="/films/雨.mp4",
    video_sha256="ab" * 32,
    decision="reject",
    rule="fight",
    head="label",
    label="打架",
    score=0.9123,
    threshold=0.6,
    seconds=2.5,
    event="e1",
    model="0123456789abcdef",
    policy="fedcba9876543210",
)


def record(number):
    return dataclasses.replace(RECORD, event=f"e{number}")


@pytest.fixture
def path(tmp_path):
    """A log of six lines."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append(record(1))
    log.append(record(2), record(3))
    for number in (4, 5, 6):
        AuditLog(path).append(record(number))
    return path


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


def test_lines_are_what_other_programs_can_check(path):
    previous = "0" * 64
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        value = json.loads(line)
        assert value == {"number": number, "previous": previous, **record(number).to_json()}
        assert "打架" in line
        previous = hashlib.sha256(line.encode()).hexdigest()
    report = check_audit(path)
    assert report.to_json() == {"lines": 6, "last_hash": previous, "fault": None}


def edit(line, **values):
    return json.dumps({**json.loads(line), **values}).encode() + b"\n"


def rewritten(lines):
    """Numbers and hashes as somebody would give them who knows how the log is made."""
    previous, result = "0" * 64, []
    for number, line in enumerate(lines, 1):
        result.append(edit(line, number=number, previous=previous))
        previous = hashlib.sha256(result[-1].rstrip(b"\n")).hexdigest()
    return result


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (lambda old: [edit(old[0], decision="accept"), *old[1:]], 1, "was changed: line 2 holds another hash"),
        (lambda old: [*old[:2], edit(old[2], score=0.1), *old[3:]], 3, "was changed: line 4 holds another hash"),
        (lambda old: [*old[:2], old[2].replace(b"0.9123", b"0.9124"), *old[3:]], 3, "was changed: line 4 holds"),
        (lambda old: [*old[:2], edit(old[2], previous="0" * 64), *old[3:]], 3, "was changed: it does not fit line 2"),
        (lambda old: [edit(old[0], previous="1" * 64), *old[1:]], 1, "was changed: it is not the first"),
        (lambda old: [*old[:4], edit(old[4], score=0.1), old[5]], 5, "was changed, or line 6 was"),
        (lambda old: old[1:], 1, "is missing here: record 2 stands in its place"),
        (lambda old: [*old[:2], *old[3:]], 3, "is missing here: record 4 stands in its place"),
        (lambda old: [*old[:3], old[1], *old[3:]], 4, "was inserted or moved: it is record 2"),
        (lambda old: [*old[:1], old[2], old[1], *old[3:]], 2, "is missing here: record 3 stands in its place"),
        (lambda old: [*old[:2], b"{}\n", *old[3:]], 3, "is not a line of an audit log"),
        (lambda old: [*old[:2], b"\n", *old[2:]], 3, "is not a line of an audit log"),
        (lambda old: [*old[:5], old[5][:-20]], 6, "is not complete: it was cut off while it was written"),
        (lambda old: [*old[:5], old[5][:-1]], 6, "is not complete"),
        (lambda old: [*rewritten(old[1:4]), *old[4:]], 4, "is missing here: record 5"),
        (lambda old: [*rewritten([old[0], *old[2:4]]), edit(old[4], number=4), *old[5:]], 4, "was changed"),
    ],
)
def test_the_first_line_that_is_not_as_it_was_written_is_named(change, line, reason, path, capsys):
    path.write_bytes(b"".join(change(lines_of(path))))
    fault = check_audit(path).fault
    assert fault is not None
    assert (fault.line, fault.reason[: len(reason)]) == (line, reason)
    assert main(["audit", str(path)]) == 2
    assert f"{path}: line {line} {reason}" in capsys.readouterr().err
    assert main(["audit", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["fault"]["line"] == line


@given(st.data())
def test_a_changed_byte_before_the_last_line_is_always_found(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    AuditLog(path).append(*map(record, range(1, 5)))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, content.rindex(b"\n", 0, -1) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert check_audit(path).fault is not None


def test_lines_that_were_cut_off_at_the_end_show_in_the_number_and_the_last_hash(path, capsys):
    whole = check_audit(path)
    path.write_bytes(b"".join(lines_of(path)[:4]))
    cut = check_audit(path)
    assert cut.fault is None
    assert (whole.num_lines, cut.num_lines) == (6, 4)
    assert cut.last_hash != whole.last_hash
    assert main(["audit", str(path)]) == 0
    assert f"4 lines in order; the last hash is {cut.last_hash}" in " ".join(capsys.readouterr().out.split())


def test_after_a_line_that_was_cut_off_nothing_is_added(path):
    path.write_bytes(path.read_bytes()[:-7])
    before = path.read_bytes()
    with pytest.raises(InputError, match=rf"Received: one that was cut off .*see `vidmodel audit {path}`"):
        AuditLog(path).append(RECORD)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["path,label\na.mp4,fight\n", "{}\n", "\n"])
def test_other_files_are_not_added_to(content, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(InputError, match="expected an audit log, or no file yet"):
        AuditLog(path).append(RECORD)
    assert path.read_text() == content


def test_a_line_longer_than_what_is_read_at_once(tmp_path):
    path = tmp_path / "audit.jsonl"
    for length in (65_000, 65_536, 200_000, 10):
        AuditLog(path).append(dataclasses.replace(RECORD, video="x" * length))
    assert check_audit(path).to_json()["fault"] is None
    assert check_audit(path).num_lines == 4


def test_a_full_disk_leaves_no_half_line(path, monkeypatch):
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        AuditLog(path).append(RECORD, RECORD)
    monkeypatch.undo()
    assert path.read_bytes() == before


def test_a_write_that_fails_halfway_leaves_nothing(path):
    """The system takes the first bytes of the lines, and refuses the rest."""
    before = path.read_bytes()
    with largest_file(len(before) + 50), pytest.raises(OSError, match="too large"):
        AuditLog(path).append(RECORD, RECORD)
    assert path.read_bytes() == before
    AuditLog(path).append(RECORD)
    assert check_audit(path).fault is None


def test_a_path_that_is_not_unicode(tmp_path):
    AuditLog(tmp_path / "a").append(dataclasses.replace(RECORD, video="film\udcff.mp4"), RECORD)
    assert check_audit(tmp_path / "a").fault is None
    assert json.loads((tmp_path / "a").read_bytes().splitlines()[0])["video"] == "film\udcff.mp4"


def append_many(path, count):
    for number in range(count):
        AuditLog(path).append(record(number))


def test_several_processes_at_once(tmp_path):
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_many, args=(path, 30)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    report = check_audit(path)
    assert (report.fault, report.num_lines) == (None, 90)


def test_a_killed_process_leaves_a_log_that_goes_on(tmp_path):
    path = tmp_path / "audit.jsonl"
    script = f"from tests.test_audit import append_many; append_many({str(path)!r}, 10**9)"
    process = subprocess.Popen([sys.executable, "-c", script])
    while not path.exists() or path.stat().st_size < 20_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    count = check_audit(path).num_lines
    AuditLog(path).append(RECORD)
    report = check_audit(path)
    assert (report.fault, report.num_lines) == (None, count + 1)


def test_a_log_that_is_not_there(tmp_path, capsys):
    assert main(["audit", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl: No such file" in capsys.readouterr().err
