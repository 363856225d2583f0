"""Whatever yields frames: files today. One conformance test holds all kinds to the same behaviour."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol, Self

from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.frame import Frame


class VideoSource(Protocol):
    """Frames in display order.

    Indices count up from 0 and times never fall. A closed source yields no more frames. A source is a context manager
    that closes itself.
    """

    @property
    def duration_seconds(self) -> float | None:
        """From the first picture to the end of the last; None where the source does not end."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in display order."""
        ...

    def close(self) -> None:
        """Frees what the source holds. May be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


def open_source(path: str | os.PathLike[str]) -> VideoSource:
    """The source that `path` names: a video file.

    Raises:
        InputError: It is not a video; the message says what it is.
    """
    return VideoFile(path)
