"""What a run was trained with on each machine. It is logged and never compared: a killed run may go on elsewhere."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path

import keras

from vidmodel_tf.append_whole import append_whole
from vidmodel_tf.backend.choose import chosen_backend
from vidmodel_tf.backend.devices import Devices
from vidmodel_tf.run_folder import layout
from vidmodel_tf.workers import num_usable_cores


@dataclasses.dataclass(frozen=True)
class Machine:
    """What computes in this process.

    Attributes:
        backend: The backend of Keras.
        backend_version: Of its package.
        keras_version: Of Keras.
        devices: As Keras names them ("cpu:0", "gpu:0").
        used_devices: Those among them that share the batches.
        num_cores: Cores that the process may run on.
    """

    backend: str
    backend_version: str
    keras_version: str
    devices: tuple[str, ...]
    used_devices: tuple[str, ...]
    num_cores: int

    @classmethod
    def here(cls, devices: Devices) -> Machine:
        """This process, with Keras imported.

        Args:
            devices: Those that share the batches.
        """
        return cls(
            backend=chosen_backend(),
            backend_version=backend_version(),
            keras_version=keras.version(),
            devices=tuple(keras.distribution.list_devices()),
            used_devices=devices.names,
            num_cores=num_usable_cores(),
        )


def backend_version() -> str:
    """The version of the package that Keras computes with."""
    return importlib.import_module(chosen_backend()).__version__


def log_machine(run_dir: Path, devices: Devices) -> None:
    """Adds this process to `logs/machines.jsonl`, a line for each that has trained the run."""
    path = run_dir / layout.MACHINES
    path.parent.mkdir(exist_ok=True)
    with path.open("ab", buffering=0) as file:
        append_whole(file, f"{json.dumps(dataclasses.asdict(Machine.here(devices)))}\n".encode())
