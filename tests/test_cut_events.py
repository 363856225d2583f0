from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_cut_clip import shown
from tests.timeline_documents import make_document, make_event
from tests.videos import write_timed_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines import cut_events as module
from vidmodel_tf.timelines.cut_events import cut_events
from vidmodel_tf.timelines.cut_names import cut_names

FILM = [number / 25 for number in range(250)]


@pytest.fixture
def film(tmp_path) -> Path:
    return write_timed_video(tmp_path / "film.mp4", FILM, options={"g": "25"}, size=(64, 48))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_event_is_a_video(tmp_path, film):
    events = [make_event(1, 1.0, 2.0), make_event(2, 3.0, 3.4, rule="r", label="打架/x")]
    cuts = cut_events(tmp_path / "out", "a", make_document(film, events))
    assert [path.name for path in cuts] == ["00h00m01s000_fights_fight.mp4", "00h00m03s000_r_打架_x.mp4"]
    assert [number for number, _ in shown(cuts[0])] == list(range(25, 50))
    assert [number for number, _ in shown(cuts[1])] == list(range(75, 85))
    assert names(tmp_path / "out" / "a.clips") == [*(path.name for path in cuts), "clips.json", "events.jpg"]


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
    (path,) = cut_events(tmp_path, "a", make_document(film, [make_event(1, 1.0, 1.4)]))
    assert [number for number, _ in shown(path)] == list(range(25, 35))


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
        patched.setattr(module, "encode_range", die)
        with pytest.raises(KeyboardInterrupt):
            cut_events(tmp_path, "a", document)
    assert json.loads((tmp_path / "a.clips" / "clips.json").read_text())["files"] == {
        "00h00m01s000_fights_fight.mp4": None
    }
    assert all(path.is_file() for path in cut_events(tmp_path, "a", document))


def test_one_event_that_cannot_be_cut_does_not_take_the_others(tmp_path, film):
    events = [make_event(1, 20.0, 21.0), make_event(2, 3.0, 3.4)]
    refused, cut = cut_events(tmp_path, "a", make_document(film, events))
    assert isinstance(refused, InputError)
    assert "Received: 20 to 21 seconds" in str(refused)
    assert [number for number, _ in shown(cut)] == list(range(75, 85))


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
