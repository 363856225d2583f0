"""What an export gives back: where it is, and what it is worth."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vidmodel_tf.export.report import FormReport


@dataclasses.dataclass(frozen=True)
class Exported:
    """One form of a model, written.

    Attributes:
        path: Its folder.
        model: What in it `vidmodel verify` and `vidmodel predict` are best given.
        report: What it is worth; None for a SavedModel, which is not measured when it is exported.
    """

    path: Path
    model: Path
    report: FormReport | None = None
