"""What a model is asked about a clip, and what becomes of a clip that cannot be read. No TensorFlow."""

from __future__ import annotations

import dataclasses

from vidmodel_tf.decision import Seconds, clip_to_json


@dataclasses.dataclass(frozen=True)
class Question:
    """One clip, as every form of a model is asked about it.

    Attributes:
        id: The clip's id in a data set, or the path as the user wrote it.
        jpeg_frames: T JPEGs in display order; empty for a model of words alone.
        words: The text fields, joined (`text.fields.join_fields`); "": no words.
        seconds: Start and end of a range of a video; None: the whole.
        question: What a list of clips asks about it, which is among the words; "": nothing.
    """

    id: str
    jpeg_frames: tuple[bytes, ...]
    words: str
    seconds: Seconds | None = None
    question: str = ""


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A clip that could not be read.

    Attributes:
        id: As in `Question`.
        reason: One line, without the id.
        seconds: As in `Question`.
        question: As in `Question`.
    """

    id: str
    reason: str
    seconds: Seconds | None = None
    question: str = ""

    def to_json(self) -> dict[str, object]:
        """`{"path", "error"}`, with `"start_seconds"`, `"end_seconds"` and `"question"` as an answer has them."""
        return {**clip_to_json(self.id, self.seconds, self.question), "error": self.reason}
