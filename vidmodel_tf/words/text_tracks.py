"""Text tracks inside a video file: which one is read, and its lines with their times. Nothing is decoded but text."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Sequence

import av.error
from av.codec.codec import Properties
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.finder import WordsWarning
from vidmodel_tf.words.languages import best_codes
from vidmodel_tf.words.rolling import Shown, each_line_once
from vidmodel_tf.words.subtitles import plain_lines

# FFmpeg's decoders of these drop what only looks like a tag, such as the name in "<name> speaks".
_PLAIN_TEXT = ("srt", "subrip", "text", "webvtt")
_COMMENTARY = re.compile(r"comment(ar|at)|kommentar|解说|评论", re.IGNORECASE)
_UNKNOWN = ("", "und", "mis", "mul", "zxx")
# SubStation: a drawing stands between {\p1} and {\p0}; what else is in braces is an override, or a comment.
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|\Z)", re.DOTALL)
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_BRACES = re.compile(r"\{[^{}]*\}")
_TEXT_COLUMN = 8  # of an event as FFmpeg's decoders give it: ReadOrder,Layer,Style,Name,3 margins,Effect,Text


def find_text_track(container: InputContainer, languages: Sequence[str]) -> tuple[Cue, ...]:
    """The lines of the text track that suits best; none where there is none.

    Tracks of commentary and those of forced subtitles (signs, foreign words) are never read. Of the others the first
    in the languages is, then the one that players show by default, then one that does not say its language.

    Args:
        container: Opened, nothing read from it.
        languages: As in `config.PrepareConfig.languages`.

    Warns:
        WordsWarning: There are only tracks that are not read.
    """
    tracks = [stream for stream in container.streams.subtitles if _has(stream, Properties.TEXT_SUB)]
    usable = [stream for stream in tracks if not _is_left_out(stream)]
    chosen = _choose(usable, languages)
    if chosen is not None:
        return tuple(_read(container, chosen))
    if usable:
        found = ", ".join(sorted({_language(stream) for stream in usable}))
        message = f"text tracks in other languages are passed over ({found}): prepare.languages={list(languages)}"
        warnings.warn(message, WordsWarning, stacklevel=2)
    return ()


def _has(stream: SubtitleStream, wanted: Properties) -> bool:
    return stream.codec_context is not None and wanted in Properties(stream.codec_context.codec.properties)


def _is_left_out(stream: SubtitleStream) -> bool:
    names = (stream.metadata.get(key, "") for key in ("title", "handler_name", "name"))
    is_commentary = bool(stream.disposition & Disposition.comment) or any(map(_COMMENTARY.search, names))
    return is_commentary or bool(stream.disposition & Disposition.forced)


def _choose(tracks: Sequence[SubtitleStream], languages: Sequence[str]) -> SubtitleStream | None:
    # Sorting keeps the order of the file; the track for the hard of hearing has sounds in it too.
    ranked = sorted(tracks, key=lambda track: (not _is_default(track), bool(track.disposition & _FOR_DEAF)))
    for code in best_codes(list(dict.fromkeys(map(_language, ranked))), languages):
        return next(track for track in ranked if _language(track) == code)
    suited = [track for track in ranked if _is_default(track)] or [t for t in ranked if _language(t) in _UNKNOWN]
    return next(iter(suited), None)


_FOR_DEAF = Disposition.hearing_impaired


def _is_default(track: SubtitleStream) -> bool:
    return bool(track.disposition & Disposition.default)


def _language(track: SubtitleStream) -> str:
    return track.language or "und"


def _read(container: InputContainer, track: SubtitleStream) -> Iterator[Cue]:
    source = f"tracks:{_language(track)}"
    shown = sorted(_shown(container, track), key=lambda part: part.start_seconds)
    for part in each_line_once(_with_ends(shown)):
        yield Cue(part.start_seconds, part.end_seconds, "subtitles", " ".join(part.lines), source)


def _shown(container: InputContainer, track: SubtitleStream) -> Iterator[Shown]:
    for stream in container.streams:
        if stream is not track:
            stream.discard = Discard.all
    zero_seconds = (container.start_time or 0) / av.time_base
    with contextlib.suppress(av.error.FFmpegError):  # a file that is cut off ends here
        for packet in container.demux(track):
            if packet.pts is None or packet.time_base is None or not packet.size:
                continue
            start = float(packet.pts * packet.time_base) - zero_seconds
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
