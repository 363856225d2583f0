"""Manifests for tests: files that stand for videos, and tables and folders of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidmodel_tf.clips.manifest.read import Manifest, read_manifest
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError

NO_WORDS = dict.fromkeys(TEXT_FIELDS, "")


def write_videos(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not decoded here")


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Writes a CSV file with the columns of the first row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_csv(root: Path, *lines: str, encoding: str = "utf-8") -> Manifest:
    path = root / "my.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return read_manifest(path)


def read_jsonl(root: Path, *rows: object) -> Manifest:
    path = root / "my.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return read_manifest(path)


def faults(root: Path, *lines: str) -> tuple[str, ...]:
    with pytest.raises(InputError, match=r"bad rows? of") as caught:
        read_csv(root, *lines)
    return caught.value.details


def folder_faults(root: Path) -> Sequence[str]:
    with pytest.raises(InputError, match=r"bad of \d+ videos in") as caught:
        read_manifest(root)
    return caught.value.details


def assert_starts(text: str, pattern: str) -> None:
    """Like `match=`, with `.*` as the only special sign."""
    position = 0
    for part in pattern.split(".*"):
        found = text.find(part, position)
        assert found >= 0 and (position or found == 0), f"{pattern!r} not in {text!r}"
        position = found + 1
