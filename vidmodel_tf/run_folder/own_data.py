"""The data set that a run was trained on, found again wherever it lies now."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.run_folder.run import Run


def open_own_data(run: Run, data: str | Path | None = None) -> DataSet | None:
    """Opens the data set that the run was trained on, in the splits that it was trained with.

    Args:
        run: The run.
        data: Where the data set lies now; None: where it lay when the run was trained.

    Returns:
        None where the run does not know its data set, or another one or none lies there.

    Raises:
        InputError: `data` is not the data set that it was trained on, or was prepared anew since.
    """
    path = run.data if data is None else Path(data)
    found = open_data_set(path) if path is not None and path.is_dir() else None
    if found is not None and is_own_data(found, run):
        return found.with_fold(run.fold)
    if data is not None:
        received = "none there" if found is None else "another one"
        raise InputError(f"{data}: expected the data set that {run.path} was trained on. Received: {received}")
    return None


def is_own_data(data: DataSet, run: Run) -> bool:
    """Whether the data set is the one that the run was trained on; known by its content, for it may have moved.

    Raises:
        InputError: It lies where that did, but was prepared anew.
    """
    if run.data_fingerprint is not None and data.fingerprint == run.data_fingerprint:
        return True
    if run.data is not None and data.path.resolve() == run.data.resolve():
        raise InputError(
            f"{data.path} was prepared anew since {run.path} was trained on it, so that its splits may hold "
            "training clips: train again, or give --data another data set"
        )
    return False
