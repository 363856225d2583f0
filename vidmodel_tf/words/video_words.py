"""The words of one video, as `vidmodel words` shows them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from vidmodel_tf.words.cues import Cue, sources_by_field, text_by_field

_SAID_OR_SHOWN = ("subtitles", "speech", "screen_text")


@dataclasses.dataclass(frozen=True)
class VideoWords:
    """What was found for a video: its path, and the words with their times."""

    path: str
    cues: tuple[Cue, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"path", "fields", "words_from", "cues"}`; what holds for the whole video ends at null."""
        return {
            "path": self.path,
            "fields": text_by_field(self.cues),
            "words_from": sources_by_field(self.cues),
            "cues": [_cue_to_json(cue) for cue in self.cues],
        }

    def to_srt(self) -> str:
        """The words with times that are said or shown, as a subtitle file (SubRip); "" where there are none.

        Example:
            >>> print(VideoWords("clip.mp4", (Cue(1.5, 2, "speech", "Hello", ""),)).to_srt())
            1
            00:00:01,500 --> 00:00:02,000
            Hello
            <BLANKLINE>
        """
        timed = [cue for cue in self.cues if cue.field in _SAID_OR_SHOWN and cue.end_seconds < math.inf]
        timed.sort(key=lambda cue: cue.start_seconds)
        return "\n".join(
            f"{number}\n{_time(cue.start_seconds)} --> {_time(cue.end_seconds)}\n{cue.text}\n"
            for number, cue in enumerate(timed, 1)
        )


def _cue_to_json(cue: Cue) -> dict[str, Any]:
    return {
        "start_seconds": round(cue.start_seconds, 3),
        "end_seconds": None if cue.end_seconds == math.inf else round(cue.end_seconds, 3),
        "field": cue.field,
        "text": cue.text,
        "from": cue.source,
    }


def _time(seconds: float) -> str:
    whole, milliseconds = divmod(round(max(seconds, 0.0) * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{milliseconds:03d}"
