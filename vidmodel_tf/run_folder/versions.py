"""Where the versions of an exported model lie, and what is in the folder of one. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

EXTRA = "assets.extra"  # what TF Serving calls the folder that it leaves to others
SETTINGS = f"{EXTRA}/run"  # the run folder's settings, for those who read the model with this package


def latest_version(path: str | Path) -> Path | None:
    """The SavedModel at a path: the folder itself, or the newest version in it; None if there is none."""
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        return path
    versions = versions_in(path)
    return path / str(max(versions)) if versions else None


def versions_in(folder: Path) -> list[int]:
    """The numbers of the versions that a server would see."""
    if not folder.is_dir():
        return []
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal() and (path / "saved_model.pb").exists()]
