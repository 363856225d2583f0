"""The files in class folders that nobody reads, counted, so that none is lost without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from vidmodel_tf.video.names import is_video_name
from vidmodel_tf.words.sidecar_names import looks_like_subtitles, looks_like_text
from vidmodel_tf.words.sidecars import Sidecars

_MOST_SHOWN = 8


def count_passed_over(folder: Path, sidecars: Sidecars) -> Counter[str]:
    """Files below a class folder that are neither videos nor words beside one, by suffix; not those that are hidden."""
    return Counter(_suffix(path) for path in _files_below(folder) if not _is_read(path, sidecars))


def describe_counts(counts: Mapping[str, int]) -> str:
    """How many files of which kind.

    Example:
        >>> describe_counts({".jpg": 2, ".rm": 3})
        '5 files: 3 .rm, 2 .jpg'
    """
    ordered = Counter(counts).most_common()
    parts = [f"{count} {kind}" for kind, count in ordered[:_MOST_SHOWN]] + ["..."] * (len(ordered) > _MOST_SHOWN)
    total = sum(counts.values())
    return f"{total} file{'s' if total > 1 else ''}: {', '.join(parts)}"


def _files_below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "__MACOSX")):
            continue
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from _files_below(path)


def _is_read(path: Path, sidecars: Sidecars) -> bool:
    """Whether a file is a video, or words beside one: those that are not read are told by their own warning."""
    is_words = looks_like_subtitles(path.name) or looks_like_text(path.name)
    return is_video_name(path.name) or (is_words and sidecars.names_in(path.parent).owner(path.name) is not None)


def _suffix(path: Path) -> str:
    # A suffix that is not UTF-8 could not be written into a report.
    return path.suffix.lower().encode(errors="replace").decode() or "without a suffix"
