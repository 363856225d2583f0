"""Word vectors of one's own words, and files that gensim has written."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.text.vectors.read_vectors import read_word_vectors
from vidmodel_tf.text.vectors.train_vectors import train_vectors

GROUPS = {"animals": ["cat", "dog", "猫"], "cars": ["car", "truck", "bus"]}
CONTEXTS = {"animals": ["eats", "fish", "sleeps", "purrs"], "cars": ["needs", "oil", "drives", "parks"]}


@pytest.fixture(scope="module", autouse=True)
def gensim():
    return pytest.importorskip("gensim", reason="gensim is not installed")


def sentences(seed: int = 0) -> list[list[str]]:
    """Two groups of words: those of one group stand among the same other words, and never beside each other."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(2000):
        group = rng.choice(list(GROUPS))
        before, after = rng.choice(CONTEXTS[group], 2, replace=False)
        drawn.append([str(word) for word in (before, rng.choice(GROUPS[group]), after)])
    return drawn


def test_neighbours_are_words_of_the_same_contexts():
    words, values = train_vectors(sentences(), units=16)
    assert set(words) == {word for names in (GROUPS, CONTEXTS) for group in names.values() for word in group}
    assert values.shape == (14, 16) and values.dtype == np.float32
    directions = dict(zip(words, values / np.linalg.norm(values, axis=1, keepdims=True), strict=True))
    names = [word for group in GROUPS.values() for word in group]
    for group in GROUPS.values():
        for word in group:
            others = sorted(
                (other for other in names if other != word), key=lambda o: -directions[word] @ directions[o]
            )
            assert set(others[:2]) == set(group) - {word}, word


def test_the_same_seed_gives_the_same_vectors_whatever_the_hash_seed():
    script = """
import hashlib
from tests.test_train_vectors import sentences
from vidmodel_tf.text.vectors.train_vectors import train_vectors
words, values = train_vectors(sentences()[:50], units=8, seed=3)
print(words, hashlib.sha256(values.tobytes()).hexdigest())
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1
    one, other = (train_vectors(sentences()[:50], units=8, seed=seed)[1] for seed in (3, 4))
    assert not np.array_equal(one, other)


def test_words_that_come_once_have_no_vector():
    words, _ = train_vectors([["red", "car", "once"], ["red", "car"]], units=4)
    assert sorted(words) == ["car", "red"]


@pytest.mark.parametrize(
    ("texts", "units", "message"),
    [
        ([["red", "car"]], 4, r"expected at least 2 different words that come 2 times or more\. Received: 0"),
        ([], 4, r"Received: 0"),
        ([["red", "car"]] * 2, 0, r"units: expected 1 to 4096\. Received: 0"),
    ],
)
def test_what_cannot_be_learnt_is_refused(texts, units, message):
    with pytest.raises(InputError, match=message):
        train_vectors(texts, units=units)


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}], ids=str)
def test_what_gensim_writes_is_read(gensim, tmp_path, options):
    from gensim.models import KeyedVectors

    words, values = ["cat", "猫", "dog"], np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    vectors = KeyedVectors(50)
    vectors.add_vectors(words, values)
    vectors.save_word2vec_format(str(tmp_path / "vectors"), **options)
    found = read_word_vectors(tmp_path / "vectors", words)
    assert found.words == tuple(words)
    np.testing.assert_array_equal(found.values, values)
