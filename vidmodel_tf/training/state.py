"""Where the training of a run stands: what a killed run needs in order to go on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import read_json, write_json
from vidmodel_tf.training.history import Epoch, StageResult, result_of, write_history

_FOLLOW_FROM_HISTORY = {"next_epoch", "best_loss", "epochs_without_gain"}  # entries of version 0.1.0


@dataclasses.dataclass
class TrainingState:
    """Where training stands, as `checkpoints/state.json` keeps it.

    Attributes:
        stage: The stage in progress.
        finished_stages: Names of the stages that have ended.
        last_weights: The weights of the last epoch of the stage, optimizer included: a file name under `checkpoints/`.
        best_weights: Those of the best epoch; "" before there is one.
        history: All epochs so far.
    """

    stage: str = ""
    finished_stages: list[str] = dataclasses.field(default_factory=list)
    last_weights: str = ""
    best_weights: str = ""
    history: list[Epoch] = dataclasses.field(default_factory=list)

    @property
    def next_epoch(self) -> int:
        """The number of the next epoch, counted from 0 over all stages."""
        return len(self.history)

    @property
    def result(self) -> StageResult:
        """The result of the stage in progress so far."""
        return result_of(self.history, self.stage)

    def has_passed(self, stage: str) -> bool:
        """Whether a later stage has begun, whose weights contain those of this one."""
        return stage in self.finished_stages and stage != self.stage

    @classmethod
    def load(cls, run_dir: Path) -> TrainingState:
        """Reads the state of a run; a fresh one if it has none.

        Raises:
            InputError: The file is damaged, or another version wrote it with other entries.
        """
        path = run_dir / layout.STATE
        if not path.exists():
            return cls()
        found = read_json(path)
        if isinstance(found, dict):
            found = {name: value for name, value in found.items() if name not in _FOLLOW_FROM_HISTORY}
        _check_entries(found, [field.name for field in dataclasses.fields(cls)], path)
        try:
            return cls(**{**found, "history": [Epoch.from_json(row) for row in found["history"]]})
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(f"was damaged: {error}", subject=path) from None

    def save(self, run_dir: Path) -> None:
        """Writes the state, its history as `history.csv`, and removes weights that it no longer names."""
        history = [epoch.to_json() for epoch in self.history]
        write_json(run_dir / layout.STATE, {**vars(self), "history": history})
        write_history(run_dir, self.history)
        for path in (run_dir / layout.CHECKPOINTS).glob("*.weights.h5"):
            if path.name not in (self.last_weights, self.best_weights):
                path.unlink()


def _check_entries(found: Any, expected: list[str], path: Path) -> None:
    if not isinstance(found, dict) or found.keys() != set(expected):
        received = ", ".join(found) if isinstance(found, dict) else type(found).__name__
        raise InputError(
            f"expected where training stands, with the entries {', '.join(expected)}. Received: {received}; "
            "go on with the version of vidmodel that began it, or remove the run folder",
            subject=path,
        )
