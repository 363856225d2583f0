"""What is in a prepared data set: counts, words, balance, leaks, and a contact sheet to look at."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.labels import Labels
from vidmodel_tf.pages.pictures import save_contact_sheet
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.text.tokenize import tokenize

_SHEET_ROWS = 24
_SHEET_FRAMES = 8


def inspect(data_dir: str | Path) -> dict[str, Any]:
    """Describes a prepared data set and draws its `contact_sheet.png`.

    Returns:
        `splits` {split: {clips, sources, seconds, labels {HEAD: {class: count, "": not labelled}}}}; `words`
        {field: {clips_with_words, median_tokens, max_tokens}}; `balance` {HEAD: the most frequent training class's
        share}; `leaks` {sources_in_two_splits, same_frames: groups of clip ids}; `contact_sheet`, None without videos.

    Raises:
        InputError: The folder is no prepared data set.
    """
    data = open_data_set(data_dir)
    clips, labels = data.clips, data.labels
    sheet = data.path / "contact_sheet.png"
    has_frames = data.num_stored_frames > 0
    same_frames = _read_frames(data, sheet) if has_frames else []
    return {
        "data": str(data.path),
        "num_clips": len(clips),
        "splits": {split: _describe_split(data.in_split(split), labels) for split in data.split_names},
        "words": {field: _describe_words([clip.text[field] for clip in clips]) for field in TEXT_FIELDS},
        "balance": _balance(clips, labels),
        "leaks": {"sources_in_two_splits": _sources_in_two_splits(clips), "same_frames": same_frames},
        "contact_sheet": str(sheet) if has_frames else None,
    }


def _describe_split(clips: Sequence[StoredClip], labels: Labels) -> dict[str, Any]:
    return {
        "clips": len(clips),
        "sources": len({clip.source for clip in clips}),
        "seconds": round(sum(clip.duration_seconds for clip in clips), 1),
        "labels": {head: _count_classes(clips, head, names) for head, names in labels.items()},
    }


def _count_classes(clips: Sequence[StoredClip], head: str, names: Sequence[str]) -> dict[str, int]:
    found = Counter(name for clip in clips for name in _classes(clip, head))
    missing = sum(clip.labels[head] is None for clip in clips)
    return {**{name: found[name] for name in names}, **({"": missing} if missing else {})}


def _classes(clip: StoredClip, head: str) -> tuple[str, ...]:
    label = clip.labels[head]
    if label is None:
        return ()
    return label if isinstance(label, tuple) else (label,)


def _describe_words(texts: Sequence[str]) -> dict[str, float]:
    lengths = [len(tokenize(text)) for text in texts if text.strip()]
    return {
        "clips_with_words": len(lengths),
        "median_tokens": statistics.median(lengths) if lengths else 0,
        "max_tokens": max(lengths, default=0),
    }


def _balance(clips: Sequence[StoredClip], labels: Labels) -> dict[str, float]:
    shares = {}
    for head in labels:
        found = Counter(name for clip in clips if clip.split == "train" for name in _classes(clip, head))
        shares[head] = round(max(found.values(), default=0) / max(sum(found.values()), 1), 4)
    return shares


def _sources_in_two_splits(clips: Sequence[StoredClip]) -> list[str]:
    splits = defaultdict(set)
    for clip in clips:
        splits[clip.source].add(clip.split)
    return sorted(source for source, where in splits.items() if len(where) > 1)


def _read_frames(data: DataSet, sheet: Path) -> list[list[str]]:
    """Draws the contact sheet and finds clips whose stored frames are the same, byte for byte."""
    shown = _rows_of_sheet(data.clips)
    by_hash, rows = defaultdict(list), {}
    stored = (pair for split in data.split_names for pair in data.frames(split))
    for clip, frames in track(stored, "looking at frames", len(data.clips)):
        by_hash[hashlib.sha256(b"".join(frames.jpegs)).digest()].append(clip.id)
        if clip.id in shown:
            step = max(1, len(frames.jpegs) // _SHEET_FRAMES)
            rows[clip.id] = (_caption(clip), list(frames.jpegs[::step][:_SHEET_FRAMES]))
    save_contact_sheet(sheet, [rows[clip_id] for clip_id in shown])
    return [ids for ids in by_hash.values() if len(ids) > 1]


def _rows_of_sheet(clips: Sequence[StoredClip]) -> list[str]:
    """Ids of clips to show: of each combination of answers in turn, so that a rare class is seen too."""
    groups = defaultdict(list)
    for clip in clips:
        groups[tuple(clip.labels.items())].append(clip.id)
    turns = ((turn, key) for key, ids in groups.items() for turn in range(len(ids)))
    order = sorted(turns, key=lambda item: item[0])[:_SHEET_ROWS]
    return sorted((groups[key][turn] for turn, key in order), key=[clip.id for clip in clips].index)


def _caption(clip: StoredClip) -> str:
    answers = ", ".join(" | ".join(_classes(clip, head)) or "-" for head in clip.labels)
    words = next((text for text in clip.text.values() if text.strip()), "")
    return f"{clip.split}: {answers}  {clip.id}  {words[:60]}"
