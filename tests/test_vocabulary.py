from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.text.vocabulary import Vocabulary

FIELDS = ("title", "tags")
TEXTS = [
    {"title": "Red cat, red dog", "tags": "cat, pets"},
    {"title": "A RED fox", "tags": "", "description": "not counted"},
    {"tags": "Zoo", "title": None},
]
NUM_TOKENS = 12
words_strategy = st.lists(st.sampled_from(["red", "cat", "猫", "fox", "unheard"]), max_size=30)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_texts(TEXTS, FIELDS)


def test_words_come_by_falling_count_then_by_code_point(vocabulary):
    # red 3, cat 2, the others once
    assert vocabulary.words == ("red", "cat", "a", "dog", "fox", "pets", "zoo")
    assert vocabulary.lines[:4] == ("[PAD]", "[UNK]", "[TITLE]", "[TAGS]")
    assert len(vocabulary) == 11


def test_size_and_count_are_limited():
    assert Vocabulary.from_texts(TEXTS, FIELDS, max_size=5).words == ("red",)
    assert Vocabulary.from_texts(TEXTS, FIELDS, min_count=2).words == ("red", "cat")
    assert Vocabulary.from_texts([], FIELDS).words == ()


def test_encoded_words_by_hand(vocabulary):
    joined = join_fields({"title": "Red FOX!", "tags": "cat, submarine"}, FIELDS)
    np.testing.assert_array_equal(vocabulary.encode(joined, 8), [2, 4, 8, 3, 5, 1, 0, 0])
    assert vocabulary.encode(joined, 8).dtype == np.int32


def test_bare_string_is_the_first_field(vocabulary):
    np.testing.assert_array_equal(
        vocabulary.encode("red cat", 8), vocabulary.encode(join_fields({"title": "red cat"}, FIELDS), 8)
    )
    assert vocabulary.encode("red cat", 8)[0] == 2


@pytest.mark.parametrize("text", ["", " ", "\x01\x02", "!?\x02...", "\x07red", "\u200d"])
def test_no_text_is_all_zeros(vocabulary, text):
    np.testing.assert_array_equal(vocabulary.encode(text, 8), np.zeros(8))


def test_order_of_the_fields_in_a_string_does_not_matter(vocabulary):
    np.testing.assert_array_equal(vocabulary.encode("\x02cat\x01red", 8), vocabulary.encode("\x01red\x02cat", 8))


def test_long_tags_leave_the_title_its_budget(vocabulary):
    joined = join_fields({"title": "red cat fox", "tags": "dog " * 100}, FIELDS)
    np.testing.assert_array_equal(vocabulary.encode(joined, 8, (4, 4)), [2, 4, 5, 8, 3, 7, 7, 7])
    np.testing.assert_array_equal(vocabulary.encode(joined, 8, (2, 6)), [2, 4, 3, 7, 7, 7, 7, 7])
    np.testing.assert_array_equal(vocabulary.encode("\x02" + "dog " * 100, 4, (3, 1)), [3, 7, 7, 7])


@given(words_strategy, words_strategy, st.integers(0, NUM_TOKENS))
def test_encoding_holds_the_beginning_of_each_field(title, tags, title_budget):
    vocabulary = Vocabulary(["red", "cat", "猫"], FIELDS)
    joined = join_fields({"title": " ".join(title), "tags": " ".join(tags)}, FIELDS)
    token_ids = vocabulary.encode(joined, NUM_TOKENS, (title_budget, NUM_TOKENS - title_budget)).tolist()
    assert len(token_ids) == NUM_TOKENS
    ids = {"red": 4, "cat": 5, "猫": 6}
    filled = [token_id for token_id in token_ids if token_id]
    assert token_ids == filled + [0] * (NUM_TOKENS - len(filled))
    tags_begin = filled.index(3) if 3 in filled else len(filled)
    assert filled[1:tags_begin] == [ids.get(word, 1) for word in title][: max(0, tags_begin - 1)]
    assert filled[tags_begin + 1 :] == [ids.get(word, 1) for word in tags][: max(0, len(filled) - tags_begin - 1)]
    if title and title_budget >= 2:
        assert tags_begin >= min(len(title) + 1, title_budget)


def test_round_trip(vocabulary, tmp_path):
    path = tmp_path / "vocabulary.txt"
    vocabulary.save(path)
    assert path.read_bytes().startswith(b"[PAD]\n[UNK]\n[TITLE]\n[TAGS]\nred\n")
    loaded = Vocabulary.load(path)
    assert (loaded.lines, loaded.fields) == (vocabulary.lines, vocabulary.fields)


def test_round_trip_of_any_script(tmp_path):
    vocabulary = Vocabulary.from_texts([{"title": "हिन्दी 猫 🇩🇪 😂 Å ﷺ"}], ("title",))
    vocabulary.save(tmp_path / "vocabulary.txt")
    assert Vocabulary.load(tmp_path / "vocabulary.txt").words == vocabulary.words
    assert len(vocabulary.words) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"red\ncat\n", r"begins with the lines \[PAD\] and \[UNK\]. Received: \['red', 'cat'\]"),
        (b"", "lines that end in"),
        (b"[PAD]\r\n[UNK]\r\n[TITLE]\r\n", "lines that end in"),
        (b"[PAD]\n[UNK]\n[TITLE]\nred", "lines that end in"),
        (b"[PAD]\n[UNK]\nred\n", "1 to 8 different names"),
        (b"[PAD]\n[UNK]\n[TITLE]\nred\n[TAGS]\n", r"markers \['\[TITLE\]', '\[TAGS\]'\] right after"),
        (b"[PAD]\n[UNK]\n[TITLE]\nred\nred\n", "every line once. Received twice: 'red'"),
        (b"[PAD]\n[UNK]\n[TITLE]\n\nred\n", "without white space and brackets. Received: ''"),
        (b"[PAD]\n[UNK]\n[TITLE]\nred cat\n", "Received: 'red cat'"),
        (b"[PAD]\n[UNK]\n[TITLE]\n\xff\n", "UTF-8"),
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path, content, message):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"vocabulary.txt.*{message}"):
        Vocabulary.load(path)


def test_missing_file_and_reserved_field_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the vocabulary .*: No such file"):
        Vocabulary.load(tmp_path / "missing.txt")
    with pytest.raises(InputError, match=r"Received twice: '\[PAD\]'"):
        Vocabulary([], ("pad",))
