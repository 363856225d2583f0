"""What people bring that is no manifest of ours: says what it is, and how it becomes one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.video.names import is_video_name

_KINDS = {
    ".txt .list .lst": "is a text file; write a CSV with the header path,label",
    ".tsv .tab": "is a table separated by tabs; save it as CSV, separated by commas",
    ".json": 'is one JSON document; write it as .jsonl, a line such as {"path": "a.mp4", "label": "goal"} a clip',
    ".xlsx .xls .ods .numbers": "is a workbook; save its sheet as CSV",
    ".parquet .feather .arrow .pkl .pickle .npy .npz .h5 .mat": "is a table in a binary format; save it as CSV",
    ".zip .tar .gz .tgz .rar .7z .xz .bz2 .zst": "is an archive; unpack it and give the folder",
}
_KIND_OF_SUFFIX = {suffix: kind for suffixes, kind in _KINDS.items() for suffix in suffixes.split()}


def describe_source(source: str, path: Path) -> str:
    """What a path that is no source of clips is instead: the end of a sentence that began with its name."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", source):
        return "is an address; download it first"
    if not path.exists():
        return "does not exist"
    if is_video_name(path.name):
        return "is a video; give a folder in which it lies in a folder of its class, LABEL/clip.mp4"
    return _KIND_OF_SUFFIX.get(path.suffix.lower(), "is something else")


def describe_header(names: Sequence[str]) -> str | None:
    """What is wrong where the first line of a CSV is no header of ours, if that can be told.

    Args:
        names: The cells of the first line.
    """
    first = names[0] if names else ""
    if len(names) == 1 and re.search(r"[;\t]", first):
        return f"expected columns separated by commas. Received: {first!r}; save the file with commas"
    words = first.split()
    # Three forms of a line: "a/b.mp4,walk", "a/b.mp4 3" and, of a folder of frames, "a/b 120 3".
    is_row = any(is_video_name(name.rpartition("/")[2]) for name in (first, *words[:1]))
    if "path" not in names and (is_row or re.fullmatch(r"\S*\D\S*(\s+\d+)+", first)):
        return (
            f"expected a header in the first line, such as path,label. Received: {','.join(names)!r:.200}, a list of "
            "clips as MMAction2, VideoMAE or UCF101 have it; add the header, with a comma between path and class"
        )
    if len(names) == 1 and len(words) > 1 and "path" in words:
        return f"expected columns separated by commas. Received: {first!r}; put commas between them"
    return None


def describe_json(text: str) -> str | None:
    """What a .jsonl file is instead where its first line is no object: one document; None: that is not it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kind = "one JSON array" if isinstance(value, list) else "one JSON document over several lines"
    return f"expected one JSON object a line. Received: {kind}; write each clip on a line of its own (jq -c '.[]')"
