"""What must not be split, where the manifest does not say it: read from paths by a pattern, or suspected in names."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from vidmodel_tf.clips.clip import Clip, Label, clip_id
from vidmodel_tf.errors import InputError

_UP_TO_THE_LAST_NUMBER = r"(.*\D)\d+"  # the pattern that the warning proposes


def name_sources(clips: Sequence[Clip], pattern: str) -> tuple[list[Clip], list[str]]:
    """Takes the source of each clip that has none of its own from its path.

    Args:
        clips: Those whose source is their path have none of their own.
        pattern: A regular expression, searched for in the path below SOURCE without its suffix. Its first group, or
            the whole of what it finds, is the source.

    Returns:
        The clips in order, and a warning where the pattern finds nothing in some of them.

    Raises:
        InputError: The pattern finds nothing in any of them.
    """
    expression = re.compile(pattern)
    found = {clip.id: _find(expression, clip) for clip in clips if _lacks_source(clip)}
    num_without = sum(source is None for source in found.values())
    if num_without == len(found):
        example = f", such as {_stem(next(clip for clip in clips if clip.id in found))!r}" if found else ""
        raise InputError(
            f"prepare.source_pattern: expected a regular expression that finds the source in a path. Received: "
            f"{pattern!r}, which finds nothing in the {len(found)} clips without a source of their own{example}"
        )
    named = [dataclasses.replace(clip, source=found.get(clip.id) or clip.source) for clip in clips]
    warning = (
        f"prepare.source_pattern finds nothing in {num_without} of {len(found)} paths; "
        "each of these files counts as a source of its own"
    )
    return named, [warning] if num_without else []


def suspect_groups(clips: Iterable[Clip]) -> list[str]:
    """A warning where clips of one class differ only in the last number of their names, as parts of one video do.

    Where that holds for a whole class, its clips are merely numbered.
    """
    classes: dict[tuple[Label, ...], dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for clip in clips:
        if clip.path is not None and _lacks_source(clip):
            stem = _stem(clip)
            match = re.match(_UP_TO_THE_LAST_NUMBER, stem)
            classes[tuple(clip.labels.values())][match[1] if match else stem][clip.source] = None
    groups = [
        list(paths)
        for class_groups in classes.values()
        for beginning, paths in class_groups.items()
        if len(paths) > 1 and (len(class_groups) > 1 or re.search(r"_g\d+_c$", beginning))
    ]
    if not groups:
        return []
    first, second = groups[0][:2]
    return [
        f"no source is given, but {sum(map(len, groups))} clips in {len(groups)} groups have names that differ only in "
        f"their last number, such as {first!r} and {second!r}: where these are parts of one video, keep them in one "
        f"split by --set prepare.source_pattern='{_UP_TO_THE_LAST_NUMBER}' or a column 'source'"
    ]


def _find(expression: re.Pattern[str], clip: Clip) -> str | None:
    found = expression.search(_stem(clip))
    return ((found[1] if expression.groups else found[0]) or None) if found else None


def _stem(clip: Clip) -> str:
    """The path without the video's suffix, in which there may be a digit."""
    return clip.source if clip.path is None else clip.source.removesuffix(PurePosixPath(clip.source).suffix)


def _lacks_source(clip: Clip) -> bool:
    return clip.id == clip_id(clip.source, clip.start_seconds, clip.end_seconds, clip.question)
