"""The callback that keeps weights, optimizer, early stopping and history in step, so that a killed run can go on.

Keras has a callback for each, but none keeps the state of the others: `BackupAndRestore` forgets how long
`EarlyStopping` has waited, and files that several callbacks write at an epoch's end can disagree after a kill.
Here `state.json` is written last and names the weights that belong to it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidmodel_tf.backend.devices import Devices
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.training.history import Epoch
from vidmodel_tf.training.state import TrainingState

_HDF5_BYTES = 4096  # what HDF5 writes beside the numbers of a variable: about 3000


class StageProgress(keras.callbacks.Callback):
    """Keeps the last and the best weights of a stage, and ends it when the monitored loss no longer falls.

    Of several hosts, the first one writes.

    Args:
        run_dir: The run folder.
        state: Where training stands; updated at the end of each epoch.
        patience: The stage ends after this many epochs without a lower monitored loss.
        seed: With the number of the epoch, seeds the layers that draw random numbers (Dropout).
        devices: What the stage is trained on.
    """

    def __init__(self, run_dir: Path, state: TrainingState, patience: int, seed: int, devices: Devices) -> None:
        super().__init__()
        self.run_dir, self.state = run_dir, state
        self.patience, self.seed, self.devices = patience, seed, devices

    def on_train_begin(self, logs=None) -> None:
        if self.state.last_weights:
            with self.devices.apart():
                self.model.load_weights(self.run_dir / layout.CHECKPOINTS / self.state.last_weights)
        elif self.state.finished_stages:
            # A stage that gains nothing over the stage before it keeps these weights.
            self.state.best_weights = self._save_weights("start", self.state.next_epoch)

    def on_epoch_begin(self, epoch, logs=None) -> None:
        # The state of random generators is in no weights file: each layer starts each epoch with numbers of its own.
        for number, generator in enumerate(_seed_generators(self.model)):
            for copy, state in enumerate(self.devices.copies(generator.state)):
                # A zero at the end changes nothing: the numbers of the first device are those of a single one.
                draws = np.random.SeedSequence([self.seed, epoch, number, copy]).generate_state(2)
                state.assign((draws >> 1).astype(np.int64))

    def on_epoch_end(self, epoch, logs=None) -> None:
        state = self.state
        state.history.append(Epoch(epoch, state.stage, {name: float(value) for name, value in (logs or {}).items()}))
        result = state.result
        loss = state.history[-1].values[result.monitor]
        if not math.isfinite(loss):
            raise VidmodelError(
                f"{result.monitor} became {loss} in epoch {epoch}: "
                "try a lower train.learning_rate or model.precision=float32, with another --out"
            )
        state.last_weights = self._save_weights("last", epoch)
        if result.best_epoch == result.num_epochs:
            state.best_weights = self._save_weights("best", epoch)
        if self.devices.hosts.is_first:
            state.save(self.run_dir)
        if result.epochs_without_gain >= self.patience:
            self.model.stop_training = True

    def _save_weights(self, kind: str, epoch: int) -> str:
        name = f"{self.state.stage}-{kind}-{epoch:05d}.weights.h5"
        if not self.devices.hosts.is_first:
            return name
        # On a full disk HDF5 crashes the process.
        variables = [*self.model.variables, *self.model.optimizer.variables]
        num_bytes = sum(4 * math.prod(variable.shape) + _HDF5_BYTES for variable in variables)
        path = self.run_dir / layout.CHECKPOINTS / name
        with atomic_write(path, num_bytes=num_bytes) as beside, self.devices.apart():
            self.model.save_weights(beside, overwrite=True)
        return name


def _seed_generators(model: keras.Model) -> list[Any]:
    """Of all layers that draw random numbers, those of sub-models and wrapped models too, in the order of the graph."""
    generators = []
    for layer in model.layers:
        inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
        if isinstance(inner, keras.Model):
            generators += _seed_generators(inner)
        elif getattr(inner, "seed_generator", None) is not None:
            generators.append(inner.seed_generator)
    return generators
