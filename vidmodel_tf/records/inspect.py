"""What is in a prepared data set: counts, words, balance, leaks, and a contact sheet to look at."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from vidmodel_tf.clips.clip import class_names
from vidmodel_tf.labels import Labels
from vidmodel_tf.pages.pictures import save_contact_sheet
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.inspection import ClassCounts, Inspection, Leaks, SplitSummary, WordSummary
from vidmodel_tf.records.one_picture import shows_one_picture
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.text.tokenize import tokenize
from vidmodel_tf.user_cache import place_for

_SHEET_ROWS = 24
_SHEET_FRAMES = 8


def inspect(data_dir: str | Path) -> Inspection:
    """Describes a prepared data set and draws its `contact_sheet.png`, in the user's cache if it cannot be written.

    Raises:
        InputError: The folder is no prepared data set.
    """
    data = open_data_set(data_dir)
    clips, labels = data.clips, data.labels
    fields = list(dict.fromkeys(field for clip in clips for field in clip.text))
    sheet = place_for(data.path, "contact_sheet.png", data.fingerprint) if data.num_stored_frames else None
    frames = _read_frames(data, sheet) if sheet else _Frames()
    return Inspection(
        data=data.path,
        num_clips=len(clips),
        splits={split: _describe_split(data.in_split(split), labels) for split in data.split_names},
        words={field: _describe_words([clip.text.get(field, "") for clip in clips]) for field in fields},
        words_from={field: _describe_origins(clips, field, labels) for field in fields},
        balance={head: _balance(data.in_split("train"), head) for head in labels},
        leaks=Leaks(_sources_in_two_splits(clips), frames.same),
        clips_of_one_picture=frames.of_one_picture,
        contact_sheet=sheet,
    )


def _describe_split(clips: Sequence[StoredClip], labels: Labels) -> SplitSummary:
    return SplitSummary(
        clips=len(clips),
        sources=len({clip.source for clip in clips}),
        seconds=round(sum({clip.footage: clip.duration_seconds for clip in clips}.values()), 1),
        labels=_count_classes(clips, labels),
    )


def _count_classes(clips: Sequence[StoredClip], labels: Labels) -> ClassCounts:
    counts = {}
    for head, names in labels.items():
        found = Counter(name for clip in clips for name in class_names(clip.labels[head]))
        missing = sum(clip.labels[head] is None for clip in clips)
        counts[head] = {**{name: found[name] for name in names}, **({"": missing} if missing else {})}
    return counts


def _describe_words(texts: Sequence[str]) -> WordSummary:
    lengths = [len(tokenize(text)) for text in texts if text.strip()]
    return WordSummary(
        clips_with_words=len(lengths),
        median_tokens=statistics.median(lengths) if lengths else 0,
        max_tokens=max(lengths, default=0),
    )


def _describe_origins(clips: Sequence[StoredClip], field: str, labels: Labels) -> dict[str, ClassCounts]:
    groups: dict[str, list[StoredClip]] = defaultdict(list)
    for clip in clips:
        if clip.words_from.get(field):
            groups[_origin(clip, field)].append(clip)
    return {origin: _count_classes(groups[origin], labels) for origin in sorted(groups)}


def _origin(clip: StoredClip, field: str) -> str:
    """Where words came from, without the clip's own name: `sidecar:*.en.vtt` for `sidecar:clip.en.vtt`."""
    without_range = re.sub(r"@[^@/]*$", "", clip.footage)
    return clip.words_from[field].replace(f"sidecar:{PurePosixPath(without_range).stem}.", "sidecar:*.")


def _balance(clips: Sequence[StoredClip], head: str) -> float:
    found = Counter(name for clip in clips for name in class_names(clip.labels[head]))
    return round(max(found.values(), default=0) / max(sum(found.values()), 1), 4)


def _sources_in_two_splits(clips: Sequence[StoredClip]) -> tuple[str, ...]:
    splits = defaultdict(set)
    for clip in clips:
        splits[clip.source].add(clip.split)
    return tuple(sorted(source for source, where in splits.items() if len(where) > 1))


@dataclasses.dataclass(frozen=True)
class _Frames:
    """What the stored frames tell: groups of clips with the same frames, and clips of one picture."""

    same: tuple[tuple[str, ...], ...] = ()
    of_one_picture: tuple[str, ...] = ()


def _read_frames(data: DataSet, sheet: Path) -> _Frames:
    """Compares the stored frames, byte for byte, and draws the contact sheet."""
    shown = _rows_of_sheet(data.clips)
    by_hash, rows, of_one_picture = defaultdict(dict), {}, {}  # dicts as sets that keep their order
    stored = (pair for split in data.split_names for pair in data.frames(split))
    for clip, frames in track(stored, "reading frames", len(data.clips)):
        by_hash[hashlib.sha256(b"".join(frames.jpegs)).digest()][clip.footage] = None
        if shows_one_picture(frames.jpegs, frames.timestamps_seconds.tolist()):
            of_one_picture[clip.footage] = None
        if clip.id in shown:
            step = max(1, len(frames.jpegs) // _SHEET_FRAMES)
            rows[clip.id] = (_caption(clip), list(frames.jpegs[::step][:_SHEET_FRAMES]))
    save_contact_sheet(sheet, [rows[clip_id] for clip_id in shown])
    return _Frames(tuple(tuple(ids) for ids in by_hash.values() if len(ids) > 1), tuple(of_one_picture))


def _rows_of_sheet(clips: Sequence[StoredClip]) -> list[str]:
    """Ids of clips to show: of each combination of labels in turn, so that a rare class is seen too."""
    groups = defaultdict(list)
    for clip in clips:
        groups[tuple(clip.labels.items())].append(clip.id)
    turns = ((turn, key) for key, ids in groups.items() for turn in range(len(ids)))
    order = sorted(turns, key=lambda item: item[0])[:_SHEET_ROWS]
    return sorted((groups[key][turn] for turn, key in order), key=[clip.id for clip in clips].index)


def _caption(clip: StoredClip) -> str:
    answers = ", ".join(" | ".join(class_names(label)) or "-" for label in clip.labels.values())
    words = next((text for text in clip.text.values() if text.strip()), "")
    return f"{clip.split}: {answers}  {clip.id}  {words[:60]}"
