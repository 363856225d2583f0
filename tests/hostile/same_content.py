"""Whether two folders that a command has written hold the same: what is compared, and how."""

from __future__ import annotations

import fnmatch
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

# The first pattern that fits the path of a file inside the folder says how it is compared.
COMPARED = (
    ("/.cache/*", "not", "what is remembered of files holds their times"),
    ("/.tmp/*", "not", "temporary files of TensorFlow"),
    ("*/.lock", "not", "who writes there"),
    ("*/logs/*", "not", "curves for TensorBoard hold times and the name of the process, and begin anew after a kill"),
    (
        "*/.*.[a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_]*",
        "not",
        "what a killed process was writing beside its place; it is removed after a day",
    ),
    ("*/SHA256SUMS", "sums", "all of them but that of model.keras, which holds the date"),
    ("*.keras", "values", "all weights, the optimizer's state and the settings; the file holds the date"),
    ("*.h5", "values", "all weights and the optimizer's state"),
    ("*", "bytes", "all else: shards, histories, settings, scores, documents, pictures, exports"),
)


def differences(folder: Path, other: Path) -> list[str]:
    """What is different, one line a file; [] where the folders hold the same."""
    ours, others = dict(_files(folder)), dict(_files(other))
    missing = [f"{name}: only in one of them" for name in sorted(ours.keys() ^ others.keys())]
    return missing + [
        f"{name}: other {how}"
        for name in sorted(ours.keys() & others.keys())
        if not _is_same(folder / name, other / name, how := ours[name])
    ]


def values_of(path: Path) -> dict[str, object]:
    """What a file of weights holds, by name."""
    if path.suffix != ".keras":
        return dict(_arrays(h5py.File(path)))
    with zipfile.ZipFile(path) as archive:
        settings = _without_addresses(json.loads(archive.read("config.json")))
        return {**dict(_arrays(h5py.File(io.BytesIO(archive.read("model.weights.h5"))))), "config.json": settings}


def _without_addresses(settings: Any) -> Any:
    """Keras writes addresses in memory among the settings."""
    if isinstance(settings, dict):
        return {name: _without_addresses(value) for name, value in settings.items() if name != "shared_object_id"}
    return [_without_addresses(value) for value in settings] if isinstance(settings, list) else settings


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and (how := _how(name)) != "not":
            yield name, how


def _how(name: str) -> str:
    return next(how for pattern, how, _ in COMPARED if fnmatch.fnmatch(f"/{name}", pattern))


def _is_same(path: Path, other: Path, how: str) -> bool:
    if how == "bytes":
        return path.read_bytes() == other.read_bytes()
    if how == "sums":
        return _sums_of(path) == _sums_of(other)
    ours, others = values_of(path), values_of(other)
    return ours.keys() == others.keys() and all(
        np.array_equal(np.asarray(value), np.asarray(others[name])) for name, value in ours.items()
    )


def _sums_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.endswith(".keras")]


def _arrays(file: h5py.File) -> Iterator[tuple[str, np.ndarray]]:
    found: dict[str, np.ndarray] = {}
    with file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    yield from found.items()
