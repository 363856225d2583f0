from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.words import sidecars as module
from vidmodel_tf.words.cues import cut, sources_by_field, text_by_field
from vidmodel_tf.words.json_words import check_text
from vidmodel_tf.words.sidecars import Sidecars, read_sidecar_words

NO_WORDS = dict.fromkeys(TEXT_FIELDS, "")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "clip.v1.mp4"


def beside(video: Path, tail: str, content: str | bytes) -> Path:
    path = video.with_name(video.stem + tail)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def srt(*texts: str) -> str:
    return "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{text}\n\n" for i, text in enumerate(texts))


def find(video: Path, *languages: str) -> tuple[dict[str, str], dict[str, str]]:
    cues = Sidecars(languages or ("en",)).find(video)
    return text_by_field(cues), sources_by_field(cues)


def test_no_sidecar_gives_every_field_empty(video: Path) -> None:
    assert read_sidecar_words(video) == NO_WORDS
    assert read_sidecar_words(video.parent / "no such folder" / "a.mp4") == NO_WORDS


def test_only_words_in_the_range(video: Path) -> None:
    beside(video, ".srt", srt("zero", "one", "two"))
    beside(video, ".txt", "for all")
    expected = NO_WORDS | {"subtitles": "one", "description": "for all"}
    assert read_sidecar_words(video, 1.0, 2.0) == expected


def test_each_field_from_its_file_and_json_for_the_rest(video: Path) -> None:
    beside(video, ".SRT", srt("Hello"))  # as cameras write it
    beside(video, ".txt", "\ufeff A fight.\nIn a street.\n")
    values = {"title": "Gasse 🎬", "tags": ["a, b", "", "c"], "description": "unused", "subtitles": "unused", "id": 3}
    beside(video, ".json", json.dumps(values | {"speech": "said", "screen_text": "EXIT"}))
    assert find(video) == (
        {
            "title": "Gasse 🎬",
            "description": "A fight.\nIn a street.",
            "tags": "a, b, c",
            "subtitles": "Hello",
            "screen_text": "EXIT",
            "speech": "said",
        },
        {
            "title": "sidecar:clip.v1.json",
            "description": "sidecar:clip.v1.txt",
            "tags": "sidecar:clip.v1.json",
            "subtitles": "sidecar:clip.v1.SRT",
            "screen_text": "sidecar:clip.v1.json",
            "speech": "sidecar:clip.v1.json",
        },
    )


def test_what_yt_dlp_writes(video: Path) -> None:
    info = {"id": "x", "title": "A title", "description": "from info", "tags": ["a", "b"], "subtitles": {"en": [{}]}}
    beside(video, ".info.json", json.dumps(info))
    beside(video, ".description", "from its own file\n")
    beside(video, ".en.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nsaid\n")
    text, sources = find(video)
    assert text == NO_WORDS | {
        "title": "A title",
        "description": "from its own file",
        "tags": "a, b",
        "subtitles": "said",
    }
    assert sources["description"] == "sidecar:clip.v1.description"
    assert sources["subtitles"] == "sidecar:clip.v1.en.vtt"


def test_info_of_yt_dlp_under_the_name_of_our_own_json(video: Path) -> None:
    beside(video, ".json", json.dumps({"title": "A title", "subtitles": {}, "description": None, "tags": []}))
    assert read_sidecar_words(video) == NO_WORDS | {"title": "A title"}


def test_own_json_goes_before_that_of_the_downloader(video: Path) -> None:
    beside(video, ".json", '{"title": "mine"}')
    beside(video, ".info.json", '{"title": "theirs", "tags": ["t"]}')
    assert read_sidecar_words(video) == NO_WORDS | {"title": "mine", "tags": "t"}


@pytest.mark.parametrize(
    ("languages", "tails", "expected"),
    [
        (["en"], [".en.vtt", ".de.vtt", ".srt"], ".en.vtt"),
        (["de", "en"], [".en.vtt", ".de.vtt", ".srt"], ".de.vtt"),
        (["en"], [".de.vtt", ".srt"], ".srt"),
        (["en"], [".de.vtt"], None),
        ([], [".en.vtt"], None),
        (["en"], [".en-US.srt", ".en-orig.vtt"], ".en-orig.vtt"),
        (["en"], [".eng.srt"], ".eng.srt"),
        (["en"], [".EN.VTT"], ".EN.VTT"),
        (["pt-BR"], [".pt.vtt", ".pt-BR.vtt"], ".pt-BR.vtt"),
        (["pt-BR"], [".pt.vtt"], None),
        (["en"], [".en.srt", ".en.vtt"], ".en.srt"),
        (["en"], [".srt", ".vtt"], ".srt"),
    ],
)
def test_subtitles_by_language(video: Path, languages: list[str], tails: list[str], expected: str | None) -> None:
    for tail in tails:
        times = "00:00:01.000 --> 00:00:02.000"
        beside(video, tail, f"WEBVTT\n\n{times}\nwords of {tail}\n")
    cues = Sidecars(languages).find(video)
    assert [(cue.text, cue.source) for cue in cues] == (
        [(f"words of {expected}", f"sidecar:clip.v1{expected}")] if expected else []
    )


def test_the_first_file_that_has_words(video: Path) -> None:
    beside(video, ".en.vtt", "WEBVTT\n")  # nobody spoke
    beside(video, ".srt", srt("words"))
    beside(video, ".txt", " \n")
    beside(video, ".json", '{"description": "of json"}')
    assert read_sidecar_words(video) == NO_WORDS | {"subtitles": "words", "description": "of json"}


def test_a_name_belongs_to_the_video_with_the_longest_stem(video: Path) -> None:
    short, long = video.with_name("clip.mp4"), video.with_name("clip.en.mp4")
    for path in (short, long):
        path.touch()
    beside(long, ".srt", srt("of the long one"))
    assert read_sidecar_words(short) == NO_WORDS
    assert read_sidecar_words(long)["subtitles"] == "of the long one"
    long.unlink()
    assert read_sidecar_words(short)["subtitles"] == "of the long one"


def test_json_may_name_a_subtitle_file(video: Path) -> None:
    (video.parent / "other.srt").write_text(srt("zero", "one", "two"), encoding="utf-8")
    beside(video, ".json", json.dumps({"subtitles": "other.srt"}))
    assert read_sidecar_words(video, 1.0, 2.0)["subtitles"] == "one"
    assert find(video)[1] == {"subtitles": "sidecar:other.srt"}


def test_files_that_are_not_needed_are_not_read(video: Path) -> None:
    for tail in (".srt", ".txt", ".json"):
        beside(video, tail, b"\xff broken")
    assert Sidecars().find(video, ()) == ()
    with pytest.raises(InputError, match=r"clip\.v1\.srt is not UTF-8"):
        Sidecars().find(video, ("subtitles",))


def test_ranges_of_one_video_cost_one_reading(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(video, ".srt", srt("zero", "one", "two"))
    calls = []
    read = module.read_subtitles
    monkeypatch.setattr(module, "read_subtitles", lambda *arguments: calls.append(1) or read(*arguments))
    sidecars = Sidecars()
    texts = [text_by_field(cut(sidecars.find(video), start, start + 1))["subtitles"] for start in range(3)]
    assert texts == ["zero", "one", "two"]
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", r"expected an object with some of title, .*, speech\. Received: \[1\]"),
        ("{", r"clip\.v1\.json is not JSON"),
        ("[" * 100_000, r"clip\.v1\.json is not JSON"),
        ("1" * 10_000, r"clip\.v1\.json is not JSON"),
        ('{"title": 3}', r"title: expected a text. Received: 3"),
        ('{"title": NaN}', r"title: expected a text. Received: nan"),
        ('{"tags": [3]}', r"tags: expected a text. Received: 3"),
        ('{"title": ["a"]}', r"title: expected a text. Received: \['a'\]"),
        ('{"subtitles": ["a"]}', r"subtitles: expected a text. Received: \['a'\]"),
        (r'{"title": "a\ud800"}', r"title: expected Unicode text.*surrogate"),
        ('{"subtitles": "none.srt"}', r"cannot read .*none\.srt: No such file"),
        ('{"subtitles": "../a.srt"}', r"expected a path without '\.\.'"),
    ],
)
def test_broken_json_is_named(video: Path, content: str, message: str) -> None:
    beside(video, ".json", content)
    with pytest.raises(InputError, match=message) as caught:
        read_sidecar_words(video)
    assert len(str(caught.value)) < 500


def test_null_in_json_is_no_text(video: Path) -> None:
    beside(video, ".json", '{"title": null, "tags": null}')
    assert read_sidecar_words(video) == NO_WORDS


def test_utf16_with_a_mark_is_read(video: Path) -> None:
    beside(video, ".txt", "描述".encode("utf-16"))
    beside(video, ".json", '{"title": "标题"}'.encode("utf-16"))
    assert read_sidecar_words(video) == NO_WORDS | {"title": "标题", "description": "描述"}


# ---- links ----


@pytest.fixture
def outside(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outside") / "secret.srt"
    path.write_text(srt("secret"), encoding="utf-8")
    return path


@pytest.mark.parametrize("tail", [".srt", ".en.srt"])
def test_a_link_out_of_the_source_is_refused(video: Path, outside: Path, tail: str) -> None:
    video.with_name(video.stem + tail).symlink_to(outside)
    with pytest.raises(InputError, match=rf"leads out of .*, to {outside}: .* or set prepare\.follow_links=true"):
        Sidecars(root=video.parent).find(video)
    assert Sidecars().find(video)[0].text == "secret"


def test_a_link_inside_the_source_is_read(video: Path) -> None:
    store = video.parent / "store"
    store.mkdir()
    (store / "a.srt").write_text(srt("mine"), encoding="utf-8")
    video.with_suffix(".srt").symlink_to(store / "a.srt")
    assert Sidecars(root=video.parent).find(video)[0].text == "mine"


def test_a_folder_that_is_a_link_out_of_the_source(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "class").symlink_to(outside.parent)
    with pytest.raises(InputError, match="leads out of"):
        Sidecars(root=tmp_path).find(tmp_path / "class" / "secret.mp4")


def test_json_may_not_name_a_file_outside_of_the_source(video: Path, outside: Path) -> None:
    beside(video, ".json", json.dumps({"subtitles": str(outside)}))
    with pytest.raises(InputError, match="leads out of"):
        Sidecars(root=video.parent).find(video)


def test_beside_a_video_outside_of_the_source_its_own_folder_counts(tmp_path: Path, outside: Path) -> None:
    video = outside.with_suffix(".mp4")
    assert Sidecars(root=tmp_path).find(video)[0].text == "secret"
    outside.with_suffix(".txt").symlink_to(tmp_path)
    (tmp_path / "a.vtt").touch()
    elsewhere = tmp_path / "b.txt"
    elsewhere.write_text("b")
    outside.with_suffix(".description").symlink_to(elsewhere)
    with pytest.raises(InputError, match="leads out of"):
        Sidecars(root=tmp_path / "none").find(video)


# ---- what was not read ----


@pytest.mark.parametrize(
    ("tails", "expected"),
    [
        ([".de.vtt", ".fr.vtt"], {".de.vtt": 1, ".fr.vtt": 1}),
        ([".de.vtt", ".en.vtt"], {}),
        ([".ass", ".nfo"], {".ass": 1, ".nfo": 1}),
        ([".en.forced.srt"], {".forced.srt": 1}),
        ([".a long part of a name.srt"], {".srt": 1}),
        ([".meta.json", ".jpg", ".part"], {".meta.json": 1}),
        ([".meta.json", ".txt"], {}),
        ([".json", ".srt"], {}),
    ],
)
def test_words_that_nobody_read_are_counted(video: Path, tails: list[str], expected: dict[str, int]) -> None:
    for tail in tails:
        content = {".json": "{}", ".srt": srt("x"), ".vtt": srt("x").replace(",", "."), ".txt": "x"}
        beside(video, tail, content.get(Path(tail).suffix or tail, "x"))
    sidecars = Sidecars()
    for _ in range(2):
        sidecars.find(video)
        sidecars.find(video, ("title", "description", "tags", "subtitles"))
    assert sidecars.count_unread() == expected


def test_fields_that_are_given_elsewhere_miss_nothing(video: Path) -> None:
    beside(video, ".de.vtt", "x")
    beside(video, ".nfo", "x")
    sidecars = Sidecars()
    sidecars.find(video, ("description", "tags", "speech"))
    assert sidecars.count_unread() == {}


def test_text_that_is_no_text_is_refused() -> None:
    assert check_text(["a", "b"], allow_list=True) == "a, b"
    with pytest.raises(InputError, match=r"expected a text or a list of texts. Received: \{\}"):
        check_text({}, allow_list=True)
