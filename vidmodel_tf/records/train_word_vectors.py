"""A prepared data set -> a file of word vectors, trained on the words of its training split."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vidmodel_tf.config import MODEL_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.text.tokenize import tokenize
from vidmodel_tf.text.vectors.train_vectors import train_vectors
from vidmodel_tf.text.vectors.write_vectors import write_word_vectors


@dataclasses.dataclass(frozen=True)
class TrainedVectors:
    """What `train_word_vectors` made.

    Attributes:
        path: The file.
        num_words: Words that have a vector.
        num_tokens: Words that it was trained on, each as often as it comes.
        units: The length of a vector.
    """

    path: Path
    num_words: int
    num_tokens: int
    units: int

    def to_json(self) -> dict[str, object]:
        """`{"path", "num_words", "num_tokens", "units"}`."""
        return {**dataclasses.asdict(self), "path": str(self.path)}


def train_word_vectors(data_dir: str | Path, out: str | Path, *, units: int = 100, seed: int = 0) -> TrainedVectors:
    """Trains vectors on the words of the training split, all fields, and writes them as word2vec's text format.

    Args:
        data_dir: A prepared data set.
        out: The file to make; `model.embeddings` takes it.
        units: The length of a vector.
        seed: The same data set and seed give the same file.

    Raises:
        InputError: It is no data set, has too few words, or gensim is not installed.
    """
    data = open_data_set(data_dir)
    texts = (clip.text.get(field, "") for clip in data.in_split("train") for field in MODEL_FIELDS)
    sentences = [tokens for text in texts if (tokens := tokenize(text))]
    try:
        words, values = train_vectors(sentences, units=units, seed=seed)
    except InputError as error:
        raise InputError(error.reason, subject=data_dir) from None
    write_word_vectors(out, words, values)
    return TrainedVectors(Path(out), len(words), sum(map(len, sentences)), units)
