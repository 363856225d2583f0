"""A source of clips -> clips: where they are, their words, their labels. The one door to all its forms."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip import Clip, class_names
from vidmodel_tf.clips.manifest.folder import HEAD, read_folder
from vidmodel_tf.clips.manifest.foreign import describe_source
from vidmodel_tf.clips.manifest.limits import MAX_CLASSES
from vidmodel_tf.clips.manifest.passed_over import describe_counts
from vidmodel_tf.clips.manifest.sources import name_sources, suspect_groups
from vidmodel_tf.clips.manifest.table import read_table
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.words.sidecars import Sidecars

TABLE_SUFFIXES = (".csv", ".jsonl")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a source of clips holds.

    Attributes:
        clips: In the order of the file; those of folders sorted by path.
        labels: The heads in the order of their columns, class names sorted by code point.
        ignored_columns: Columns that mean nothing here.
        passed_over: Files in class folders that are neither videos nor words beside one: how many, by suffix.
        warnings: What was read in a way that may surprise, one line each.
    """

    clips: tuple[Clip, ...]
    labels: Labels
    ignored_columns: tuple[str, ...] = ()
    passed_over: Mapping[str, int] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def has_videos(self) -> bool:
        """Whether there are videos; else there are words alone."""
        return self.clips[0].path is not None


def read_manifest(source: str | Path, config: PrepareConfig | None = None) -> Manifest:
    """Reads a source of clips: a .csv or .jsonl file, or a folder of class folders.

    A folder with a `clips.csv` or `clips.jsonl` in it is read by that file: it knows more than the folders' names
    (what was cut from one video, above all).

    Args:
        source: The file or folder.
        config: Which languages are read, where sources come from, and whether links may lead out of `source`.

    Raises:
        InputError: Nothing of the kind is there, some clips cannot be used (`details` lists them all), or a head has
            fewer classes than there are to tell apart, or too many.
    """
    config = config or PrepareConfig()
    path = _find(source)
    root = path if path.is_dir() else path.parent
    sidecars = Sidecars(config.languages, root=None if config.follow_links else root)
    if path.is_dir():
        folders = read_folder(path, sidecars)
        passed_over = [f"passed over: {describe_counts(folders.passed_over)}"] if folders.passed_over else []
        manifest = Manifest(
            tuple(folders.clips),
            _labels(folders.clips, {HEAD: False}, path.name, [*folders.warnings, *passed_over]),
            passed_over=folders.passed_over,
            warnings=tuple(folders.warnings),
        )
    else:
        table = read_table(path, sidecars)
        multi_label = {head: column.is_multi_label for head, column in table.columns.heads.items()}
        manifest = Manifest(
            tuple(table.clips),
            _labels(table.clips, multi_label, path.name, table.warnings),
            ignored_columns=table.columns.ignored,
            warnings=tuple(table.warnings),
        )
    return _with_sources(manifest, config.source_pattern, _warn_of_unread(sidecars, config.languages))


def _with_sources(manifest: Manifest, pattern: str, more_warnings: Sequence[str]) -> Manifest:
    if pattern:
        clips, warnings = name_sources(manifest.clips, pattern)
    else:
        clips, warnings = manifest.clips, suspect_groups(manifest.clips)
    return dataclasses.replace(manifest, clips=tuple(clips), warnings=(*manifest.warnings, *more_warnings, *warnings))


def _warn_of_unread(sidecars: Sidecars, languages: Sequence[str]) -> list[str]:
    unread = sidecars.count_unread()
    if not unread:
        return []
    return [
        f"words beside videos that have no others were not read: {describe_counts(unread)}; what is read is "
        f".srt and .vtt, in prepare.languages={list(languages)} where the name says the language (STEM.en.vtt), "
        ".txt, .description, .json and .info.json"
    ]


def _find(source: str | Path) -> Path:
    path = Path(source)
    # The folder alone is resolved: paths in a manifest that is a link start where the link is, not its target.
    path = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    if path.is_dir():
        return _table_in(path) or path
    if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        return path
    raise InputError(
        "expected a folder of class folders, a .csv or a .jsonl file. "
        f"Received: {source}, which {describe_source(str(source), path)}"
    )


def _table_in(folder: Path) -> Path | None:
    tables = [folder / f"clips{suffix}" for suffix in TABLE_SUFFIXES if (folder / f"clips{suffix}").is_file()]
    if len(tables) > 1:
        raise InputError(
            f"expected one manifest in {folder}. Received: clips.csv and clips.jsonl; name the one you mean"
        )
    return tables[0] if tables else None


def _labels(
    clips: Iterable[Clip], multi_label: Mapping[str, bool], source_name: str, warnings: Sequence[str]
) -> Labels:
    names: dict[str, set[str]] = {head: set() for head in multi_label}
    for clip in clips:
        for head, label in clip.labels.items():
            names[head].update(class_names(label))
    for head, classes in names.items():
        if len(classes) > MAX_CLASSES:
            raise InputError(
                f"{source_name}: head {head!r}: expected at most {MAX_CLASSES:,} classes. Received: {len(classes):,}"
            )
        least = 1 if multi_label[head] else 2
        if len(classes) < least:
            received = ", ".join(map(repr, sorted(classes))) or "none"
            raise InputError(
                f"{source_name}: head {head!r}: expected at least {least} classes to tell apart. Received: {received}; "
                "add clips of another class, or leave the head out",
                details=warnings,  # they may say where the other class went
            )
    # Python sorts text by code point.
    return Labels(
        {head: sorted(classes) for head, classes in names.items()},
        multi_label=[head for head, is_multi_label in multi_label.items() if is_multi_label],
    )
