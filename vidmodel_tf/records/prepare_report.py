"""What `prepare` tells about a data set, and keeps beside it as `prepare_report.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidmodel_tf.config import PREPARE_BEFORE, PrepareConfig, from_mapping, to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.layout import REPORT
from vidmodel_tf.storage import read_json


@dataclasses.dataclass(frozen=True)
class SplitCounts:
    """How many clips a split has, and how many of each class: `labels` is {head: {class: count}}."""

    clips: int
    labels: dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareReport:
    """How a data set was made, and from what.

    Attributes:
        num_clips: Clips stored.
        refused: The clips that could not be read, by id, and why.
        warnings: What may surprise, one line each: in the source of clips, in the splits, in what was read.
        clip_warnings: By clip id, what was wrong with its video though it could be read, one line each.
        ignored_columns: Columns of the manifest that mean nothing here.
        passed_over: Files in class folders that are neither videos nor words: how many, by suffix.
        decoder: The library that decoded the videos, and its versions, by name.
        counts: By split.
        settings: How clips were stored.
        source: The folder or manifest, as the user wrote it.
        plan_fingerprint: Equal for the same video files (size and time), words, labels, splits and settings.
        fingerprint: Equal where the same files were refused too.
    """

    num_clips: int
    refused: dict[str, str]
    warnings: tuple[str, ...]
    clip_warnings: dict[str, tuple[str, ...]]
    ignored_columns: tuple[str, ...]
    passed_over: dict[str, int]
    decoder: dict[str, str]
    counts: dict[str, SplitCounts]
    settings: PrepareConfig
    source: str
    plan_fingerprint: str
    fingerprint: str

    @property
    def num_refused(self) -> int:
        """Clips that could not be read."""
        return len(self.refused)

    def to_json(self) -> dict[str, Any]:
        """What `prepare_report.json` holds."""
        return {
            "num_clips": self.num_clips,
            "num_refused": self.num_refused,
            "refused": self.refused,
            "warnings": list(self.warnings),
            "clip_warnings": {clip_id: list(lines) for clip_id, lines in self.clip_warnings.items()},
            "ignored_columns": list(self.ignored_columns),
            "passed_over": self.passed_over,
            "decoder": self.decoder,
            "counts": {split: dataclasses.asdict(counts) for split, counts in self.counts.items()},
            "settings": to_mapping(self.settings),
            "source": self.source,
            "plan_fingerprint": self.plan_fingerprint,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PrepareReport:
        """The inverse of `to_json`; what reports of earlier versions lack is empty.

        Raises:
            InputError: A setting is unknown or out of range.
            KeyError, TypeError, AttributeError: The values are no report.
        """
        return cls(
            num_clips=values["num_clips"],
            refused=dict(values["refused"]),
            warnings=tuple(values["warnings"]),
            clip_warnings={clip_id: tuple(lines) for clip_id, lines in values.get("clip_warnings", {}).items()},
            ignored_columns=tuple(values["ignored_columns"]),
            passed_over=dict(values.get("passed_over", {})),
            decoder=dict(values["decoder"]),
            counts={split: SplitCounts(**counts) for split, counts in values["counts"].items()},
            settings=from_mapping(PrepareConfig, {**PREPARE_BEFORE, **values["settings"]}, "prepare"),
            source=values["source"],
            plan_fingerprint=values["plan_fingerprint"],
            fingerprint=values["fingerprint"],
        )


def read_report(data_dir: Path) -> PrepareReport:
    """Reads the report of a prepared data set.

    Raises:
        InputError: It is missing or was damaged.
    """
    path = data_dir / REPORT
    try:
        return PrepareReport.from_json(read_json(path))
    except (InputError, KeyError, TypeError, AttributeError) as error:
        reason = error.reason if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(
            f"cannot read {path}: expected the report that `vidmodel prepare` writes; prepare the data set again "
            f"({reason})"
        ) from None
