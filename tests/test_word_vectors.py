"""Readers of word vectors: files made by hand byte for byte, damaged ones, and a round trip."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.text.vectors.binary_file import _CHUNK_BYTES
from vidmodel_tf.text.vectors.read_vectors import read_word_vectors
from vidmodel_tf.text.vectors.text_file import MAX_LINE_BYTES
from vidmodel_tf.text.vectors.write_vectors import write_word_vectors

WORDS = ["cat", "猫", "dog"]
VALUES = np.array([[0.5, -1.25, 3e-05], [1, 2, 3], [-0.0, 100, 0.1]], np.float32)


def word2vec_text(end: str = "") -> bytes:
    return f"3 3\ncat 0.5 -1.25 3e-05{end}\n猫 1 2 3{end}\ndog -0 100 0.1{end}\n".encode()


def word2vec_binary(feed: bytes = b"\n", words=WORDS, values=VALUES) -> bytes:
    entries = [
        word.encode() + b" " + struct.pack(f"<{len(vector)}f", *vector) + feed
        for word, vector in zip(words, values, strict=True)
    ]
    return f"{len(words)} {len(values[0])}\n".encode() + b"".join(entries)


FORMATS = {
    "word2vec text": word2vec_text(),
    "word2vec text of the C program": word2vec_text(end=" "),
    "with Windows line ends": word2vec_text().replace(b"\n", b"\r\n"),
    "fastText .vec": word2vec_text(end=" "),
    "GloVe": word2vec_text().partition(b"\n")[2],
    "GloVe without the last line feed": word2vec_text().partition(b"\n")[2][:-1],
    "with tabs": word2vec_text().replace(b" ", b"\t"),
    "word2vec binary": word2vec_binary(),
    "word2vec binary of gensim": word2vec_binary(feed=b""),
}


@pytest.fixture
def read(tmp_path):
    def read_content(content: bytes, words=WORDS):
        (tmp_path / "vectors").write_bytes(content)
        return read_word_vectors(tmp_path / "vectors", words)

    return read_content


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_the_vectors_that_were_asked_for(read, content):
    found = read(content)
    assert found.words == tuple(WORDS)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.values.dtype == np.float32
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    found = read(content, ["dog", "missing"])
    assert (found.words, found.values.tolist(), found.dimension) == (("dog",), VALUES[2:].tolist(), 3)


@example({"0": [3.712725208478515e16, 0.0, 0.0, 0.0]})  # its first byte in the binary format ends a line
@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=9),
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=4, max_size=4),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_read_back_bit_for_bit(tmp_path_factory, vectors):
    path = tmp_path_factory.mktemp("vectors") / "written.txt"
    values = np.array(list(vectors.values()), np.float32)
    for content in (None, word2vec_binary(words=list(vectors), values=values)):
        if content is None:
            write_word_vectors(path, list(vectors), values)
        else:
            path.write_bytes(content)
        found = read_word_vectors(path, list(vectors))
        assert found.words == tuple(vectors)
        assert found.values.tobytes() == values.tobytes()


def test_of_words_that_come_twice_the_first_counts(read):
    assert read(b"cat 1 2\ndog 5 6\ncat 3 4\n", ["cat"]).values.tolist() == [[1, 2]]


def test_words_in_capitals_serve_where_there_are_no_others(read):
    found = read("PARIS 1 2\nParis 3 4\nÉcole 5 6\nRome 7 8\nrome 9 10\n".encode(), ["paris", "école", "rome"])
    assert found.values.tolist() == [[1, 2], [5, 6], [9, 10]]


def test_words_may_hold_spaces_and_what_python_takes_for_ends_of_lines(read):
    content = "new york 1 2\na\u2028b 3 4\n. . . 5 6\na\xa0b 7 8\ncat 9 10\n".encode()
    found = read(content, ["cat", "new", "york", "new york", "a\u2028b"])
    assert dict(zip(found.words, found.values.tolist(), strict=True)) == {
        "cat": [9, 10],
        "new york": [1, 2],
        "a\u2028b": [3, 4],
    }


def test_words_that_are_not_utf8_serve_for_none(read):
    assert read(b"cat 1 2\ncaf\xe9 3 4\ndog 5 6\n").words == ("cat", "dog")
    assert read(b"2 1\n\xff\xfe \x00\x00\x80?\ncat \x00\x00\x80?\n").words == ("cat",)
    for header in (b"", b"2 2\n"):  # the first too, by which the format is recognised
        assert read(header + b"caf\xe9 3 4\ndog 5 6\n").values.tolist() == [[5, 6]]


BAD_LINES = {
    "a number missing": (b"cat 1 2\ndog 3\nfox 5 6\n", r"line 2: expected a word and 2 numbers.*Received: 'dog 3'$"),
    "a number too many": (b"cat 1 2\ndog 3 4 5\n", r"line 2: expected a word and 2 numbers.*Received: 'dog 3 4 5'"),
    "no number": (b"2 2\ncat 1 2\ndog 3 x4\n", r"line 3: expected a word and 2 numbers.*Received: 'dog 3 x4'"),
    "numbers that are none": (b"cat 1 2\ncat 1 2\ndog 1-2 3\n", r"line 3: expected numbers after the word \(.*'1-2'"),
    "no word": (b"cat 1 2\n 3 4\nfox 5 6\n", r"line 2: expected a word and 2 numbers"),
    "an empty line": (b"cat 1 2\n\nfox 5 6\n", r"line 2: .* Received: an empty line$"),
    "not finite": (b"cat 1 2\ndog nan 3\n", r"line 2: expected a word and 2 numbers.*Received: 'dog nan 3'"),
    "too large": (b"cat 1 2\ndog 1e39 3\n", r"line 2: expected finite numbers. Received: inf"),
    "cut short in a line": (b"2 2\ncat 1 2\ndog 3", r"line 3: .*Received: 'dog 3'; it was cut short"),
    "cut short": (b"3 2\ncat 1 2\ndog 3 4\n", r"line 1 says 3 words. Received: 2 lines of words; it was cut short"),
    "more words": (b"1 2\ncat 1 2\ndog 3 4\n", r"line 1 says 1 words. Received: 2 lines of words$"),
    "binary, cut short": (
        word2vec_binary()[:-20],
        r"3 words of 3 numbers, at least 39 bytes. Received: 3\d; it was cut",
    ),
    "binary, cut in the last": (
        word2vec_binary(feed=b"")[:-1],
        r"word 3 of 3: .*Received: the end of the file; it was",
    ),
    "binary, more bytes": (word2vec_binary() + b"rest", r"expected the end of the file after 3 words of 3 numbers"),
    "binary, not finite": (
        word2vec_binary(values=np.array([[1], [np.nan], [3]], np.float32)),
        r"word 2: expected finite numbers. Received: nan",
    ),
    "binary, no space": (
        b"1000 2\ncat " + bytes(8) + b"\x01" * 2 * _CHUNK_BYTES,
        r"word 2 of 1000: .*Received: no space in 4096 bytes",
    ),
    "an endless line": (b"cat 1 2\n" + b"1" * 2 * MAX_LINE_BYTES, r"line 2: .*Received: a line of 262144 bytes or"),
    "an endless first line": (b"cat" + b" 1" * MAX_LINE_BYTES, r"expected vectors of 1 to 4096 numbers"),
    "a hostile header": (b"99999999999 99999999\ncat 1 2\n", r"expected vectors of 1 to 4096 numbers. Received: 9999"),
    "a hostile number of words": (b"99999999999 2\ncat 1 2\n", r"line 1 says 99999999999 words. Received: 1 lines"),
    "none of the words": (b"chat 1 2\nchien 3 4\n", r"none of its 3 words has one; are they of another language\?"),
    "an empty file": (b"", r"Received: an empty file"),
    "prose": (b"cat\ndog\n", r"expected vectors of 1 to 4096 numbers. Received: 0; is it a file of word vectors\?"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00 \x00 \x00\n", r"expected vectors of 1 to 4096|Received: other bytes"),
    "fastText .bin": (struct.pack("<ii", 793712314, 12) + bytes(99), r"a fastText model with subwords \(\.bin\); give"),
    "gzip": (b"\x1f\x8b\x08\x00", r"Received: a compressed file; unpack it first \(gunzip\)"),
    "zip": (b"PK\x03\x04rest", r"Received: a zip archive; unpack it first"),
    "gensim's own": (b"\x80\x04\x95\x00", r"Received: a pickle.*save_word2vec_format"),
    "UTF-16": ("cat 1 2\n".encode("utf-16"), r"Received: text in UTF-16; save it as UTF-8"),
    "a byte order mark": ("\ufeffcat 1 2\n".encode(), r"expected UTF-8 without a byte order mark"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"is a pointer of Git LFS"),
}


@pytest.mark.parametrize(("content", "message"), BAD_LINES.values(), ids=BAD_LINES)
def test_what_is_wrong_with_a_file_is_said_with_its_name_and_line(read, tmp_path, content, message):
    with pytest.raises(InputError, match=message) as error:
        read(content)
    assert str(tmp_path / "vectors") in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file():
    with pytest.raises(InputError, match=r"there is no file of word vectors at no/such\.vec"):
        read_word_vectors("no/such.vec", ["cat"])


def test_entries_across_chunks_of_a_binary_file(tmp_path):
    words = [f"word{number}" for number in range(3000)]
    values = np.random.default_rng(0).normal(size=(3000, 200)).astype(np.float32)
    content = word2vec_binary(words=words, values=values)
    assert len(content) > 2 * _CHUNK_BYTES
    (tmp_path / "large.bin").write_bytes(content)
    np.testing.assert_array_equal(read_word_vectors(tmp_path / "large.bin", words).values, values)
