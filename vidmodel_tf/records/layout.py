"""The files by which a folder is known as a prepared data set. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import Content
from vidmodel_tf.remote.store import is_url

FEATURES = "features.json"  # of TFDS, as the next one
INFO = "dataset_info.json"
SPLITS_FILE = "splits.json"
REPORT = "prepare_report.json"
CONTENT = Content(
    (FEATURES, INFO, SPLITS_FILE, REPORT, "*.labels.txt", "*.tfrecord-*"),
    "fetch the data set again, or make it anew with `vidmodel prepare`",
)


def check_data_set_folder(path: str | Path) -> None:
    """Refuses a folder without the files of a prepared data set; what is in them is not read.

    Raises:
        InputError: It lacks them, or does not exist.
    """
    if is_url(str(path)):
        raise InputError("data sets are read from file systems only: fetch it, and give its folder", subject=path)
    if not (Path(path) / FEATURES).is_file() or not (Path(path) / INFO).is_file():
        # What is there already must not be suggested as a place to write to.
        place = "data/NAME" if Path(path).exists() else path
        raise InputError(
            f"{path} is not a prepared data set (no {FEATURES} in it): "
            f"expected a folder made by `vidmodel prepare SOURCE --out {place}`"
        )
