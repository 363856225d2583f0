"""How large a request may be, so that none takes a server's memory, or its time from all others. No TensorFlow."""

from __future__ import annotations

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.text.fields import MAX_TEXT_BYTES

MAX_TEXT_BYTES_TOGETHER = 16 * MAX_TEXT_BYTES  # a batch as `deploy/batching.config` has it, each text the longest
MAX_CLIPS = 64  # with their frames; a batch is 16
MAX_CLIPS_WITHOUT_FRAMES = 1024  # as features, or as words alone
MIN_FRAMES = 1024  # which any model takes in one request
MAX_JPEG_BYTES = 32 * 2**20
MAX_JPEG_PIXELS = 2**25  # 8K (7680 x 4320) is a little less
MAX_JPEG_PIXELS_TOGETHER = 2**30  # 512 frames in Full HD
MAX_JPEG_SCANS = 32  # of a progressive file; encoders write about 10, and each is a pass over the whole picture


def max_frames(config: ModelConfig) -> int:
    """How many frames a request may have, of all its clips together."""
    return max(MIN_FRAMES, MAX_CLIPS * config.num_frames)


def describe_limits(config: ModelConfig) -> dict[str, int]:
    """The limits by name, for people who write a client."""
    limits = {
        "text_bytes": MAX_TEXT_BYTES,
        "text_bytes_together": MAX_TEXT_BYTES_TOGETHER,
        "clips_without_frames": MAX_CLIPS_WITHOUT_FRAMES,
    }
    if config.has_frames:
        limits |= {
            "frames": max_frames(config),
            "jpeg_bytes": MAX_JPEG_BYTES,
            "jpeg_pixels": MAX_JPEG_PIXELS,
            "jpeg_pixels_together": MAX_JPEG_PIXELS_TOGETHER,
            "jpeg_scans": MAX_JPEG_SCANS,
        }
    return limits
