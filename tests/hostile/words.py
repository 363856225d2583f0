"""Kinds of hostile manifests and files of words."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable

from tests.hostile.case import Case, Place
from tests.hostile.mutate import FRAGMENTS, TEXTS, damage_json, damage_text
from tests.hostile.videos import prepare

SRT = "1\n00:00:00,000 --> 00:00:01,000\nHello <i>world</i>\n\n2\n00:00:01,000 --> 00:00:02,500\n{\\an8}你好 & more\n"
VTT = (
    "WEBVTT\n\nNOTE a\n\nname\n00:00.000 --> 00:01.000 align:start\n<v Ann>Hello <c.x>there</c>\n\n"
    "00:01.000 --> 00:02.000\nB\n"
)
INFO = {"id": "x", "title": "A goal", "description": "text", "tags": ["a", "b"], "chapters": [{"title": "c"}], "n": 3}


def _rows(place: Place) -> list[dict[str, object]]:
    return [
        {
            "path": str(place.good.videos[number]),
            "label": "ab"[number % 2],
            "title": f"clip {number}",
            "start_seconds": 0.0,
            "end_seconds": 0.4,
            "source": f"s{number}",
            "split": "train",
        }
        for number in range(4)
    ]


def _csv(rows: list[dict[str, object]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _manifest(place: Place, name: str, content: bytes) -> Case:
    return prepare(place, place.write(name, content), "words=[]")


def _csv_encodings(place: Place) -> Case:
    text = _csv(_rows(place)).replace("clip 1", "école 视频")
    encodings = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "gb18030", "cp1252", "cp037")
    content = text.encode(place.rng.choice(encodings), "replace")
    if place.rng.random() < 0.4:
        at = place.rng.randrange(len(content))
        content = content[:at] + place.rng.choice((b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1a")) + content[at:]
    return _manifest(place, "clips.csv", content)


def _csv_structure(place: Place) -> Case:
    return _manifest(place, "clips.csv", damage_text(place.rng, _csv(_rows(place))))


def _csv_header(place: Place) -> Case:
    rng, (header, *lines) = place.rng, _csv(_rows(place)).splitlines()
    names = header.split(",")
    others = (
        "path",
        "label",
        "labels:x",
        "label:x",
        "labels:",
        "label:FRAMES",
        "label:text",
        "Path",
        "pth",
        "",
        "tags",
    )
    names[rng.randrange(len(names))] = rng.choice((*others, *TEXTS)).replace("\n", " ")
    if rng.random() < 0.3:
        names += ["x"] * rng.choice((1, 2000))
    return _manifest(place, "clips.csv", "\n".join([",".join(names), *lines]).encode("utf-8", "surrogatepass"))


def _values(place: Place) -> Case:
    rows = _rows(place)
    numbers = ("-1", "nan", "inf", "1e400", "5", "0.4", "0:01", "9" * 5000, "1_0", "٣", "0.1e0", "-0.0")
    for _ in range(place.rng.choice((1, 3))):
        row, key = place.rng.choice(rows), place.rng.choice(list(rows[0]))
        row[key] = place.rng.choice(numbers if key.endswith("seconds") else TEXTS)
    return _manifest(place, "clips.csv", _csv(rows).encode("utf-8", "surrogatepass"))


def _manifest_paths(place: Place) -> Case:
    rows, good = _rows(place), place.good
    paths = (
        "../a.mp4",
        "a/../b.mp4",
        str(good.secret),
        good.clips.as_uri(),
        place.address,
        "/dev/zero",
        "/",
        "~/a.mp4",
        ".",
    )
    row = place.rng.choice(rows)
    row["path"] = place.rng.choice(paths)
    if place.rng.random() < 0.4:
        row["path"], row["subtitles"] = (
            str(good.videos[0]),
            place.rng.choice(("../a.srt", "/dev/zero.srt", "a.srt", "/.vtt")),
        )
        for other in rows:
            other.setdefault("subtitles", "")
    return _manifest(place, "clips.csv", _csv(rows).encode())


def _jsonl_structure(place: Place) -> Case:
    text = "\n".join(json.dumps(row) for row in _rows(place))
    return _manifest(place, "clips.jsonl", damage_text(place.rng, text))


def _jsonl_values(place: Place) -> Case:
    lines = [json.dumps(row).encode() for row in _rows(place)]
    number = place.rng.randrange(len(lines))
    lines[number] = damage_json(place.rng, json.loads(lines[number])).replace(b"\n", b" ")
    return _manifest(place, "clips.jsonl", b"\n".join(lines))


def _beside(place: Place, tail: str, content: bytes) -> Case:
    video = place.folder / "clip.mp4"
    shutil.copy(place.good.videos[0], video)
    place.write(f"clip{tail}", content)
    if place.rng.random() < 0.3:
        return Case(("predict", str(place.good.run), str(video), "--json"))
    return Case(("words", str(video), "--json"))


def _subtitles(tail: str, text: str) -> Callable[[Place], Case]:
    return lambda place: _beside(place, tail, damage_text(place.rng, text * place.rng.choice((1, 1, 50))))


def _markup(place: Place) -> Case:
    part = place.rng.choice(
        ("<a", "{", "<font", "{\\", "<b>", "&", "&#", "<v ", "-->", "\\N", "<00:", "NOTE\n\n", "\n", "1\n")
    )
    text = (SRT, VTT)[place.rng.randrange(2)] + part * (300_000 // len(part))
    return _beside(place, ".vtt" if text.startswith("WEB") else ".srt", text.encode())


def _info_json(place: Place) -> Case:
    return _beside(place, place.rng.choice((".info.json", ".json")), damage_json(place.rng, INFO))


def _plain_words(place: Place) -> Case:
    return _beside(place, place.rng.choice((".txt", ".description")), damage_text(place.rng, "A goal.\nSecond line\n"))


def _clip_list(place: Place) -> Case:
    rows = [{key: row[key] for key in ("path", "start_seconds", "end_seconds")} for row in _rows(place)[:2]]
    if place.rng.random() < 0.5:
        path = place.write("list.csv", damage_text(place.rng, _csv(rows)))
    else:
        path = place.write("list.jsonl", damage_json(place.rng, rows[0]).replace(b"\n", b" "))
    return Case(("predict", str(place.good.run), str(path), "--json"))


def _vectors(place: Place) -> Case:
    words = "".join(f"word{i} " + " ".join(["0.25"] * 8) + "\n" for i in range(20))
    content = damage_text(place.rng, place.rng.choice(("20 8\n", "")) + words)
    if place.rng.random() < 0.3:
        header = place.rng.choice((b"20 8\n", b"99999999999 300\n", b"-1 8\n", b"20 999999999\n", b"1 8"))
        content = header + b"word " + place.rng.randbytes(place.rng.choice((8, 32, 4000)))
    path = place.write(place.rng.choice(("v.vec", "v.txt", "v.bin")), content)
    return train(place, "--set", f"model.embeddings={path}")


def train(place: Place, *more: str) -> Case:
    """`train`, for as little as there can be."""
    flags = ("--backbone", "small_cnn", "--weights", "none", "--epochs", "1", "--set", "model.num_frames=2")
    small = (
        "model.height=32",
        "model.width=32",
        "model.projection_units=4",
        "model.lstm_units=4",
        "model.num_tokens=8",
    )
    settings = [part for setting in small for part in ("--set", setting)]
    return Case(("train", str(place.good.data), "--out", str(place.out), *flags, *settings, *more))


def hostile_texts() -> tuple[str, ...]:
    """Values for settings: texts and JSON."""
    return (
        *(text for text in TEXTS if "\0" not in text and len(text) < 100_000),
        *(f for f in FRAGMENTS if len(f) < 50_000),
    )


KINDS: dict[str, Callable[[Place], Case]] = {
    "CSV: encodings": _csv_encodings,
    "CSV: structure": _csv_structure,
    "CSV: header": _csv_header,
    "CSV: values": _values,
    "manifest: paths": _manifest_paths,
    "JSONL: structure": _jsonl_structure,
    "JSONL: values": _jsonl_values,
    "lists for predict": _clip_list,
    "subtitles: SubRip": _subtitles(".srt", SRT),
    "subtitles: WebVTT": _subtitles(".en.vtt", VTT),
    "subtitles: endless markup": _markup,
    "sidecars: JSON": _info_json,
    "sidecars: texts": _plain_words,
    "word vectors": _vectors,
}
