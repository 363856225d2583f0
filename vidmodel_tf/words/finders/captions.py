"""Closed captions (CEA-608) that are hidden in the pictures of a video -> cues.

They are found in the compressed packets, and no picture is decoded, which costs more; except where the container does
not say in which order pictures are displayed.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import av.error
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, Subtitle

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.rolling import Shown, each_line_once

VERSION = 1  # counts up when other words are found: what was found before is then not used any more
FIELDS = ("subtitles",)

# ATSC A/53 part 4: the same user data in H.264 and HEVC (SEI) and in MPEG-2. Its bytes never need the escapes of
# those formats: a marker byte of F8 or more stands before every two bytes of captions.
_USER_DATA = re.compile(rb"GA94\x03([\x40-\x5f\xc0-\xdf]).((?:[\xf8-\xff]..)+)", re.DOTALL)
_COUNT_BITS = 0x1F
# The decoder needs a clock, which PyAV gives to decoders of the streams of a file alone.
_EMPTY_SCC = b"Scenarist_SCC V1.0\n\n00:00:00:00\t8080\n"
_STYLE = re.compile(r"\{\\[^}]*\}")


def find_captions(path: Path, settings: PrepareConfig) -> tuple[Cue, ...]:
    """The captions of the first channel that a video carries, each line once.

    A caption starts when it appears on the screen and ends when it goes or another one comes.

    Args:
        path: The video.
        settings: None of them matters here.

    Raises:
        InputError: It is not a video.
    """
    with VideoFile(path) as video:
        shown = list(_in_words(video))
    return tuple(
        Cue(part.start_seconds, part.end_seconds, "subtitles", " ".join(part.lines), "captions")
        for part in each_line_once(_whole_lines(shown))
    )


def _in_words(video: VideoFile) -> Iterator[Shown]:
    """What stands on the screen, from each change of it to the next."""
    if video.packets.is_hidden.all():  # there are none where a file is cut off behind its header
        return
    timeline = video.timeline(video.packets)
    start_seconds, lines = 0.0, ()
    with av.open(io.BytesIO(_EMPTY_SCC), format="scc") as container:
        decoder = container.streams.subtitles[0]
        # In "real time" the decoder tells at once what has appeared; else only what has gone, and not since when.
        decoder.codec_context.options = {"real_time": "1", "real_time_latency_msec": "0"}
        for seconds, data in _caption_data(video):
            for subtitle in _decoded(decoder, _packet(seconds, data)):
                yield Shown(start_seconds, seconds, lines)
                start_seconds, lines = seconds, _lines(subtitle)
    yield Shown(start_seconds, float(timeline.seconds[-1]) + (timeline.last_seconds or 0.0), lines)


def _decoded(decoder: SubtitleStream, packet: av.Packet) -> Iterable[Subtitle]:
    with contextlib.suppress(av.error.FFmpegError):
        return decoder.decode2(packet) or ()
    return ()


def _packet(seconds: float, data: bytes) -> av.Packet:
    packet = av.Packet(data)
    packet.pts = round(seconds * 1000)  # SCC counts thousandths
    return packet


def _caption_data(video: VideoFile) -> Iterator[tuple[float, bytes]]:
    """Seconds and data of every picture that has any, in display order."""
    packets = video.packets
    timeline = video.timeline(packets)
    if not packets.has_trusted_times:
        for seconds, picture in zip(timeline.seconds, video.decode(packets, 0), strict=False):
            if data := picture.side_data.get("A53_CC"):
                yield float(seconds), bytes(data)
        return
    in_packets = {packet.pts: data for packet in video.packets_from(packets, 0) if (data := data_in(bytes(packet)))}
    for pts, seconds in zip(timeline.keys.tolist(), timeline.seconds.tolist(), strict=True):
        if pts in in_packets:
            yield seconds, in_packets[pts]


def data_in(packet: bytes) -> bytes:
    """The captions in the user data of a compressed picture, three bytes each; b"" where there are none.

    Example:
        >>> data_in(b"..GA94" + bytes([3, 0x41, 0xFF, 0xFC, 0x94, 0x20, 0xFF]) + b"..").hex()
        'fc9420'
    """
    found = []
    for flags, data in _USER_DATA.findall(packet):
        num_bytes = 3 * (flags[0] & _COUNT_BITS)
        found.append(data[:num_bytes] if len(data) >= num_bytes else b"")
    return b"".join(found)


def _whole_lines(shown: list[Shown]) -> Iterator[Shown]:
    """Live captions come letter by letter: one caption a line, from its first letter on."""
    growing = Shown(0.0, 0.0, ())
    for part in shown:
        if _goes_on(growing.lines, part.lines):
            growing = Shown(growing.start_seconds, part.end_seconds, part.lines)
        else:
            yield growing
            growing = part
    yield growing


def _goes_on(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether letters were only added to the last line, or taken away from it."""
    if not before or len(before) != len(after) or before[:-1] != after[:-1]:
        return False
    return after[-1].startswith(before[-1]) or before[-1].startswith(after[-1])


def _lines(subtitle: Subtitle) -> tuple[str, ...]:
    dialogue = subtitle.dialogue if isinstance(subtitle, AssSubtitle) else b""
    text = _STYLE.sub("", dialogue.decode(errors="replace")).replace("\\h", " ")
    return tuple(" ".join(line.split()) for line in text.split("\n") if line.strip())
