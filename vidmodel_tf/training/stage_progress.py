"""One callback for what a killed run needs to go on: weights, optimizer, early stopping, history, in step.

Keras has a callback for each, but none keeps the state of the others: `BackupAndRestore` forgets how long
`EarlyStopping` has waited, and files written by several callbacks at an epoch's end can disagree after a kill.
Here `state.json` is written last and names the weights that belong to it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import atomic_write, read_json, write_json, write_text


@dataclasses.dataclass
class TrainingState:
    """Where training stands. Epochs are counted from 0 over all stages."""

    stage: str = ""  # the stage in progress
    finished_stages: list[str] = dataclasses.field(default_factory=list)
    next_epoch: int = 0
    best_loss: float | None = None  # lowest monitored loss, over all stages
    epochs_without_gain: int = 0
    last_weights: str = ""  # file names under checkpoints/
    best_weights: str = ""
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @classmethod
    def load(cls, run_dir: Path) -> TrainingState:
        """Reads the state of a run; a fresh one if it has none.

        Raises:
            InputError: The file is damaged, or another version wrote it with other entries.
        """
        path = run_dir / layout.STATE
        if not path.exists():
            return cls()
        found, expected = read_json(path), [field.name for field in dataclasses.fields(cls)]
        if not isinstance(found, dict) or found.keys() != set(expected):
            received = ", ".join(found) if isinstance(found, dict) else type(found).__name__
            raise InputError(
                f"expected where training stands, with the entries {', '.join(expected)}. Received: {received}; "
                "go on with the version of vidmodel that began it, or remove the run folder",
                subject=path,
            )
        return cls(**found)

    def save(self, run_dir: Path) -> None:
        """Writes the state, its history as `history.csv`, and removes weights that it no longer names."""
        write_json(run_dir / layout.STATE, dataclasses.asdict(self))
        write_text(run_dir / layout.HISTORY, _to_csv(self.history))
        for path in (run_dir / layout.CHECKPOINTS).glob("*.weights.h5"):
            if path.name not in (self.last_weights, self.best_weights):
                path.unlink()


class StageProgress(keras.callbacks.Callback):
    """Keeps the last and the best weights of a stage and ends it when the loss no longer falls.

    Args:
        run_dir: The run folder.
        state: Where training stands; updated here.
        monitor: "val_loss", or "loss" where there are no validation clips; None: the stage has its epochs, and the
            last weights count as the best.
        patience: Epochs without a lower monitored loss after which the stage ends.
        seed: Of what is dropped out.
    """

    def __init__(self, run_dir: Path, state: TrainingState, monitor: str | None, patience: int, seed: int) -> None:
        super().__init__()
        self.run_dir, self.state, self.monitor = run_dir, state, monitor
        self.patience, self.seed = patience, seed

    def on_train_begin(self, logs=None) -> None:
        if self.state.last_weights:
            self.model.load_weights(self.run_dir / layout.CHECKPOINTS / self.state.last_weights)
        elif self.state.finished_stages and self.state.best_loss is not None:
            # A stage that gains nothing over the one before leaves that one's weights.
            self.state.best_weights = self._save_weights("start", self.state.next_epoch)

    def on_epoch_begin(self, epoch, logs=None) -> None:
        # What Dropout draws from is in no weights file: it begins anew in each epoch, each layer with its own numbers.
        for number, generator in enumerate(_seed_generators(self.model)):
            draws = np.random.SeedSequence([self.seed, epoch, number]).generate_state(2)
            generator.state.assign((draws >> 1).astype(np.int64))

    def on_epoch_end(self, epoch, logs=None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        monitor = self.monitor or "loss"
        loss = logs[monitor]
        if not math.isfinite(loss):
            raise VidmodelError(
                f"{monitor} became {loss} in epoch {epoch}: "
                "try a lower train.learning_rate or model.precision=float32, with another --out"
            )
        state = self.state
        state.history.append({"epoch": epoch, "stage": state.stage, **logs})
        state.next_epoch = epoch + 1
        state.last_weights = self._save_weights("last", epoch)
        if self.monitor is None or state.best_loss is None or loss < state.best_loss:
            state.best_loss, state.epochs_without_gain = loss, 0
            state.best_weights = self._save_weights("best", epoch)
        else:
            state.epochs_without_gain += 1
        state.save(self.run_dir)
        if state.epochs_without_gain >= self.patience:
            self.model.stop_training = True

    def _save_weights(self, kind: str, epoch: int) -> str:
        name = f"{self.state.stage}-{kind}-{epoch:05d}.weights.h5"
        with atomic_write(self.run_dir / layout.CHECKPOINTS / name) as beside:
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


def _to_csv(history: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()
