"""Words in videos reach data sets, predictions and timelines, and are the same in all of them."""

import dataclasses
import json

import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from tests.manifests import write_table
from tests.track_videos import TextTrack, write_tracks
from tests.videos import write_video
from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.find_words import find_words
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.inspect import inspect
from vidmodel_tf.records.plan import plan_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder.run import Run, RunConfig
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.text.vocabulary import Vocabulary
from vidmodel_tf.timelines.words_of_range import find_cues, words_of_range
from vidmodel_tf.words.remembered import Found
from vidmodel_tf.words.words_in_videos import WordsInVideos

LINES = [(0.2, 0.9, "kick-off"), (1.1, 1.9, "a foul"), (2.1, 2.9, "进球")]
RANGES = [(None, None), (0.0, 1.0), (1.0, 2.0), (2.0, 4.0)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    chapters = [(0.0, 2.0, "First half"), (2.0, 4.0, "Second half")]
    metadata = {"title": "The final"}
    return write_tracks(folder / "film.mkv", [TextTrack("subrip", LINES)], metadata=metadata, chapters=chapters)


@pytest.fixture(scope="module")
def prepared(film, tmp_path_factory):
    """Ranges of the film, and others without words, so that there is something to split."""
    rows = [
        {"path": film.name, "start_seconds": start, "end_seconds": end, "label": "ab"[number % 2], "split": "train"}
        for number, (start, end) in enumerate(RANGES)
    ]
    for name, split in (("silent.mp4", "test"), ("quiet.mp4", "validation")):
        write_video(film.with_name(name), num_frames=20)
        rows.append({"path": name, "start_seconds": None, "end_seconds": None, "label": "a", "split": split})
    out = tmp_path_factory.mktemp("data") / "ranges"
    prepare(write_table(film.with_name("clips.csv"), rows), out, PREPARE)
    return out


def run_with(model=MODEL, prepare=PREPARE):
    labels = Labels({"label": ["a", "b"]})
    return Run(None, RunConfig(model, TRAIN, prepare), labels, Vocabulary([], model.text_fields), {})


def test_ranges_get_the_lines_that_overlap_them_and_say_where_they_came_from(prepared):
    clips = {clip.id: clip for clip in open_data_set(prepared).clips}
    assert {clip_id: clip.text["subtitles"] for clip_id, clip in clips.items()} == {
        "film.mkv": "kick-off a foul 进球",
        "film.mkv@0-1": "kick-off",
        "film.mkv@1-2": "a foul",
        "film.mkv@2-4": "进球",
        "silent.mp4": "",
        "quiet.mp4": "",
    }
    assert clips["film.mkv@2-4"].text["description"] == "Second half"
    assert clips["film.mkv@2-4"].text["title"] == "The final"
    words_from = {field: source for field, source in clips["film.mkv@2-4"].words_from.items() if source}
    assert words_from == {
        "title": "tracks:metadata", "description": "tracks:chapters", "subtitles": "tracks:eng",
    }  # fmt: skip
    assert not any(clips["silent.mp4"].words_from.values())
    assert inspect(prepared).words_from["subtitles"] == {"tracks:eng": {"label": {"a": 2, "b": 2}}}


def test_predict_and_timeline_find_the_words_that_prepare_stored(prepared, film):
    run = run_with(prepare=open_data_set(prepared).prepare)
    stored = {clip.id: join_fields(clip.text, MODEL.text_fields) for clip in open_data_set(prepared).clips}
    expected = [stored[name] for name in ("film.mkv", "film.mkv@0-1", "film.mkv@1-2", "film.mkv@2-4")]
    questions = list(read_questions(run, [ClipRange(film, start, end) for start, end in RANGES], None))
    assert [question.words for question in questions] == expected
    words = words_of_range(run, find_cues(run, film, None))
    assert [words(start or 0.0, end or 100.0) for start, end in RANGES] == expected


def test_text_and_a_model_without_words_leave_the_video_alone(film, monkeypatch):
    monkeypatch.setattr(WordsInVideos, "_ask", lambda *_: pytest.fail("the video was searched"))
    (question,) = read_questions(run_with(), [ClipRange(film)], "Mine")
    assert question.words == "\x01Mine"
    (question,) = read_questions(run_with(dataclasses.replace(MODEL, branches="video")), [ClipRange(film)], None)
    assert question.words == ""
    (question,) = read_questions(run_with(prepare=dataclasses.replace(PREPARE, words=())), [ClipRange(film)], None)
    assert question.words == ""


def test_the_manifest_goes_before_sidecars_and_these_before_the_video(tmp_path):
    metadata = {"title": "inside", "description": "inside", "genre": "inside"}
    for name in ("a.mkv", "b.mkv"):
        write_tracks(tmp_path / name, [TextTrack("subrip", LINES)], metadata=metadata)
    (tmp_path / "a.json").write_text(json.dumps({"title": "beside", "description": "beside"}))
    (tmp_path / "b.srt").write_text("1\n00:00:50,000 --> 00:00:51,000\nmuch later\n")
    rows = [{"path": "a.mkv", "title": "row", "label": "a"}, {"path": "b.mkv", "title": "", "label": "b"}]
    rows = [{"start_seconds": "", **row} for row in rows]
    rows.append({"start_seconds": 1, "path": "b.mkv", "title": "another", "label": "b"})
    manifest = read_manifest(write_table(tmp_path / "clips.csv", rows))
    first, second, third = find_words(manifest, PREPARE).clips
    assert third.text["title"] == "another"  # though another clip of the same file gets the one inside
    assert (first.text["title"], first.text["description"], first.text["tags"]) == ("row", "beside", "inside")
    assert first.words_from == {
        "title": "manifest", "description": "sidecar:a.json", "tags": "tracks:metadata", "subtitles": "tracks:eng",
    }  # fmt: skip
    assert (second.text["title"], second.text["subtitles"]) == ("inside", "much later")


def test_a_field_that_a_sidecar_fills_stays_empty_in_a_range_without_its_lines(tmp_path):
    write_tracks(tmp_path / "a.mkv", [TextTrack("subrip", LINES)])
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nbeside\n")
    rows = [{"path": "a.mkv", "start_seconds": start, "label": label} for start, label in ((0, "a"), (2, "b"))]
    first, second = find_words(read_manifest(write_table(tmp_path / "clips.csv", rows)), PREPARE).clips
    assert (first.text["subtitles"], second.text["subtitles"]) == ("beside", "")


def test_a_search_that_fails_is_not_repeated_for_each_range(film, monkeypatch):
    """Of a search that hangs, each would take `prepare.timeout_seconds`."""
    searched = []

    def fail(self, fields_of):
        searched.extend(fields_of)
        return {video: InputError("took too long", subject=video) for video in fields_of}

    monkeypatch.setattr(WordsInVideos, "find_all", fail)
    run = run_with(dataclasses.replace(MODEL, branches="text"))
    refusals = list(read_questions(run, [ClipRange(film, start, end) for start, end in RANGES], None))
    assert [refusal.reason for refusal in refusals] == ["took too long"] * len(RANGES)
    assert searched == [film]


def test_a_search_that_fails_only_now_is_named_where_the_plan_differs(film, tmp_path, monkeypatch):
    write_video(tmp_path / "plain.mp4", num_frames=20)
    rows = [{"path": str(film), "label": "a"}, {"path": "plain.mp4", "label": "b"}]
    table = write_table(tmp_path / "clips.csv", rows)
    config = dataclasses.replace(PREPARE, validation_fraction=0.0, test_fraction=0.0)
    prepare(table, tmp_path / "data", config)
    failed = {film: InputError("took too long", subject=film), tmp_path / "plain.mp4": Found()}
    monkeypatch.setattr(WordsInVideos, "find_all", lambda self, fields_of: failed)
    with pytest.raises(
        InputError,
        match=r"other clips, words or settings \(words .* now, of 1 clips, such as .*film\.mkv: took too long",
    ):
        prepare(table, tmp_path / "data", config)


def test_a_file_is_searched_once_whatever_its_ranges(film, tmp_path, monkeypatch):
    rows = [
        {"path": str(film), "start_seconds": number / 10, "end_seconds": 3, "label": "ab"[number % 2]}
        for number in range(10)
    ]
    searched = []
    ask = WordsInVideos._ask
    monkeypatch.setattr(
        WordsInVideos, "_ask", lambda self, source, videos: searched.extend(videos) or ask(self, source, videos)
    )
    clips = find_words(read_manifest(write_table(tmp_path / "clips.csv", rows)), PREPARE).clips
    assert searched == [film]
    assert len(clips) == 10
    assert [clip.text["subtitles"].startswith("kick-off") for clip in clips] == [True] * 9 + [False]


def test_a_video_that_cannot_be_searched_is_refused_by_name(tmp_path):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_video(tmp_path / name, num_frames=20)
    (tmp_path / "bad.mp4").write_text("no video")
    rows = [{"path": f"{name}.mp4", "label": "ab"[i % 2]} for i, name in enumerate(("a", "b", "c", "bad"))]
    config = dataclasses.replace(PREPARE, validation_fraction=0.0, test_fraction=0.0)
    report = prepare(write_table(tmp_path / "clips.csv", rows), tmp_path / "data", config)
    assert report.refused == {"bad.mp4": "expected a video. It is a text file"}
    assert report.num_clips == 3
    run = run_with(dataclasses.replace(MODEL, branches="text"))
    good, bad = read_questions(run, [ClipRange(tmp_path / "a.mp4"), ClipRange(tmp_path / "bad.mp4")], None)
    assert isinstance(good, Question)
    assert isinstance(bad, Refusal)
    assert bad.reason == "expected a video. It is a text file"


def test_words_that_are_passed_over_are_told_once_for_all_videos(tmp_path, capsys):
    for name in ("a.mkv", "b.mkv"):
        write_tracks(tmp_path / name, [TextTrack("subrip", LINES, "ger")])
    rows = [{"path": name, "label": name[0]} for name in ("a.mkv", "b.mkv")]
    (warning,) = find_words(read_manifest(write_table(tmp_path / "clips.csv", rows)), PREPARE).warnings
    assert warning.startswith("words in 2 videos, such as a.mkv: text tracks in other languages are passed over (ger)")
    assert find_cues(run_with(), tmp_path / "a.mkv", None) == ()
    assert f"{tmp_path / 'a.mkv'}: text tracks in other languages" in capsys.readouterr().err


def test_a_plan_without_sources_is_that_of_before_there_were_any(clips_csv):
    """The fingerprint is made of the settings that count: the new ones alone change nothing."""
    manifest = read_manifest(clips_csv, PREPARE)
    without = dataclasses.replace(PREPARE, words=())
    fingerprints = [
        plan_data_set("", manifest, config).fingerprint
        for config in (
            without,
            dataclasses.replace(without, speech_model="tiny", screen_frames_per_second=1.0),
            PREPARE,
            dataclasses.replace(PREPARE, words=("speech",)),
            dataclasses.replace(PREPARE, words=("speech",), speech_model="tiny"),
        )
    ]
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 4


def test_a_model_for_speech_with_other_content_makes_another_plan(clips_csv, tmp_path):
    manifest = read_manifest(clips_csv, PREPARE)
    for folder in ("model", "elsewhere/model"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.bin").write_bytes(b"one")

    def fingerprint(folder):
        config = dataclasses.replace(PREPARE, words=("speech",), speech_model=str(tmp_path / folder))
        return plan_data_set("", manifest, config).fingerprint

    first = fingerprint("model")
    assert fingerprint("elsewhere/model") == first
    (tmp_path / "model/model.bin").write_bytes(b"two")
    assert fingerprint("model") != first


def test_a_folder_with_a_model_is_stored_with_its_whole_path(clips_csv, tmp_path, monkeypatch):
    """Elsewhere a part of it would look like the name of a model to download."""
    (tmp_path / "models/whisper").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    prepare(clips_csv, tmp_path / "data", dataclasses.replace(PREPARE, speech_model="models/whisper"))
    assert open_data_set(tmp_path / "data").prepare.speech_model == str(tmp_path / "models/whisper")
