"""The rows of each batch that one of several machines computes."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class BatchShare:
    """One of several equal parts of each batch, in the order of its rows.

    Attributes:
        number: Which one, from 0.
        count: How many there are; a batch has a multiple of so many rows.
    """

    number: int = 0
    count: int = 1

    def rows(self, batch_size: int) -> int:
        """The rows of this part of a batch."""
        return batch_size // self.count

    def of_records(self, records: tf.data.Dataset, batch_size: int, num_records: int) -> tf.data.Dataset:
        """The records of this part of the whole batches, so that nothing is done for the others.

        Args:
            records: `(number, record)`, counted from 0.
            batch_size: B, of a whole batch.
            num_records: How many there are; those after the last whole batch are in no part.
        """
        if self.count == 1:
            return records
        rows = self.rows(batch_size)
        whole = records.take(num_records // batch_size * batch_size)
        return whole.filter(lambda number, _: (number % batch_size) // rows == self.number)

    def of_batches(self, batches: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """This part of batches that are whole.

        Args:
            batches: Tensors [B, ...], nested.
            batch_size: B.
        """
        if self.count == 1:
            return batches
        rows = self.rows(batch_size)
        first = self.number * rows
        return batches.map(lambda *batch: keras.tree.map_structure(lambda values: values[first : first + rows], batch))


WHOLE = BatchShare()
