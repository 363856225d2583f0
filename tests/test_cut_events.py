from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_cut_clip import shown
from tests.timeline_documents import make_document, make_event
from tests.videos import write_timed_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines import cut_events as module
from vidmodel_tf.timelines.contact_sheet import contact_sheet
from vidmodel_tf.timelines.cut_clip import cut_ranges
from vidmodel_tf.timelines.cut_events import cut_events
from vidmodel_tf.timelines.cut_folder import CutFolder
from vidmodel_tf.timelines.cut_names import cut_names
from vidmodel_tf.timelines.worker_process import Alive, WorkerProcess

FILM = [number / 25 for number in range(250)]


class InThisProcess:
    """Does the work of a `WorkerProcess` without a process, which takes a second to start."""

    def __init__(self, path, timeout_seconds, function, *arguments):
        told = []
        function(told.append, *arguments)
        self._told = [value for value in told if not isinstance(value, Alive)]

    def receive(self):
        return self._told.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No processes but where a test asks for them."""
    monkeypatch.setattr(module, "WorkerProcess", InThisProcess)
    monkeypatch.setattr(module, "contact_sheet", lambda document, out, **_: out.touch())


@pytest.fixture
def processes(monkeypatch, quick):
    """Processes as users have them."""
    monkeypatch.setattr(module, "WorkerProcess", WorkerProcess)
    monkeypatch.setattr(module, "contact_sheet", contact_sheet)


@pytest.fixture
def film(tmp_path) -> Path:
    return write_timed_video(tmp_path / "film.mp4", FILM, options={"g": "25", "sc_threshold": "0"}, size=(64, 48))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("processes")
def test_each_event_is_a_video(tmp_path, film):
    events = [make_event(1, 1.0, 2.0), make_event(2, 3.0, 3.4, rule="r", label="打架/x")]
    cuts = cut_events(tmp_path / "out", "a", make_document(film, events))
    assert [cut.path.name for cut in cuts] == ["00h00m01s000_fights_fight.mp4", "00h00m03s000_r_打架_x.mp4"]
    assert [(cut.start_seconds, cut.end_seconds) for cut in cuts] == [(1.0, 2.0), (3.0, pytest.approx(3.4))]
    assert [number for number, _ in shown(cuts[0].path)] == list(range(25, 50))
    assert [number for number, _ in shown(cuts[1].path)] == list(range(75, 85))
    assert names(tmp_path / "out" / "a.clips") == [*(cut.path.name for cut in cuts), "clips.json", "events.jpg"]


def test_copies_begin_at_the_key_frame_before_and_say_so(tmp_path, film):
    document = make_document(film, [make_event(1, 1.0, 2.0), make_event(2, 3.4, 3.8)])
    exact = cut_events(tmp_path, "a", document)
    copies = cut_events(tmp_path, "a", document, copy=True)
    assert [cut.path for cut in copies] == [cut.path for cut in exact]  # cut again: those there were of another kind
    assert [cut.start_seconds for cut in copies] == [1.0, 3.0]
    assert [number for number, _ in shown(copies[1].path)][:20] == list(range(75, 95))
    entries = json.loads((tmp_path / "a.clips" / "clips.json").read_text())["files"]
    assert entries[copies[1].path.name]["event"] == [3.4, 3.8]
    assert entries[copies[1].path.name]["start_seconds"] == 3.0
    before = copies[1].path.stat().st_mtime_ns
    assert cut_events(tmp_path, "a", document, copy=True) == copies  # kept
    assert copies[1].path.stat().st_mtime_ns == before
    assert [cut.start_seconds for cut in cut_events(tmp_path, "a", document)] == [1.0, 3.4]


def test_what_mp4_may_not_hold_is_copied_into_matroska(tmp_path):
    path = write_timed_video(tmp_path / "film.webm", FILM[:50], codec="libvpx", size=(64, 48))
    document = make_document(path, [make_event(1, 0.4, 1.0)])
    (cut,) = cut_events(tmp_path, "a", document, copy=True)
    assert cut.path.suffix == ".mkv"
    assert [number for number, _ in shown(cut.path)][:25] == list(range(25))
    (cut,) = cut_events(tmp_path, "a", document)
    assert cut.path.suffix == ".mp4"
    assert not list((tmp_path / "a.clips").glob("*.mkv"))


def test_another_policy_removes_the_old_cuts_and_nothing_else(tmp_path, film):
    first = make_event(1, 1.0, 2.0)
    cut_events(tmp_path, "a", make_document(film, [first, make_event(2, 3.0, 3.4)]))
    folder = tmp_path / "a.clips"
    (folder / "00h00m09s000_mine.mp4").write_bytes(b"mine")
    before = (folder / "00h00m01s000_fights_fight.mp4").stat().st_mtime_ns
    cut_events(tmp_path, "a", make_document(film, [first, make_event(2, 5.0, 5.4)]))
    assert names(folder) == [
        "00h00m01s000_fights_fight.mp4",
        "00h00m05s000_fights_fight.mp4",
        "00h00m09s000_mine.mp4",
        "clips.json",
        "events.jpg",
    ]
    assert (folder / "00h00m01s000_fights_fight.mp4").stat().st_mtime_ns == before  # not cut again
    cut_events(tmp_path, "a", make_document(film, []))
    assert names(folder) == ["00h00m09s000_mine.mp4"]


def test_an_event_that_now_ends_elsewhere_is_cut_again(tmp_path, film):
    cut_events(tmp_path, "a", make_document(film, [make_event(1, 1.0, 2.0)]))
    (cut,) = cut_events(tmp_path, "a", make_document(film, [make_event(1, 1.0, 1.4)]))
    assert [number for number, _ in shown(cut.path)] == list(range(25, 35))


def test_no_events_leave_no_folder(tmp_path, film):
    assert cut_events(tmp_path / "out", "a", make_document(film)) == ()
    cut_events(tmp_path / "out", "a", make_document(film, [make_event()]))
    cut_events(tmp_path / "out", "a", make_document(film))
    assert names(tmp_path / "out") == []


def test_what_was_begun_when_the_process_died_is_cut_again(tmp_path, film, monkeypatch):
    document = make_document(film, [make_event(1, 1.0, 1.4), make_event(2, 3.0, 3.4)])

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(CutFolder, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            cut_events(tmp_path, "a", document)
    entries = json.loads((tmp_path / "a.clips" / "clips.json").read_text())["files"]
    assert entries == {"00h00m01s000_fights_fight.mp4": None, "00h00m03s000_fights_fight.mp4": None}
    assert all(cut.path.is_file() for cut in cut_events(tmp_path, "a", document))


def cut_and_crash(tell, video, parts):
    """Crashes in the event that begins at 3 seconds, when it has written a part of it."""
    for part in parts:
        if part[1] == 3.0:
            with atomic_write(part[0]) as beside:
                beside.write_bytes(b"a part")
                os.kill(os.getpid(), signal.SIGKILL)
        cut_ranges(tell, video, [part])


@pytest.mark.usefixtures("processes")
def test_an_event_that_crashes_the_decoder_does_not_take_the_others(tmp_path, film):
    events = [make_event(number, float(number), number + 0.4) for number in (1, 3, 5)]
    first, crashed, last = cut_events(tmp_path, "a", make_document(film, events), cut=cut_and_crash)
    assert isinstance(crashed, InputError)
    assert str(crashed) == f"{film}: the decoder crashed on it (signal SIGKILL, out of memory?)"
    assert [number for number, _ in shown(last.path)] == list(range(125, 135))
    assert names(tmp_path / "a.clips") == [first.path.name, last.path.name, "clips.json", "events.jpg"]


@pytest.mark.usefixtures("processes")
def test_a_decoder_that_crashes_again_and_again_is_given_up(tmp_path, film, monkeypatch):
    monkeypatch.setattr(module, "MAX_DEATHS", 1)
    events = [make_event(number, float(number), number + 0.4) for number in (1, 3, 5)]
    first, *others = cut_events(tmp_path, "a", make_document(film, events), cut=cut_and_crash)
    assert first.path.is_file()
    assert {str(answer) for answer in others} == {f"{film}: the decoder crashed on it (signal SIGKILL, out of memory?)"}


def test_what_killed_processes_left_is_removed_after_a_day(tmp_path, film):
    document = make_document(film, [make_event(1, 1.0, 1.4)])
    (cut,) = cut_events(tmp_path, "a", document)
    of_now, of_once, of_others = (
        tmp_path / "a.clips" / name
        for name in (f".{cut.path.stem[:20]}.abcdef_0.mp4", ".00h00m01s000_fights_.abcdef_1.mp4", ".mine")
    )
    for path in (of_now, of_once, of_others):
        path.touch()
    for path in (of_once, of_others):
        os.utime(path, (0, 0))
    cut_events(tmp_path, "a", document)
    assert [path.exists() for path in (of_now, of_once, of_others)] == [True, False, True]


def test_one_event_that_cannot_be_cut_does_not_take_the_others(tmp_path, film):
    events = [make_event(1, 20.0, 21.0), make_event(2, 3.0, 3.4)]
    refused, cut = cut_events(tmp_path, "a", make_document(film, events))
    assert isinstance(refused, InputError)
    assert "Received: 20 to 21 seconds" in str(refused)
    assert [number for number, _ in shown(cut.path)] == list(range(75, 85))


def test_a_list_that_names_files_elsewhere_reaches_none(tmp_path, film):
    folder = tmp_path / "a.clips"
    folder.mkdir()
    (folder / "clips.json").write_text(json.dumps({"video": "0", "files": {"../film.mp4": None}}))
    cut_events(tmp_path, "a", make_document(film))
    assert film.exists()


def test_a_damaged_list(tmp_path, film):
    (tmp_path / "a.clips").mkdir()
    (tmp_path / "a.clips" / "clips.json").write_text("[]")
    with pytest.raises(InputError, match=r"expected the list of cuts .* Received: \[\]; delete the folder"):
        cut_events(tmp_path, "a", make_document(film))


def test_a_video_that_has_gone(tmp_path):
    with pytest.raises(InputError, match="There is no such file"):
        cut_events(tmp_path, "a", make_document(tmp_path / "film.mp4", [make_event()]))


@given(st.lists(st.tuples(st.text(), st.text(), st.integers(0, 3)), max_size=6))
def test_any_label_makes_a_name_of_its_own(tmp_path_factory, events):
    folder = tmp_path_factory.getbasetemp()
    made = cut_names([make_event(i, time, 9, rule=rule, label=label) for i, (rule, label, time) in enumerate(events)])
    assert len({name.casefold() for name in made}) == len(events)
    for name in made:
        assert not set(name) & set('/\\:*?"<>|.\0\n\t ')
        (folder / f"{name}.mp4").touch()
        (folder / f"{name}.mp4").unlink()


def test_names_sort_by_time():
    events = [make_event(1, 59.9996, 80), make_event(2, 3600.0, 3601), make_event(3, 36000.0, 36001, label="é" * 300)]
    made = cut_names(events)
    assert [name[:13] for name in made] == ["00h01m00s000_", "01h00m00s000_", "10h00m00s000_"]
    assert len(f".{made[2]}.12345678.mp4".encode()) < 255
