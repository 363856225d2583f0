"""Words that lie in a video as text: every format, the choice of a track, chapters, metadata, attachments."""

import json

import av
import pytest
from av.stream import Disposition

from tests.track_videos import TextTrack, write_tracks
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.containers import open_container
from vidmodel_tf.words import subtitle_tracks
from vidmodel_tf.words.cues import Cue, sources_by_field, text_by_field
from vidmodel_tf.words.finder import ExtraWarning, WordsWarning
from vidmodel_tf.words.finders.tracks import find_tracks
from vidmodel_tf.words.metadata import is_telling
from vidmodel_tf.words.text_tracks import text_cues

FORMATS = [
    ("clip.mp4", "mov_text"),
    ("clip.mkv", "subrip"),
    ("clip.mkv", "ass"),
    ("clip.mkv", "webvtt"),
    ("clip.webm", "webvtt"),
]
LINES = {
    "eng": [(0.24, 1.0, "A goal in the first half"), (1.5, 2.75, "and the crowd goes wild")],
    "chi": [(0.24, 1.0, "上半场进球了"), (1.5, 2.75, "全场沸腾")],
}


def words_of(path, **settings):
    return find_tracks(path, PrepareConfig(**settings))


def text_of(path, field="subtitles", **settings):
    return text_by_field(words_of(path, **settings))[field]


@pytest.mark.parametrize("language", LINES)
@pytest.mark.parametrize(("name", "codec"), FORMATS, ids=[f"{name}-{codec}" for name, codec in FORMATS])
def test_lines_and_times_of_every_format(tmp_path, name, codec, language):
    lines = LINES[language]
    path = write_tracks(tmp_path / name, [TextTrack(codec, lines, language)])
    cues = words_of(path, languages=(language,))
    assert [cue.text for cue in cues] == [text for _, _, text in lines]
    for cue, (start, end, _) in zip(cues, lines, strict=True):
        assert cue.start_seconds == pytest.approx(start, abs=0.05)
        assert cue.end_seconds == pytest.approx(end, abs=0.05)
        assert (cue.field, cue.source) == ("subtitles", f"tracks:{language}")


@pytest.mark.parametrize(
    ("codec", "written", "read"),
    [
        ("subrip", "<i>Hello</i> &amp; <b>you</b>\n{\\an8}a <b and c> {d}", "Hello & you a <b and c> {d}"),
        ("webvtt", "<v Ann>Hello</v> <c.red>you</c>\n<00:00:01.000>a &lt; b", "Hello you a < b"),
        ("ass", "{\\p1}m 0 0 l 1 1{\\p0}{\\an8\\pos(1,2)}Hello\\Nyou\\h{a comment}here", "Hello you here"),
        ("mov_text", "Hello {you} <b and c>\nthere", "Hello {you} <b and c> there"),
    ],
)
def test_markup_is_no_words(tmp_path, codec, written, read):
    path = tmp_path / ("clip.mp4" if codec == "mov_text" else "clip.mkv")
    assert text_of(write_tracks(path, [TextTrack(codec, [(0.2, 1.0, written)])])) == read


def test_second_zero_is_that_of_the_pictures(tmp_path):
    tracks, chapters = [TextTrack("subrip", [(0.5, 1.0, "one")])], [(1.0, 2.0, "Kick-off")]
    for cue in words_of(write_tracks(tmp_path / "late.mkv", tracks, chapters=chapters, starts_seconds=8.0)):
        expected = {"subtitles": (0.5, 1.0), "description": (1.0, 2.0)}[cue.field]
        assert (cue.start_seconds, cue.end_seconds) == pytest.approx(expected, abs=0.05)


def test_rolling_captions_count_each_line_once(tmp_path):
    lines = [(0.0, 1.0, "one"), (1.0, 2.0, "one\ntwo"), (2.0, 3.0, "two\nthree")]
    assert text_of(write_tracks(tmp_path / "clip.mkv", [TextTrack("subrip", lines)])) == "one two three"


def track(text, language, title=None, **flags):
    disposition = Disposition(0)
    for name in flags:
        disposition |= Disposition[name]
    return TextTrack("subrip", [(0.2, 1.0, text)], language, title, disposition)


@pytest.mark.parametrize(
    ("tracks", "languages", "expected"),
    [
        ([track("deutsch", "ger"), track("english", "eng")], ("en",), "english"),
        ([track("deutsch", "ger"), track("english", "eng")], ("fr", "de", "en"), "deutsch"),
        ([track("english", "eng"), track("deutsch", "ger", default=1)], ("en",), "english"),
        ([track("one", "eng"), track("two", "eng", default=1)], ("en",), "two"),
        ([track("one", "eng", hearing_impaired=1), track("two", "eng")], ("en",), "two"),
        ([track("signs", "eng", forced=1, default=1), track("all", "eng")], ("en",), "all"),
        ([track("director", "eng", comment=1), track("all", "eng")], ("en",), "all"),
        ([track("director", "eng", "Director's Commentary"), track("all", "eng")], ("en",), "all"),
        ([track("deutsch", "ger"), track("français", "fre", default=1)], ("en",), "français"),
        ([track("deutsch", "ger"), track("unknown", None)], ("en",), "unknown"),
        ([track("signs", "eng", forced=1)], ("en",), ""),
    ],
)
def test_which_track_is_read(tmp_path, tracks, languages, expected):
    assert text_of(write_tracks(tmp_path / "clip.mkv", tracks), languages=languages) == expected


def pictures(language):
    return TextTrack("dvd_subtitle", [(0.2, 1.0, "not decoded here")], language)


def test_a_track_of_pictures_is_passed_over_where_nothing_can_read_it(tmp_path, monkeypatch):
    monkeypatch.setattr(subtitle_tracks, "_can_read_pictures", lambda: False)
    alone = write_tracks(tmp_path / "alone.mkv", [pictures("eng")])
    with pytest.warns(ExtraWarning, match=r"track of pictures is passed over; .* pip install --no-deps rapidocr"):
        assert words_of(alone) == ()
    beside = write_tracks(tmp_path / "beside.mkv", [pictures("eng"), track("text", "eng")])
    assert text_of(beside) == "text"
    other = write_tracks(tmp_path / "other.mkv", [pictures("eng"), track("deutsch", "ger", default=1)])
    with pytest.warns(ExtraWarning):
        assert text_of(other) == "deutsch"


def test_a_track_of_pictures_is_read_where_no_text_suits_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(subtitle_tracks, "_can_read_pictures", lambda: True)
    monkeypatch.setattr(
        subtitle_tracks,
        "_picture_cues",
        lambda container, track: [Cue(0.2, 1.0, "subtitles", f"read in {track.language}", "tracks:eng")],
    )
    both = write_tracks(tmp_path / "both.mkv", [pictures("eng"), track("text", "eng")])
    assert text_of(both) == "text"
    other = write_tracks(tmp_path / "other.mkv", [pictures("eng"), track("deutsch", "ger", default=1)])
    assert text_of(other) == "read in eng"


def test_only_other_languages_are_told(tmp_path):
    path = write_tracks(tmp_path / "clip.mkv", [track("deutsch", "ger"), track("français", "fre")])
    with pytest.warns(WordsWarning, match=r"other languages are passed over \(fre, ger\): prepare.languages=\['en'\]"):
        assert words_of(path) == ()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_metadata(tmp_path, name):
    metadata = {"title": "A goal", "synopsis": "Late in the game", "genre": "Sport", "comment": "https://example.org"}
    cues = words_of(write_tracks(tmp_path / name, metadata=metadata))
    texts = {field: text for field, text in text_by_field(cues).items() if text}
    assert texts == {"title": "A goal", "description": "Late in the game", "tags": "Sport"}
    assert sources_by_field(cues) == dict.fromkeys(texts, "tracks:metadata")


def test_the_better_name_goes_first(tmp_path):
    metadata = {"description": "One", "synopsis": "Two", "keywords": "goal, ball", "genre": "Sport"}
    texts = text_by_field(words_of(write_tracks(tmp_path / "clip.mkv", metadata=metadata)))
    assert (texts["description"], texts["tags"]) == ("One", "goal, ball")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("  \n", False),
        ("Video", False),
        ("VIDEO 12", False),
        ("2024-03-01 10:20", False),
        ("00:01:02.345", False),
        ("VID_20240301", False),
        ("Untitled project (3)", False),
        ("Chapter 07", False),
        ("第3章", False),
        ("Video of a goal", True),
        ("进球", True),
        ("7 days", True),
    ],
)
def test_generic_texts_are_no_words(text, expected):
    assert is_telling(text) == expected


def test_generic_metadata_gives_way_to_the_next(tmp_path):
    metadata = {"title": "Video", "description": "0042", "synopsis": "A goal", "genre": "12"}
    texts = text_by_field(words_of(write_tracks(tmp_path / "clip.mkv", metadata=metadata)))
    assert {field: text for field, text in texts.items() if text} == {"description": "A goal"}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_chapters_have_their_times(tmp_path, name):
    chapters = [(0.0, 1.0, "Kick-off"), (1.0, 2.0, "Chapter 2"), (2.0, 3.5, "进球")]
    cues = words_of(write_tracks(tmp_path / name, metadata={"description": "A game"}, chapters=chapters))
    assert [(cue.field, cue.text) for cue in cues] == [
        ("description", "A game"), ("description", "Kick-off"), ("description", "进球")
    ]  # fmt: skip
    assert (cues[2].start_seconds, cues[2].end_seconds) == pytest.approx((2.0, 3.5), abs=0.05)
    assert sources_by_field(cues) == {"description": "tracks:metadata"}


def test_an_attached_info_json(tmp_path):
    info = {"title": "From yt-dlp", "description": "D", "tags": ["goal", "ball"], "subtitles": {"en": []}}
    path = write_tracks(
        tmp_path / "clip.mkv",
        metadata={"title": "Short", "genre": "Sport"},
        attachments={"clip.info.json": json.dumps(info).encode(), "other.json": b"{"},
    )
    cues = words_of(path)
    texts = {field: text for field, text in text_by_field(cues).items() if text}
    assert texts == {"title": "From yt-dlp", "description": "D", "tags": "goal, ball"}
    assert set(sources_by_field(cues).values()) == {"tracks:info.json"}


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff\xfe\x00", b'{"title": 3}', b"[" * 100_000])
def test_an_attachment_that_cannot_be_read_is_told(tmp_path, data):
    path = write_tracks(tmp_path / "clip.mkv", metadata={"title": "A goal"}, attachments={"info.json": data})
    with pytest.warns(WordsWarning, match="the attachment is passed over: "):
        assert text_of(path, "title") == "A goal"


def test_a_video_without_words(tmp_path):
    assert words_of(write_tracks(tmp_path / "clip.mp4")) == ()


def test_a_file_cut_off_gives_what_is_there(tmp_path):
    lines = [(number / 4, number / 4 + 0.2, f"line {number}") for number in range(16)]
    path = write_tracks(tmp_path / "clip.mkv", [TextTrack("subrip", lines)])
    whole = [cue.text for cue in words_of(path)]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    part = [cue.text for cue in words_of(path)]
    assert 0 < len(part) < len(whole)
    assert part == whole[: len(part)]


def test_places_that_cannot_be_read_are_passed_over(tmp_path):
    path = write_tracks(tmp_path / "clip.mkv", [TextTrack("subrip", LINES["eng"])])
    with open_container(path) as container:
        cues = list(text_cues(_DamagedContainer(container), container.streams.subtitles[0]))
    assert [cue.text for cue in cues] == [text for _, _, text in LINES["eng"]]


class _DamagedContainer:
    """Fails behind each line, as a damaged file may: whoever asks again goes on behind that place."""

    def __init__(self, container):
        self._container = container

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, stream):
        for packet in self._container.demux(stream):
            yield packet
            if packet.size:
                raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")


def test_a_file_that_is_no_video_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nwords\n")
    with pytest.raises(InputError, match=r"clip\.mp4: expected a video\. It is a text file"):
        words_of(path)
