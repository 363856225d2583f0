"""TFRecord files -> serialized clips, as stored or shuffled."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from vidmodel_tf.records.record_lengths import check_record_lengths


@dataclasses.dataclass(frozen=True)
class RecordFiles:
    """The records of some clips.

    Raises:
        InputError: A record claims to be longer than its file.

    Attributes:
        paths: TFRecord files [shards][columns]. The files of a shard hold the same clips in the same order, such as a
            plain and a mirrored version of each. A record is a string [columns].
        ids: The clips that are meant; None: all that the files hold.
    """

    paths: tuple[tuple[str, ...], ...]
    ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_record_lengths(path for columns in self.paths for path in columns)

    def in_order(self) -> tf.data.Dataset:
        """The serialized clips, as stored."""
        return self._only_wanted(tf.data.Dataset.from_tensor_slices(list(self.paths)).flat_map(self._read_shard))

    def shuffled(self, seed: tf.Tensor, window: int) -> tf.data.Dataset:
        """The serialized clips in an order that the seed (int64 [2]) decides.

        The shards are shuffled, four of them are read in turn, and the clips are shuffled within windows of `window`
        clips. Unlike `Dataset.shuffle` this takes a tensor as seed, which each epoch computes anew.
        """
        shards = tf.data.Dataset.from_tensors(tf.random.experimental.stateless_shuffle(list(self.paths), seed))
        records = self._only_wanted(shards.unbatch().interleave(self._read_shard, cycle_length=4))
        windows = records.batch(window).enumerate()
        return windows.map(
            lambda i, clips: tf.random.experimental.stateless_shuffle(clips, tf.random.fold_in(seed, i + 1))
        ).unbatch()

    def _read_shard(self, columns: tf.Tensor) -> tf.data.Dataset:
        readers = tuple(tf.data.TFRecordDataset(columns[i]) for i in range(len(self.paths[0])))
        return tf.data.Dataset.zip(readers).map(lambda *records: tf.stack(records))

    def _only_wanted(self, records: tf.data.Dataset) -> tf.data.Dataset:
        if self.ids is None:
            return records
        wanted = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(list(self.ids), [True] * len(self.ids), tf.string, tf.bool), False
        )
        id_only = {"id": tf.io.FixedLenFeature((), tf.string)}
        return records.filter(lambda record: wanted.lookup(tf.io.parse_single_example(record[0], id_only)["id"]))
