"""Whether a run folder may be trained into: it is new, or training goes on in it with the same arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidmodel_tf import folder_lock
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run, read_settings_of_run, settings_of

_NUM_NAMED = 4  # differences or files that a message names
_COMPARED = (
    "data_fingerprint", "fold", "model", "train", "prepare", "multi_label_heads", "distil", "teacher_fingerprint",
    "prune",
)  # fmt: skip


def check_folder(run_dir: Path) -> None:
    """Refuses a folder that holds something else.

    Raises:
        InputError: It is no run folder and not empty.
    """
    if layout.is_run_folder(run_dir) or not run_dir.is_dir():
        return
    own = [Path(name).stem for name in (*layout.FILES, layout.PRUNED_BACKBONE)] + [folder_lock.NAME.lstrip(".")]
    others = sorted(path.name for path in run_dir.iterdir() if path.name.lstrip(".").split(".")[0] not in own)
    if others:
        raise InputError(
            f"{run_dir}: expected a new folder, or a run folder to go on with. "
            f"Received: one with other content ({', '.join(others[:_NUM_NAMED])}); give another --out"
        )


def is_trained(run: Run) -> bool:
    """Whether the run folder holds this very run, trained to the end.

    Raises:
        InputError: It holds another run.
    """
    if not layout.is_run_folder(run.path):
        return False
    found, wanted = settings_of(read_settings_of_run(run.path)), settings_of(run)
    differences = [text for name in _COMPARED for text in _differences(name, found.get(name), wanted.get(name))]
    if differences:
        raise InputError(
            f"{run.path} was begun with other arguments ({', '.join(differences[:_NUM_NAMED])}): "
            "go on with those (its config.json has them all), give another --out, or remove that folder"
        )
    return layout.is_finished(run.path)


def remove_leftovers(run_dir: Path) -> None:
    """Removes the files that a killed run was still writing (`atomic_write`), and no others."""
    names = (*layout.FILES, layout.PRUNED_BACKBONE)
    own = [path for name in names for path in run_dir.glob(f".{Path(name).stem}.*{Path(name).suffix}")]
    for path in [*own, *(run_dir / layout.CHECKPOINTS).glob(".*")]:
        path.unlink()


def _differences(name: str, found: Any, wanted: Any) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = dict.fromkeys([*wanted, *found])
        return [text for key in keys for text in _differences(f"{name}.{key}", found.get(key), wanted.get(key))]
    return [] if found == wanted else [f"{name}={found!r}, not {wanted!r}"]
