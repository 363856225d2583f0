"""A source of clips -> clips: where they are, their words, their labels. The one door to all its forms."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.manifest.folder import HEAD, read_folder
from vidmodel_tf.clips.manifest.table import read_table
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels

TABLE_SUFFIXES = (".csv", ".jsonl")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a source of clips holds.

    Args:
        clips: In the order of the file; those of folders sorted by path.
        labels: The heads in the order of their columns, class names sorted by code point.
        ignored_columns: Columns that mean nothing here.
    """

    clips: tuple[Clip, ...]
    labels: Labels
    ignored_columns: tuple[str, ...] = ()

    @property
    def has_videos(self) -> bool:
        """Whether there are videos; else there are words alone."""
        return self.clips[0].path is not None


def read_manifest(source: str | Path) -> Manifest:
    """Reads a source of clips: a .csv or .jsonl file, or a folder of class folders.

    A folder with a `clips.csv` or `clips.jsonl` in it is read by that file: it knows more than the folders' names
    (what was cut from one video, above all).

    Raises:
        InputError: Nothing of the kind is there, some clips cannot be used (`details` lists them all), or a head has
            fewer classes than there are to tell apart.
    """
    path = Path(source)
    # Of the folder alone: a manifest that is a link to a file elsewhere speaks of the folder that it is met in.
    path = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    if path.is_dir():
        path = _table_in(path) or path
    if path.is_dir():
        clips, ignored, multi_label = read_folder(path), (), {HEAD: False}
    elif path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        clips, columns = read_table(path)
        ignored = columns.ignored
        multi_label = {head: column.is_multi_label for head, column in columns.heads.items()}
    else:
        there = "does not exist" if not path.exists() else "is something else"
        raise InputError(
            f"expected a folder of class folders, a .csv or a .jsonl file. Received: {source}, which {there}"
        )
    return Manifest(tuple(clips), _labels(clips, multi_label, path.name), ignored)


def _table_in(folder: Path) -> Path | None:
    tables = [folder / f"clips{suffix}" for suffix in TABLE_SUFFIXES if (folder / f"clips{suffix}").is_file()]
    if len(tables) > 1:
        raise InputError(
            f"expected one manifest in {folder}. Received: clips.csv and clips.jsonl; name the one you mean"
        )
    return tables[0] if tables else None


def _labels(clips: Iterable[Clip], multi_label: Mapping[str, bool], source_name: str) -> Labels:
    names: dict[str, set[str]] = {head: set() for head in multi_label}
    for clip in clips:
        for head, label in clip.labels.items():
            names[head].update((label,) if isinstance(label, str) else label or ())
    for head, classes in names.items():
        least = 1 if multi_label[head] else 2
        if len(classes) < least:
            received = ", ".join(map(repr, sorted(classes))) or "none"
            raise InputError(
                f"{source_name}: head {head!r}: expected at least {least} classes to tell apart. Received: {received}; "
                "add clips of another class, or leave the head out"
            )
    # Python sorts text by code point.
    return Labels(
        {head: sorted(classes) for head, classes in names.items()},
        multi_label=[head for head, is_multi_label in multi_label.items() if is_multi_label],
    )
