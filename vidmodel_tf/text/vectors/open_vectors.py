"""Opens a file of word vectors by its content: names and suffixes of such files follow no rule."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import check_fetched
from vidmodel_tf.text.vectors.binary_file import BinaryVectorFile
from vidmodel_tf.text.vectors.text_file import MAX_LINE_BYTES, TextVectorFile, count_numbers
from vidmodel_tf.text.vectors.vector_file import VectorFile, check_dimension, parse_header

_FORMATS = "word2vec (text or binary), GloVe or fastText .vec"
_REFUSED = {  # by the first bytes of the file
    b"\xba\x16\x4f\x2f": "a fastText model with subwords (.bin); give the .vec file that is published beside it",
    b"\x1f\x8b": "a compressed file; unpack it first (gunzip)",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x80": "a pickle, such as gensim's own format; save it with save_word2vec_format",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}


@contextlib.contextmanager
def open_vectors(path: Path) -> Iterator[VectorFile]:
    """Opens a file of word vectors, in word2vec's text or binary format, GloVe's, or fastText's `.vec`.

    Raises:
        InputError: It is missing, of another format, or its first lines are damaged.
    """
    if not path.is_file():
        raise InputError(f"there is no file of word vectors at {path}")
    check_fetched(path)
    with path.open("rb") as file:
        yield _recognise(file, path)


def _recognise(file: BinaryIO, path: Path) -> VectorFile:
    start = file.read(4)
    for mark, what in _REFUSED.items():
        if start.startswith(mark):
            raise InputError(f"expected word vectors as {_FORMATS}. Received: {what}", subject=path)
    if start.startswith(b"\xef\xbb\xbf"):
        raise InputError("expected UTF-8 without a byte order mark; save it without", subject=path)
    file.seek(0)
    first = file.readline(MAX_LINE_BYTES)
    if not first:
        raise InputError(f"expected word vectors as {_FORMATS}. Received: an empty file", subject=path)
    header = parse_header(first)
    dimension = header[1] if header else count_numbers(first)
    check_dimension(dimension, path)
    second = file.readline(MAX_LINE_BYTES)
    # More than the line: the first byte of a vector may be the one that ends a line.
    if header and count_numbers(second) < dimension and not _is_text(second + file.read(4 * dimension)):
        file.seek(len(first))
        return BinaryVectorFile(file, path, *header)
    file.seek(0)
    return TextVectorFile(file, path, dimension)


def _is_text(content: bytes) -> bool:
    """Whether this can be text, if damaged and cut off: little-endian float32 hold bytes that text does not."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return False
    return not any(character < " " and character not in "\t\r\n" for character in text)
