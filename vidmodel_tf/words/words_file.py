"""Files with the words of a video: subtitles, and the texts and JSON beside it."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.storage import read_text

MAX_BYTES = 16 * 2**20  # hundreds of hours of speech


def read_words_file(path: Path) -> str:
    """The text in such a file.

    Raises:
        InputError: It cannot be read, has more than 16 MiB, or is in another encoding than `read_text` knows.
    """
    return read_text(path, max_bytes=MAX_BYTES)
