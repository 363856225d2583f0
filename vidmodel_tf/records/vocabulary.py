"""The vocabulary of the public API: the one of `text`, which can also be made from a prepared data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.text import vocabulary

if TYPE_CHECKING:
    from vidmodel_tf.records.data_set import DataSet


class Vocabulary(vocabulary.Vocabulary):
    __doc__ = vocabulary.Vocabulary.__doc__

    @classmethod
    def from_dataset(cls, data: str | Path | DataSet, config: ModelConfig | None = None) -> Self:
        """Counts the words of the training split.

        Args:
            data: A prepared data set.
            config: Which fields are read, and how many words are kept.
        """
        from vidmodel_tf.records.data_set import open_data_set  # needs TensorFlow; nothing else here does

        data, config = open_data_set(data) if isinstance(data, str | Path) else data, config or ModelConfig()
        texts = (clip.text for clip in data.in_split("train"))
        return cls.from_texts(texts, config.text_fields, config.vocabulary_size, config.min_word_count)
