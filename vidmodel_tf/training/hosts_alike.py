"""Several machines that train one run: whether they do the same, in the same run folder."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from pathlib import Path

import keras

from vidmodel_tf import folder_lock
from vidmodel_tf.backend.choose import chosen_backend
from vidmodel_tf.backend.hosts import Hosts
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.run import Run, settings_of
from vidmodel_tf.storage import write_text
from vidmodel_tf.training.machine import backend_version
from vidmodel_tf.version import __version__

_TOKEN = f"{folder_lock.NAME}.hosts"
_LOOKS, _LOOK_SECONDS = 60, 1.0


def check_alike(run: Run, hosts: Hosts) -> None:
    """Refuses machines that were called for different runs, or compute them by different versions.

    Args:
        run: What this machine is to train.
        hosts: The machines, which have joined; nobody goes on before all have come.

    Raises:
        InputError: They differ.
    """
    versions = {"vidmodel_tf": __version__, "keras": keras.version(), chosen_backend(): backend_version()}
    hosts.check_equal(json.dumps(versions), "versions of vidmodel_tf, Keras and JAX")
    settings = {**settings_of(run), "data": ""}  # where it lies may differ, and its fingerprint is there too
    hosts.check_equal(json.dumps(settings, sort_keys=True), "data set and settings")


def check_shared_folder(run: Run, hosts: Hosts) -> None:
    """Refuses a machine that does not see what the first one writes.

    Raises:
        InputError: The run folder is not on a file system that the machines share.
    """
    if not hosts.are_several:
        return
    token, path = hosts.from_first(secrets.token_hex()), run.path / _TOKEN
    if hosts.is_first:
        write_text(path, token)
    hosts.wait_for_all()
    if not _shows(path, token):
        raise InputError(
            f"{run.path}: expected a folder that all hosts share, which {hosts.addresses[0]} writes. "
            f"Received: another one on {hosts.addresses[hosts.number]}"
        )
    hosts.wait_for_all()
    if hosts.is_first:
        path.unlink()


def _shows(path: Path, token: str) -> bool:
    """Whether a file has the content that it was just given elsewhere; some file systems show it only after a while."""
    for _ in range(_LOOKS):
        with contextlib.suppress(OSError):
            list(path.parent.iterdir())
            if path.read_text() == token:
                return True
        time.sleep(_LOOK_SECONDS)
    return False
