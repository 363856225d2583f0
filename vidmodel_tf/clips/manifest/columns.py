"""What the columns of a manifest mean: their names say it, nothing is guessed."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence

from vidmodel_tf.config import MODEL_FIELDS, TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import head_fault

COLUMNS = ("path", "label", *MODEL_FIELDS, "start_seconds", "end_seconds", "source", "split")
HEAD_PREFIXES = ("label", "labels")
WORDS_COLUMNS = ("id", "label", *MODEL_FIELDS, "source", "split")  # of a manifest without videos

# The names are short: at difflib's default of 0.6, "file" and "video_title" would pass for a misspelt "title".
_MISSPELT_CUTOFF = 0.8

# What other data sets call the ends of a range.
_STARTS = "time_start t_start start_time begin begin_time begin_seconds start_sec start_secs start_s segment_start"
_ENDS = "time_end t_end end_time stop stop_time stop_seconds end_sec end_secs end_s segment_end"
_OTHER_NAMES = {
    **dict.fromkeys(_STARTS.split(), "start_seconds"),
    **dict.fromkeys(_ENDS.split(), "end_seconds"),
    **dict.fromkeys(("start_frame", "frame_start", "begin_frame"), "start_seconds"),
    **dict.fromkeys(("end_frame", "frame_end", "stop_frame"), "end_seconds"),
}


@dataclasses.dataclass(frozen=True)
class HeadColumn:
    """A column that labels one head: its name in the file, and whether a cell holds several classes."""

    column: str
    is_multi_label: bool


@dataclasses.dataclass(frozen=True)
class Columns:
    """What the columns of a manifest mean.

    Attributes:
        heads: The columns that label heads, by head, in order.
        ignored: Those that mean nothing here.
        has_videos: Whether there is a column of paths.
    """

    heads: dict[str, HeadColumn]
    ignored: tuple[str, ...]
    has_videos: bool


def read_columns(names: Sequence[str], file_name: str) -> Columns:
    """Tells the columns of a manifest apart.

    Without a column `path` the rows are words without videos, if there are columns of words; `id` then names a row.

    Args:
        names: As they stand in the header (CSV) or as keys (JSONL), each once.
        file_name: For the messages.

    Raises:
        InputError: A name looks like a misspelt known one, a head has a name that no output may have or is declared
            twice, or there is no label column, or neither a `path` nor words.
    """
    faults = misspellings(names)
    heads: dict[str, HeadColumn] = {}
    for name in names:
        prefix, head = _split_head(name)
        if prefix not in HEAD_PREFIXES or faults:
            continue
        if fault := head_fault(head):
            faults.append(f"column {name!r}: {fault}")
        elif head in heads:
            faults.append(f"columns {heads[head].column!r} and {name!r} both label the head {head!r}: keep one")
        heads[head] = HeadColumn(name, is_multi_label=prefix == "labels")
    if not faults:
        faults = _missing_columns(names, heads)
    if faults:
        num_more = len(faults) - 1
        more = f" ({num_more} more fault{'s' * (num_more > 1)} in the columns)" if num_more else ""
        raise InputError(f"{file_name}: {faults[0]}{more}", faults[1:])
    has_videos = "path" in names
    known = {*(COLUMNS if has_videos else WORDS_COLUMNS), *(column.column for column in heads.values())}
    return Columns(heads, tuple(name for name in names if name not in known), has_videos)


def misspellings(names: Sequence[str]) -> list[str]:
    """What is wrong with the names that look like misspelt known ones, a line each."""
    return [fault for name in names if (fault := _misspelling(name, names))]


def _split_head(name: str) -> tuple[str, str]:
    """`label:mood` -> ("label", "mood"); a bare `label` declares the head `label`."""
    prefix, colon, head = name.partition(":")
    return (prefix, head) if colon else (prefix if prefix == "label" else "", "label")


def _misspelling(name: str, names: Sequence[str]) -> str | None:
    prefix, colon, head = name.partition(":")
    known = HEAD_PREFIXES if colon else COLUMNS
    if prefix in known:
        return None
    if name == "labels":
        return "column 'labels': did you mean 'label' (one class) or 'labels:HEAD' (several, separated by '|')?"
    plain = re.sub(r"[\s-]+", "_", prefix.strip().lower())
    near = _nearest(plain, known) or (_OTHER_NAMES.get(plain) if not colon else None)
    if near is None or (plain in _OTHER_NAMES and near in names):
        return None
    if "frame" in plain:
        return f"column {name!r}: did you mean {near!r}? A range is given in seconds; divide frames by their rate"
    meant = f"{near}:{head.strip()}" if colon else near
    return f"column {name!r}: did you mean {meant!r}? Rename it; if it is something else, give it another name"


def _nearest(name: str, known: Sequence[str]) -> str | None:
    shortened = [column for column in known if column.endswith("_seconds") and column == f"{name}_seconds"]
    return next(iter(shortened or difflib.get_close_matches(name, known, n=1, cutoff=_MISSPELT_CUTOFF)), None)


def _missing_columns(names: Sequence[str], heads: dict[str, HeadColumn]) -> list[str]:
    received = ", ".join(repr(name) for name in names) or "none"
    faults = []
    if "path" not in names and not set(TEXT_FIELDS) & set(names):
        faults.append(
            f"expected a column 'path', or for words without videos one of {', '.join(TEXT_FIELDS)}. "
            f"Received the columns: {received}"
        )
    if not heads:
        faults.append(f"expected a column 'label', 'label:HEAD' or 'labels:HEAD'. Received the columns: {received}")
    return faults
