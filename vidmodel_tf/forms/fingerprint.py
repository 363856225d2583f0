"""What tells two trained models apart: a digest of their files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vidmodel_tf.forms.lite_pair import CLASSIFIER, ENCODER_PREFIX
from vidmodel_tf.run_folder import layout

DIGITS = 16


def fingerprint(model: str | Path) -> str:
    """A digest of the settings and weights of a model, 16 hexadecimal digits; the same wherever it lies.

    Args:
        model: A path that `open_model` takes.
    """
    digest = hashlib.sha256()
    for path in _files(Path(model)):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:DIGITS]


def _files(model: Path) -> list[Path]:
    if model.is_file():
        if model.name.startswith(ENCODER_PREFIX):
            return [model, model.with_name(CLASSIFIER)]
        return [model, model.with_suffix(".bin")] if model.suffix == ".xml" else [model]
    version = layout.latest_version(model)
    if version is not None:
        return sorted(
            [version / "saved_model.pb", *version.glob("variables/*"), *(version / layout.EXPORTED_RUN).iterdir()]
        )
    names = (layout.CONFIG, layout.LABELS, layout.THRESHOLDS, layout.VOCABULARY, layout.WEIGHTS)
    own_backbone = [model / layout.BACKBONE] if (model / layout.BACKBONE).is_file() else []
    return [*(model / name for name in names), *own_backbone]
