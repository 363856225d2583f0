"""What a model is asked about a clip, and what becomes of a clip that cannot be read. No TensorFlow."""

from __future__ import annotations

import dataclasses

from vidmodel_tf.decision import Seconds, seconds_to_json


@dataclasses.dataclass(frozen=True)
class Question:
    """One clip, as every form of a model is asked about it.

    Attributes:
        id: The clip's id in a data set, or the path as the user wrote it.
        jpeg_frames: T JPEGs in display order; empty for a model of words alone.
        words: The text fields, joined (`text.fields.join_fields`); "": no words.
        seconds: Start and end of a range of a video; None: the whole.
    """

    id: str
    jpeg_frames: tuple[bytes, ...]
    words: str
    seconds: Seconds | None = None


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A clip that could not be read.

    Attributes:
        id: As in `Question`.
        reason: One line, without the id.
        seconds: As in `Question`.
    """

    id: str
    reason: str
    seconds: Seconds | None = None

    def to_json(self) -> dict[str, object]:
        """`{"path", "error"}`, of a range with `"start_seconds"` and `"end_seconds"`."""
        return {"path": self.id, **seconds_to_json(self.seconds), "error": self.reason}
