"""Which files are videos, and which of them an argument of the command line means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.errors import InputError

# fmt: off
VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp", ".gif", ".ogv",
    ".mp4v", ".qt", ".f4v", ".3g2", ".3gpp", ".mk3d", ".divx", ".xvid", ".asf", ".ogm",
    ".mts", ".m2ts", ".m2t", ".tp", ".trp", ".vob", ".vro", ".evo", ".mpe", ".mod", ".tod",
    ".mxf", ".gxf", ".dv", ".wtv", ".rm", ".rmvb", ".wm", ".dav", ".nut", ".ivf", ".y4m", ".apng", ".mjpeg", ".mjpg",
    ".m1v", ".m2v", ".h264", ".264", ".h265", ".265", ".hevc",
)
# fmt: on


def is_video_name(name: str) -> bool:
    """Whether a file of this name is taken for a video: a known suffix in any case, and not hidden (`._clip.mp4`)."""
    return Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".")


def expand_videos(arguments: Sequence[str]) -> list[Path]:
    """The video files that arguments stand for, each once, in the order of the arguments.

    Args:
        arguments: Files (kept as they are, existing or not, whatever their suffix), folders (all videos below them,
            sorted) and patterns with `*`, `?`, `[...]` and `**` (the videos that match, sorted).

    Raises:
        InputError: A pattern or a folder stands for no video.
    """
    paths = [path for argument in arguments for path in _expand(argument)]
    return list(dict.fromkeys(paths))


def _expand(argument: str) -> list[Path]:
    if "://" in argument:
        raise InputError(
            f"expected videos, folders and globs. Received: {argument!r}, an address; download it, or give it to "
            "`vidmodel watch` if it is a live stream"
        )
    path = Path(argument)
    if path.is_dir():
        return _some(_videos_below(path), f"the folder {argument!r}")
    # A file may be called "clip [1].mp4".
    if path.exists() or not glob.has_magic(argument):
        return [path]
    return _some(_videos_matching(argument), f"the pattern {argument!r}")


def _some(paths: Iterator[Path], meaning: str) -> list[Path]:
    found = sorted(paths)
    if not found:
        suffixes = " ".join(VIDEO_SUFFIXES[:10])
        raise InputError(
            f"expected at least one video ({suffixes} ...). Received: {meaning}, which holds or matches none"
        )
    return found


def _videos_matching(pattern: str) -> Iterator[Path]:
    for match in glob.glob(pattern, recursive=True):  # noqa: PTH207 (Path.glob takes no absolute pattern)
        path = Path(match)
        if path.is_dir():
            yield from _videos_below(path)
        elif is_video_name(path.name):
            yield path


def _videos_below(folder: Path) -> Iterator[Path]:
    visited: set[Path] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        # A link may lead to a folder above it; without this the walk would go round for ever.
        if (real := Path(root).resolve()) in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in names if is_video_name(name))
