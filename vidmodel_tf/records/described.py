"""What a data set says of itself, looked at before TFDS builds from it whatever it asks for. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidmodel_tf.clips.manifest.limits import MAX_CLASSES, MAX_NAME
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.layout import FEATURES, INFO
from vidmodel_tf.storage import check_size, read_json, read_text

MAX_BYTES = 16 * 2**20  # of either description; that of 100,000 shards has 2 MB
MAX_SPLITS = 100  # there are three
MAX_SHARDS = 100_000  # of 32 clips each: three million clips
MAX_CLASSES_BYTES = 4 * MAX_CLASSES * 64  # of a file of class names; names of 1,000 characters are rare


def check_description(path: Path) -> None:
    """Refuses descriptions that no data set of this package has.

    Raises:
        InputError: A file is too large or no JSON, or there are too many shards or classes.
    """
    for name in (FEATURES, INFO):
        check_size(path / name, MAX_BYTES)
        value = read_json(path / name)
        shards_by_split = [len(lengths) for lengths in _shard_lengths(value)]
        if len(shards_by_split) > MAX_SPLITS:
            raise InputError(
                f"expected at most {MAX_SPLITS} splits. Received: {len(shards_by_split):,}", subject=path / name
            )
        num_shards = sum(shards_by_split)
        if num_shards > MAX_SHARDS:
            raise InputError(f"expected at most {MAX_SHARDS:,} shards. Received: {num_shards:,}", subject=path / name)
    for file in path.glob("*.labels.txt"):
        _check_classes(file)


def _check_classes(file: Path) -> None:
    names = read_text(file, max_bytes=MAX_CLASSES_BYTES).splitlines()
    if len(names) > MAX_CLASSES:
        raise InputError(f"expected at most {MAX_CLASSES:,} classes. Received: {len(names):,}", subject=file)
    longest = max(map(len, names), default=0)
    if longest > MAX_NAME:
        raise InputError(f"expected classes of at most {MAX_NAME:,} characters. Received: {longest:,}", subject=file)


def _shard_lengths(value: Any) -> Iterator[list[Any]]:
    """The lists of shards, in whichever splits."""
    splits = value.get("splits") if isinstance(value, dict) else None
    for split in splits if isinstance(splits, list) else ():
        lengths = split.get("shardLengths") if isinstance(split, dict) else None
        yield lengths if isinstance(lengths, list) else []
