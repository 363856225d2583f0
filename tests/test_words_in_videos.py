"""Words found in videos: by which source, once, in processes that may crash or hang."""

import dataclasses
import os
import shutil
import signal
import time
import warnings

import cv2
import pytest

from tests.track_videos import TextTrack, write_tracks
from vidmodel_tf.config import TEXT_FIELDS, PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.words import words_in_videos
from vidmodel_tf.words.cues import Cue, text_by_field
from vidmodel_tf.words.finder import ExtraWarning, WordsWarning
from vidmodel_tf.words.source import load_source
from vidmodel_tf.words.words_in_videos import Found, UnusableSourceError, WordsInVideos

TRACKS = PrepareConfig(timeout_seconds=20.0)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDMODEL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def clip(tmp_path):
    return write_tracks(
        tmp_path / "clip.mkv", [TextTrack("subrip", [(0.2, 1.0, "words")])], metadata={"title": "A goal"}
    )


def find(video, fields=TEXT_FIELDS, settings=TRACKS):
    with WordsInVideos(settings) as words:
        return words.find(video, fields)


@pytest.fixture
def num_searches(monkeypatch):
    """Counts how often a file is given to a worker."""
    searched = []
    schedule = WordsInVideos._schedule
    monkeypatch.setattr(
        WordsInVideos, "_schedule", lambda self, *args: searched.append(args[1]) or schedule(self, *args)
    )
    return lambda: len(searched)


# What follows runs in workers, in place of the search.
def crash(*_):
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(*_):
    time.sleep(60)


def lacks_an_extra(*_):
    return InputError("subtitles need rapidocr, which is not installed")


def fail(*_):
    raise ValueError("two\nlines")


def tell_threads(*_):
    return Found((), (f"{cv2.getNumThreads()} threads",))


def test_a_worker_has_one_thread_of_opencv(clip, monkeypatch):
    monkeypatch.setattr(words_in_videos, "_find", tell_threads)
    assert find(clip).warnings == ("1 threads",)


def tell_processes(name, video, settings):
    return Found((), (f"one of {settings.num_workers}",))


def test_as_many_workers_as_files_though_the_first_source_remembers_most(clip, tmp_path, monkeypatch):
    clips = [shutil.copy(clip, tmp_path / f"{number}.mkv") for number in range(3)]
    for known in clips[1:]:
        find(known)
    monkeypatch.setattr(words_in_videos, "_find", tell_processes)
    with WordsInVideos(dataclasses.replace(TRACKS, words=("tracks", "speech")), num_workers=8) as words:
        answers = words.find_all(dict.fromkeys(clips, TEXT_FIELDS))
    assert [answer.warnings for answer in answers.values()] == [("one of 3",)] * 3


def test_words_are_found(clip):
    assert text_by_field(find(clip).cues) == dict.fromkeys(TEXT_FIELDS, "") | {"title": "A goal", "subtitles": "words"}


def test_only_the_fields_that_are_asked_for(clip):
    assert [cue.field for cue in find(clip, ("title", "speech")).cues] == ["title"]


def test_what_was_found_is_remembered(clip, num_searches):
    first = find(clip)
    assert find(clip) == first
    assert num_searches() == 1


def test_what_takes_long_to_find_is_remembered_by_content(clip, tmp_path):
    speech = load_source("tracks")._replace(by_content=True)
    words = Found((Cue(0, 1, "speech", "said", "speech:packaged"),), ("one sentence is not clear",))
    words_in_videos.remember_found(speech, clip, TRACKS, words)
    shutil.copy(clip, tmp_path / "copy.mkv")
    assert words_in_videos.recall_found(speech, tmp_path / "copy.mkv", TRACKS) == words
    with (tmp_path / "copy.mkv").open("ab") as file:
        file.write(b"more")
    assert words_in_videos.recall_found(speech, tmp_path / "copy.mkv", TRACKS) is None


def test_that_there_are_no_words_is_remembered_too(tmp_path, num_searches):
    path = write_tracks(tmp_path / "silent.mp4")
    assert find(path) == find(path) == Found()
    assert num_searches() == 1


def test_other_content_settings_or_versions_are_searched_anew(clip, num_searches, monkeypatch):
    find(clip)
    find(clip, settings=dataclasses.replace(TRACKS, languages=("de", "en")))
    assert num_searches() == 2
    find(clip, settings=dataclasses.replace(TRACKS, speech_model="tiny", num_workers=3))  # tracks does not obey these
    assert num_searches() == 2
    write_tracks(clip, [TextTrack("subrip", [(0.2, 1.0, "other")])])
    assert text_by_field(find(clip).cues)["subtitles"] == "other"
    assert num_searches() == 3
    newer = load_source("tracks")._replace(version=99)
    monkeypatch.setattr(words_in_videos, "load_source", lambda name: newer)
    find(clip)
    assert num_searches() == 4


def test_another_model_in_the_same_folder_is_asked_anew(clip, tmp_path):
    model, speech = tmp_path / "model", load_source("speech")
    model.mkdir()
    settings = dataclasses.replace(TRACKS, speech_model=str(model))
    words = Found((Cue(0, 1, "speech", "said", "speech:model"),))
    for content in (b"one", b"another"):
        (model / "model.bin").write_bytes(content)
        assert words_in_videos.recall_found(speech, clip, settings) is None
        words_in_videos.remember_found(speech, clip, settings, words)
        assert words_in_videos.recall_found(speech, clip, settings) == words


def test_a_cache_that_cannot_be_read_or_written_is_done_without(clip, tmp_path, monkeypatch):
    first = find(clip)
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_text("{")
    assert find(clip) == first
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIDMODEL_CACHE", str(tmp_path / "file"))
    assert find(clip) == first


def test_words_that_an_extra_would_read_are_not_remembered(clip, monkeypatch):
    """Runs what the worker runs in this process, where the source can be replaced."""
    source = load_source("tracks")
    category = ExtraWarning

    def warning_finder(path, settings):
        warnings.warn("a bitmap track is passed over", category, stacklevel=1)
        return ()

    monkeypatch.setattr(words_in_videos, "load_source", lambda name: source._replace(find=warning_finder))
    expected = Found((), ("a bitmap track is passed over",))
    assert words_in_videos._find("tracks", clip, TRACKS) == expected
    assert words_in_videos.recall_found(source, clip, TRACKS) is None
    category = WordsWarning
    assert words_in_videos._find("tracks", clip, TRACKS) == expected
    assert words_in_videos.recall_found(source, clip, TRACKS) == expected


def test_a_search_that_crashes_costs_that_file_alone(clip, monkeypatch):
    monkeypatch.setattr(words_in_videos, "_find", crash)
    with pytest.raises(InputError, match=r"the search for its words crashed \(tracks, signal SIGSEGV\)"):
        find(clip)
    monkeypatch.undo()
    assert find(clip).cues


def test_a_search_that_hangs_is_ended(clip, monkeypatch):
    monkeypatch.setattr(words_in_videos, "_find", hang)
    with pytest.raises(InputError, match=r"words took longer than 0\.5 seconds to find \(tracks\): raise prepare\."):
        find(clip, settings=dataclasses.replace(TRACKS, timeout_seconds=0.5))


def test_a_search_that_fails_as_nobody_foresaw_costs_that_file_alone(clip, monkeypatch):
    """Runs what the worker runs in this process, where the source can be replaced."""
    source = load_source("tracks")._replace(find=fail)
    monkeypatch.setattr(words_in_videos, "load_source", lambda name: source)
    error = words_in_videos._find("tracks", clip, TRACKS)
    assert isinstance(error, InputError)
    assert (error.reason, error.subject) == (
        "the search for its words failed (tracks, ValueError: two lines)",
        str(clip),
    )


def test_a_model_for_speech_that_cannot_be_read_ends_it_all(clip, tmp_path):
    (tmp_path / "model/model.bin").mkdir(parents=True)
    settings = dataclasses.replace(TRACKS, words=("speech",), speech_model=str(tmp_path / "model"))
    with pytest.raises(
        UnusableSourceError, match=r"speech: prepare\.speech_model: .*model\.bin: it cannot be read: Is a directory"
    ):
        find(clip, settings=settings)


def test_a_source_that_lacks_an_extra_ends_it_all(clip, monkeypatch):
    monkeypatch.setattr(words_in_videos, "_find", lacks_an_extra)
    with pytest.raises(UnusableSourceError, match=r"prepare\.words: tracks: subtitles need rapidocr") as caught:
        find(clip)
    assert caught.value.exit_code == 2


def test_bad_files_do_not_keep_others_from_their_words(clip, tmp_path):
    bad, missing = tmp_path / "bad.mp4", tmp_path / "missing.mp4"
    bad.write_text("words")
    with WordsInVideos(TRACKS, num_workers=2) as words:
        answers = words.find_all(dict.fromkeys([bad, clip, missing], TEXT_FIELDS))
    assert isinstance(answers[bad], InputError)
    assert answers[bad].reason == "expected a video. It is a text file"
    assert "No such file" in str(answers[missing])
    assert isinstance(answers[clip], Found)
    assert len(answers[clip].cues) == 2


def test_the_first_source_with_words_for_a_field_fills_it(clip, monkeypatch):
    tracks, asked = load_source("tracks"), []
    cues = [Cue(0, 1, "subtitles", "caption", "captions"), Cue(0, 1, "speech", "said", "captions")]
    captions = tracks._replace(name="captions", fields=("subtitles", "speech"))
    answers = {"captions": Found(tuple(cues)), "tracks": Found((Cue(0, 1, "title", "A goal", "tracks:metadata"),))}

    def ask(self, source, videos):
        asked.append((source.name, list(videos)))
        return [(video, answers[source.name]) for video in videos]

    monkeypatch.setattr(words_in_videos, "load_source", lambda name: captions if name == "captions" else tracks)
    monkeypatch.setattr(WordsInVideos, "_ask", ask)
    both = dataclasses.replace(TRACKS, words=("tracks", "captions"))
    assert [cue.text for cue in find(clip, TEXT_FIELDS, both).cues] == ["A goal", "caption", "said"]
    assert [cue.text for cue in find(clip, ("title", "speech"), both).cues] == ["A goal", "said"]
    asked.clear()
    answers["tracks"] = Found((Cue(0, 1, "subtitles", "track", "tracks:eng"),))
    assert [cue.text for cue in find(clip, ("subtitles",), both).cues] == ["track"]
    assert asked == [("tracks", [clip]), ("captions", [])]


def test_no_source_is_asked_where_none_is_named(tmp_path):
    assert find(tmp_path / "missing.mp4", settings=PrepareConfig(words=())) == Found()
