"""A video file -> the frames that stand for one clip of it."""

from __future__ import annotations

from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip
from vidmodel_tf.clips.read_file import read_file
from vidmodel_tf.errors import InputError


def read_clip(request: ClipRequest) -> DecodedClip:
    """Decodes the frames that are requested.

    Raises:
        InputError: The file cannot be read as a video, or less than half of it can, or the range lies outside of it.
    """
    (answer,) = read_file([request])
    if isinstance(answer, InputError):
        raise answer
    return answer
