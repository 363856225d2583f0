"""The lines of a text track inside a video file, with their times. No picture is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import av.error
from av.container import InputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.rolling import Shown, each_line_once
from vidmodel_tf.words.subtitles import plain_lines
from vidmodel_tf.words.track_packets import track_packets

# FFmpeg's decoders of these drop what only looks like a tag, such as the name in "<name> speaks".
_PLAIN_TEXT = ("srt", "subrip", "text", "webvtt")
# SubStation: a drawing stands between {\p1} and {\p0}; what else is in braces is an override, or a comment.
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|\Z)", re.DOTALL)
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_BRACES = re.compile(r"\{[^{}]*\}")
_TEXT_COLUMN = 8  # of an event as FFmpeg's decoders give it: ReadOrder,Layer,Style,Name,3 margins,Effect,Text


def text_cues(container: InputContainer, track: SubtitleStream) -> Iterator[Cue]:
    """The lines of a track, without markup and each once.

    Args:
        container: Opened, nothing read from it.
        track: One of its text tracks.
    """
    source = f"tracks:{track.language or 'und'}"
    shown = sorted(_shown(container, track), key=lambda part: part.start_seconds)
    for part in each_line_once(_with_ends(shown)):
        yield Cue(part.start_seconds, part.end_seconds, "subtitles", " ".join(part.lines), source)


def _shown(container: InputContainer, track: SubtitleStream) -> Iterator[Shown]:
    for start, packet in track_packets(container, track):
        length = float((packet.duration or 0) * packet.time_base)
        if lines := tuple(plain_lines(_text(packet, track))):
            yield Shown(start, start + max(length, 0.0), lines)


def _with_ends(shown: Sequence[Shown]) -> Iterator[Shown]:
    """What does not say how long it is shown is shown until the next."""
    for index, part in enumerate(shown):
        is_open = part.end_seconds <= part.start_seconds and index + 1 < len(shown)
        yield Shown(part.start_seconds, shown[index + 1].start_seconds, part.lines) if is_open else part


def _text(packet: Packet, track: SubtitleStream) -> str:
    if track.codec_context.name in _PLAIN_TEXT:
        return bytes(packet).decode(errors="replace")
    try:
        decoded = track.decode2(packet) or ()
    except av.error.FFmpegError:
        return ""
    events = [item.ass.decode(errors="replace") for item in decoded if isinstance(item, AssSubtitle)]
    return "\n".join(_plain(event.split(",", _TEXT_COLUMN)[-1], track) for event in events)


def _plain(text: str, track: SubtitleStream) -> str:
    braces = _BRACES if track.codec_context.name in ("ass", "ssa") else _OVERRIDE
    text = braces.sub("", _DRAWING.sub("", text))
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
