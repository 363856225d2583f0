from __future__ import annotations

import csv

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.real_data import TITLES, needs
from vidmodel_tf.errors import InputError
from vidmodel_tf.text import fields, tokenize_graph
from vidmodel_tf.text.character_table import CLASSES, SHIFTS
from vidmodel_tf.text.characters import parse_ranges
from vidmodel_tf.text.fields import MAX_FIELDS
from vidmodel_tf.text.tokenize import tokenize_fields
from vidmodel_tf.text.tokenize_graph import TextEncoder, text_encoder
from vidmodel_tf.text.vocabulary import Vocabulary

FIELDS = ("title", "tags", "notes")
VOCABULARY = Vocabulary(["a", "b", "red", "猫", "7", "😂", "é", "🇩🇪"], FIELDS)

# First and last of every class and case range, and their neighbours outside: where the twins could differ.
BORDERS = sorted(
    {
        border + step
        for ranges in (*CLASSES.values(), " ".join(item.split("/")[0] for item in SHIFTS.split()))
        for border in sum(parse_ranges(ranges), ())
        for step in (-1, 0, 1)
        if 0 <= border + step < 0x110000 and not 0xD800 <= border + step < 0xE000
    }
)
texts_strategy = st.lists(
    st.lists(
        st.sampled_from([*"\x01\x02\x03\x04\x08 abAé猫7😂🇩🇪\u200d\u0301", "red ", "🇩🇪"])
        | st.sampled_from(BORDERS).map(chr),
        max_size=30,
    ).map("".join),
    min_size=1,
    max_size=8,
)
in_graph = tf.function(tokenize_graph.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])


def assert_same_tokens(texts: list[str], encoded: list[bytes] | None = None) -> None:
    tokens, groups = in_graph(tf.constant(encoded or [text.encode() for text in texts]))
    found: dict[int, list[str]] = {}
    for token, group in zip(tokens.numpy(), groups.numpy(), strict=True):
        found.setdefault(int(group), []).append(token.decode())
    for row, text in enumerate(texts):
        expected = tokenize_fields(text, MAX_FIELDS)
        assert [found.get(row * MAX_FIELDS + field, []) for field in range(MAX_FIELDS)] == expected, ascii(text[:99])


def contexts(character: str) -> str:
    return f"{character} a{character}b {character}{character} "


@pytest.mark.parametrize("plane", [0, *(pytest.param(plane, marks=pytest.mark.slow) for plane in range(1, 17))])
def test_twins_agree_on_every_code_point(plane):
    code_points = range(plane << 16, (plane + 1) << 16)
    sweep = [chr(c) for c in code_points if not 0xD800 <= c < 0xE000 and not 1 <= c <= 8]
    assert_same_tokens(["".join(map(contexts, sweep[begin : begin + 256])) for begin in range(0, len(sweep), 256)])


def test_twins_agree_on_every_code_point_that_is_a_marker():
    assert_same_tokens([contexts(chr(code_point)) for code_point in range(9)])


@settings(max_examples=300, deadline=None)
@given(texts_strategy)
def test_twins_agree_on_random_texts(texts):
    assert_same_tokens(texts)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=12) | texts_strategy.map(lambda texts: texts[0].encode()[1:-1]), min_size=1))
def test_twins_agree_on_bytes_that_are_no_utf8(encoded):
    assert_same_tokens([text.decode("utf-8", errors="replace") for text in encoded], encoded)


@pytest.mark.parametrize(
    "lead", [b"", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90"]
)
def test_cut_and_forbidden_bytes_between_letters(lead):
    encoded = [b"a" + lead + end for end in (b"", b"b", b"\xc3\xa9", b"\x80", b"\xff", b"\xed\xbf\xbf", b"\x01b")]
    assert_same_tokens([text.decode("utf-8", errors="replace") for text in encoded], encoded)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(texts_strategy, st.integers(1, 40), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_twins_agree_on_ids_under_any_budgets(texts, num_tokens, cuts):
    first, second = sorted(int(cut * num_tokens) for cut in cuts)
    budgets = (first, second - first, num_tokens - second)
    expected = np.stack([VOCABULARY.encode(text, num_tokens, budgets) for text in texts])
    np.testing.assert_array_equal(text_encoder(VOCABULARY, num_tokens, budgets)(tf.constant(texts)), expected)


@needs(TITLES)
def test_twins_agree_on_real_titles_and_tags():
    with TITLES.open(encoding="utf-8", newline="") as file:
        texts = [{"title": row["title"], "tags": row["tags"]} for row in csv.DictReader(file)]
    vocabulary = Vocabulary.from_texts(texts, ("title", "tags"))
    joined = [fields.join_fields(text, vocabulary.fields) for text in texts]
    assert_same_tokens(joined)
    expected = np.stack([vocabulary.encode(text, 64) for text in joined])
    np.testing.assert_array_equal(text_encoder(vocabulary, 64)(tf.constant(joined)), expected)


def test_ids_by_hand():
    encoder = text_encoder(VOCABULARY, 8)
    texts = ["RED, unheard 猫", "\x02a\x01b", "", "\x03" + "7 " * 50, "\x06red"]
    expected = [
        [2, 7, 1, 8, 0, 0, 0, 0],
        [2, 6, 3, 5, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [4, 9, 9, 9, 9, 9, 9, 9],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    token_ids = encoder(tf.constant(texts))
    assert token_ids.dtype == tf.int32
    np.testing.assert_array_equal(token_ids, expected)


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        ((1, 1, 1), [2, 9, 9]),  # no field with a marker alone: the title has it all
        ((0, 3, 0), [3, 9, 9]),
        ((0, 2, 0), [3, 9, 0]),  # one position is left: for a marker alone
    ],
)
def test_few_positions_for_three_long_fields(budgets, expected):
    text = "7 7 7 7\x02" + "7 7 7 7\x03" + "7 7 7 7"
    np.testing.assert_array_equal(text_encoder(VOCABULARY, 3, budgets)(tf.constant([text])), [expected])
    np.testing.assert_array_equal(VOCABULARY.encode(text, 3, budgets), expected)


@pytest.mark.parametrize("batch_size", [0, 1, 3])
def test_batches_of_any_size_in_a_pipeline(batch_size):
    encode = tf.function(text_encoder(VOCABULARY, 6).__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    texts = tf.constant(["red 猫", "", "b"][:batch_size], tf.string)
    token_ids = next(iter(tf.data.Dataset.from_tensors(texts).map(encode)))
    assert encode.get_concrete_function().structured_outputs.shape.as_list() == [None, 6]
    expected = np.array([[2, 7, 8, 0, 0, 0], [0] * 6, [2, 6, 0, 0, 0, 0]])
    np.testing.assert_array_equal(token_ids, expected[:batch_size])


def test_saved_model_carries_the_vocabulary_as_an_asset(tmp_path):
    path = tmp_path / "vocabulary.txt"
    VOCABULARY.save(path)
    module = tf.Module()
    module.encoder = text_encoder(path, 6)
    module.encode = tf.function(module.encoder.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    graph = module.encode.get_concrete_function().graph.as_graph_def()
    assert graph.ByteSize() < 200_000
    tf.saved_model.save(module, tmp_path / "saved")
    path.unlink()
    assert (tmp_path / "saved" / "assets" / "vocabulary.txt").exists()
    loaded = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_array_equal(loaded.encode(tf.constant(["Red\x02猫"])), [[2, 7, 3, 8, 0, 0]])


def test_bad_vocabulary_and_budgets_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read the vocabulary"):
        text_encoder(tmp_path / "missing.txt", 6)
    with pytest.raises(InputError, match="for each of 3 text fields, whose sum is at most num_tokens=6"):
        text_encoder(VOCABULARY, 6, (6, 6, 6))
    assert isinstance(text_encoder(VOCABULARY, 6, (2, 2, 2)), TextEncoder)


@settings(max_examples=100, deadline=None)
@given(texts_strategy.filter(lambda texts: len(texts) >= 3))
def test_join_is_that_of_python(texts):
    text = {field: texts[position :: len(FIELDS)][:1] for position, field in enumerate(FIELDS)}
    joined = tokenize_graph.join_fields({field: tf.constant(value) for field, value in text.items()}, FIELDS)
    expected = fields.join_fields({field: value[0] for field, value in text.items()}, FIELDS)
    assert joined.numpy()[0].decode() == expected


def test_join_leaves_out_missing_fields_and_takes_broken_bytes():
    joined = tokenize_graph.join_fields({"tags": tf.constant([b"\xff\x02a\x00\xc3", b" \n"])}, FIELDS)
    assert joined.numpy().tolist() == [b"\x02\xff a \xc3", b""]
    assert tokenize_graph.join_fields({"other": tf.constant(["a"])}, FIELDS).numpy().tolist() == [b""]
