"""Kinds of hostile videos, and of names and links that stand for one."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import Case, Place
from tests.hostile.mutate import damage, flip, splice, truncate
from tests.referring_files import referring_texts, write_alias

SUFFIXES = (".mp4", ".mkv", ".avi", ".webm", ".ts", ".mpg", ".flv", ".wmv", ".gif", ".mxf", ".m4v", ".mjpeg", ".y4m")
SETTINGS = ("num_workers=1", "num_stored_frames=4", "short_side=32", "validation_fraction=0", "test_fraction=0")


def prepare(place: Place, source: Path, *more: str) -> Case:
    """`prepare` with settings for little work."""
    flags = [part for setting in (*SETTINGS, *more) for part in ("--set", f"prepare.{setting}")]
    arguments = ("prepare", str(source), "--out", str(place.out), *flags)
    return Case(arguments, is_whole_or_absent=True)


def ask(place: Place, video: Path | str) -> Case:
    """One of the commands that read videos."""
    good, out = place.good, str(place.out)
    choice = place.rng.randrange(4)
    if choice == 0 and isinstance(video, Path):
        for number, name in enumerate("ab"):
            folder = place.folder / "source" / name
            folder.mkdir(parents=True)
            shutil.copy(good.videos[number], folder / f"good{number}.mp4")
        target = place.folder / "source" / "a" / video.name
        _move_with_words(video, target)
        return prepare(place, place.folder / "source")
    if choice == 1:
        return Case(("words", "--json", "--", str(video)))
    if choice == 2:
        return Case(("timeline", "--out", out, "--window", "0.4", "--json", "--", str(good.run), str(video)))
    return Case(("predict", "--json", "--", str(good.run), str(video)))


def _move_with_words(video: Path, target: Path) -> None:
    for path in video.parent.iterdir():
        if path.name.startswith(video.stem) and (path.is_file() or path.is_symlink() or path.is_fifo()):
            path.rename(target.with_name(path.name))


def _damaged(way: Callable) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        video = place.rng.choice(place.good.videos)
        return ask(place, place.write(f"clip{video.suffix}", way(place.rng, video.read_bytes())))

    return make


def _swapped_header(place: Place) -> Case:
    first, second = (place.rng.choice(place.good.videos).read_bytes() for _ in range(2))
    at = place.rng.choice((4, 8, 16, 32, 64, 200))
    return ask(place, place.write(f"clip{place.rng.choice(SUFFIXES)}", first[:at] + second[at:]))


def _wrong_suffix(place: Place) -> Case:
    video = place.rng.choice(place.good.videos)
    return ask(place, place.write(f"clip{place.rng.choice(SUFFIXES)}", video.read_bytes()))


def _absurd_numbers(boxes: tuple[bytes, ...]) -> Callable[[Place], Case]:
    """Absurd values inside boxes of MP4: sizes of pictures in their track's description, times in their headers."""

    def make(place: Place) -> Case:
        rng = place.rng
        content = bytearray(next(video for video in place.good.videos if video.suffix == ".mp4").read_bytes())
        box = rng.choice([box for box in boxes if box in content])
        at = content.index(box) + 4 + rng.randrange(4, 90)
        number = rng.choice((0, 1, 0xFFFF, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x7FC00000, 30000))
        content[at : at + 4] = struct.pack(">I", number)
        return ask(place, place.write("clip.mp4", bytes(content)))

    return make


def _no_frames(place: Place) -> Case:
    video = next(video for video in place.good.videos if video.suffix == place.rng.choice((".mp4", ".avi", ".webm")))
    content = video.read_bytes()
    marks = {".mp4": b"mdat", ".avi": b"movi", ".webm": b"\x1f\x43\xb6\x75"}
    at = content.index(marks[video.suffix])
    end = len(content) if video.suffix != ".mp4" else content.index(b"moov") - 4
    blank = place.rng.choice((bytes(end - at - 4), b"\xff" * (end - at - 4), b""))
    return ask(place, place.write(f"clip{video.suffix}", content[: at + 4] + blank + content[end:]))


def _noise(place: Place) -> Case:
    magic = place.rng.choice(
        (b"", b"\0\0\0\x20ftypisom", b"RIFF\0\0\0\0AVI LIST", b"\x1aE\xdf\xa3", b"FLV\x01", b"G", b"OggS", b"GIF89a",
         b"\0\0\x01\xba", b"\0\0\0\x01\x67", b"YUV4MPEG2 W99999 H99999 F25:1\nFRAME\n", b"DKIF", b"nut/multimedia")
    )  # fmt: skip
    path = place.write(f"clip{place.rng.choice(SUFFIXES)}", magic + place.rng.randbytes(place.rng.choice((0, 9, 9000))))
    if place.rng.random() < 0.2:
        os.truncate(path, 2**30)  # zeros that take no room
    return ask(place, path)


def _playlist(place: Place) -> Case:
    texts = referring_texts(place.good.videos[0], place.address)
    text = texts[place.rng.choice(sorted(texts))]
    name = place.rng.choice((*SUFFIXES, ".m3u8", ".m3u", ".ffconcat", ".sdp", ".mpd", ""))
    return ask(place, place.write(f"clip{name}", text.encode()))


def _inner_link(place: Place) -> Case:
    mp4 = next(video for video in place.good.videos if video.suffix == ".mp4")
    target = place.rng.choice((place.good.secret, mp4, Path("/etc/passwd")))
    path = write_alias(place.folder / "clip.mp4", mp4)
    path.write_bytes(path.read_bytes().replace(str(mp4).encode(), str(target).encode().ljust(len(str(mp4)), b"\0")))
    return ask(place, path)


def _still_or_text(place: Place) -> Case:
    import cv2
    import numpy as np

    suffix = place.rng.choice((".jpg", ".png", ".bmp", ".tiff", ".webp", ".gif", ".txt", ".ans", ".nfo"))
    if suffix in (".txt", ".ans", ".nfo"):
        content = b"\x1b[31m" + place.good.secret.read_bytes() * 50
    else:
        content = cv2.imencode(suffix, np.full((64, 64, 3), place.rng.randrange(256), np.uint8))[1].tobytes()
    return ask(place, place.write(f"clip{place.rng.choice((*SUFFIXES, suffix))}", content))


def _link(place: Place) -> Case:
    """The video itself, or a file beside it, is a link out of its folder."""
    outside, video = place.good.secret, place.folder / "clip.mp4"
    kind = place.rng.choice((".mp4", ".srt", ".vtt", ".txt", ".json", ".info.json", ".en.srt", ".description"))
    if kind != ".mp4":
        shutil.copy(place.good.videos[0], video)
    (place.folder / f"clip{kind}").symlink_to(outside)
    return ask(place, video)


def _device(place: Place) -> Case:
    video, kind = place.folder / "clip.mp4", place.rng.choice((".mp4", ".srt", ".vtt", ".txt", ".json", ".info.json"))
    if kind != ".mp4":
        shutil.copy(place.good.videos[0], video)
    path = place.folder / f"clip{kind}"
    target = place.rng.choice(
        ("pipe", "/dev/zero", "/dev/null", "/dev/stdin", "/dev/tty", "/dev/urandom", "/proc/kmsg")
    )
    if target == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
    return ask(place, video)


NAMES = (
    *(
        "-clip.mp4",
        "--json.mp4",
        "a\nb.mp4",
        "%s%n.mp4",
        "%03d.mp4",
        "a b'\".mp4",
        "ünïcode 视频 🎬.mp4",
        "\u202egpj.mp4",
    ),
    *(
        "x" * 250 + ".mp4",
        "a;rm -rf $HOME.mp4",
        "[1].mp4",
        "*.mp4",
        "a@5-8.mp4",
        "file:a.mp4",
        "a?b#c.mp4",
        "\x1b[31m.mp4",
    ),
    *("caf\udce9.mp4", "e\u0301.mp4", "~.mp4", "a\\b.mp4", " .mp4", "con.mp4", "a\tb.mp4", "a|b.mp4", "{a,b}.mp4"),
)


def _name(place: Place) -> Case:
    name = place.rng.choice(NAMES)
    shutil.copy(place.good.videos[0], place.folder / name)
    return ask(place, place.folder / name)


def _protocol(place: Place) -> Case:
    """What FFmpeg would take for a protocol, a device or a pattern."""
    good, address = place.good.videos[0], place.address
    names = (
        *(f"concat:{good}", f"subfile,,start,0,end,0,,:{good}", address, f"cache:{good}", "pipe:0", "fd:0", "-"),
        *("data:video/mp4;base64,AAAA", "lavfi:testsrc", f"tcp{address[4:]}", "seq%03d.jpg", f"async:{address}"),
        *("/dev/video0", "x11grab:0", f"crypto:{good}", "", " ", "\x01", "%00", "[", "~root"),
    )
    return ask(place, place.rng.choice(names))


KINDS: dict[str, Callable[[Place], Case]] = {
    "video: cut off": _damaged(truncate),
    "video: bytes changed": _damaged(flip),
    "video: stretches lost, repeated, blank": _damaged(splice),
    "video: header of another": _swapped_header,
    "video: wrong suffix": _wrong_suffix,
    "video: absurd sizes": _absurd_numbers((b"tkhd", b"mp4v", b"stsd", b"stsz", b"stco")),
    "video: absurd times": _absurd_numbers((b"mvhd", b"mdhd", b"stts", b"tkhd", b"elst")),
    "video: no frames": _no_frames,
    "video: noise": _noise,
    "video: damaged anyhow": _damaged(damage),
    "playlists and scripts": _playlist,
    "pictures in another file": _inner_link,
    "still pictures and texts": _still_or_text,
    "links out of the folder": _link,
    "pipes and devices": _device,
    "names of files": _name,
    "protocols and patterns as names": _protocol,
}
