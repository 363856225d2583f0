"""Which of the subtitle tracks inside a video file is read, and its words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from av.codec.codec import Properties
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream

from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.finder import ExtraWarning, WordsWarning
from vidmodel_tf.words.languages import best_codes
from vidmodel_tf.words.text_tracks import text_cues

_COMMENTARY = re.compile(r"comment(ar|at)|kommentar|解说|评论", re.IGNORECASE)
_UNKNOWN = ("und", "mis", "mul", "zxx")  # language codes that tell no language
_CAPTIONS = ("cc_dec", "eia_608")


def find_subtitles(container: InputContainer, languages: Sequence[str]) -> tuple[Cue, ...]:
    """The lines of the track that suits best; none where there is none.

    Tracks of commentary and those of forced subtitles (signs, foreign words) are never read. Of the others the first
    in the languages is, then the one that players show by default, then one that does not say its language; text goes
    before pictures of text.

    Args:
        container: Opened, nothing read from it.
        languages: As in `config.PrepareConfig.languages`.

    Warns:
        WordsWarning: All tracks are in other languages.
        ExtraWarning: The best track has pictures of text, and what would read them is not installed.
    """
    usable = [track for track in container.streams.subtitles if _is_known(track) and not _is_left_out(track)]
    chosen = _choose(usable, languages)
    if chosen is not None and not _is_text(chosen) and not _can_read_pictures():
        message = (
            "a subtitle track of pictures is passed over; to have it read: "
            'pip install "vidmodel_tf[words]", then pip install --no-deps rapidocr'
        )
        warnings.warn(message, ExtraWarning, stacklevel=2)
        chosen = _choose([track for track in usable if _is_text(track)], languages)
    elif usable and chosen is None:
        found = ", ".join(sorted({_language(track) for track in usable}))
        message = f"text tracks in other languages are passed over ({found}): prepare.languages={list(languages)}"
        warnings.warn(message, WordsWarning, stacklevel=2)
    if chosen is None:
        return ()
    return tuple(text_cues(container, chosen) if _is_text(chosen) else _picture_cues(container, chosen))


def _is_known(track: SubtitleStream) -> bool:
    """Closed captions in a track of their own are not text that is shown from a start to an end."""
    if track.codec_context is None or track.codec_context.name in _CAPTIONS:
        return False
    return _is_text(track) or _has(track, Properties.BITMAP_SUB)


def _is_text(track: SubtitleStream) -> bool:
    return _has(track, Properties.TEXT_SUB)


def _has(track: SubtitleStream, wanted: Properties) -> bool:
    return wanted in Properties(track.codec_context.codec.properties)


def _is_left_out(track: SubtitleStream) -> bool:
    names = (track.metadata.get(key, "") for key in ("title", "handler_name", "name"))
    is_commentary = bool(track.disposition & Disposition.comment) or any(map(_COMMENTARY.search, names))
    return is_commentary or bool(track.disposition & Disposition.forced)


def _choose(tracks: Sequence[SubtitleStream], languages: Sequence[str]) -> SubtitleStream | None:
    ranked = sorted(tracks, key=_rank)
    for code in best_codes(list(dict.fromkeys(map(_language, ranked))), languages):
        return next(track for track in ranked if _language(track) == code)
    suited = [track for track in ranked if _is_default(track)] or [t for t in ranked if _language(t) in _UNKNOWN]
    return next(iter(suited), None)


def _rank(track: SubtitleStream) -> tuple[bool, bool, bool]:
    """Equals stay in the order of the file; a track for the hard of hearing names noises too."""
    return not _is_text(track), not _is_default(track), bool(track.disposition & Disposition.hearing_impaired)


def _is_default(track: SubtitleStream) -> bool:
    return bool(track.disposition & Disposition.default)


def _language(track: SubtitleStream) -> str:
    return track.language or "und"


def _can_read_pictures() -> bool:
    from vidmodel_tf.words.ocr import has_ocr

    return has_ocr()


def _picture_cues(container: InputContainer, track: SubtitleStream) -> list[Cue]:
    from vidmodel_tf.words.bitmap_tracks import bitmap_cues

    return bitmap_cues(container, track)
