"""The epochs of a run, as `history.csv` lists them, and the one place that decides which of them was best.

The best epoch of a stage is the one with the lowest validation loss, if that is also lower than in all stages before
it. Without validation clips the training loss decides, within the stage alone: the inputs of another stage differ, so
its training losses do not compare. A refit keeps its last epoch.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import read_text, write_text
from vidmodel_tf.training.plan import is_refit


@dataclasses.dataclass(frozen=True)
class Epoch:
    """The losses and metrics of one epoch.

    Attributes:
        number: From 0, counted over all stages.
        stage: The stage that it belongs to.
        values: Losses and metrics by name, as Keras reports them ("loss", "val_loss", "label_accuracy", ...).
    """

    number: int
    stage: str
    values: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """One row of the history."""
        return {"epoch": self.number, "stage": self.stage, **self.values}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Epoch:
        """The inverse of `to_json`; values may be text, and empty where an epoch has none.

        Raises:
            ValueError: An entry is missing or is no number.
        """
        try:
            number, stage = int(row["epoch"]), row["stage"]
            values = {name: float(row[name]) for name in row if name not in ("epoch", "stage") and row[name] != ""}
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an epoch: {row}") from error
        return cls(number, stage, values)


@dataclasses.dataclass(frozen=True)
class StageResult:
    """The result of one stage so far.

    Attributes:
        name: Of the stage.
        num_epochs: Epochs done.
        monitor: The loss that judges it: "val_loss", or "loss" where there are no validation clips.
        best_epoch: Its best epoch, from 1; 0: it gained nothing over the stages before.
        lowest: The monitored loss of the weights that it keeps; infinite before the first epoch.
    """

    name: str
    num_epochs: int = 0
    monitor: str = "loss"
    best_epoch: int = 0
    lowest: float = math.inf

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the best one."""
        return self.num_epochs - self.best_epoch

    def to_json(self) -> dict[str, str | int | float | None]:
        """`{"name", "epochs", "monitor", "best_epoch", "lowest"}`; `lowest` is null if no loss was a number."""
        lowest = self.lowest if math.isfinite(self.lowest) else None
        return {
            "name": self.name,
            "epochs": self.num_epochs,
            "monitor": self.monitor,
            "best_epoch": self.best_epoch,
            "lowest": lowest,
        }


def stage_results(epochs: Sequence[Epoch]) -> list[StageResult]:
    """The result of each stage, in order.

    Example:
        >>> losses = [("frozen", 1.0), ("frozen", 0.5), ("frozen", 0.9), ("fine_tune", 0.6)]
        >>> epochs = [Epoch(n, stage, {"val_loss": loss}) for n, (stage, loss) in enumerate(losses)]
        >>> [(result.name, result.best_epoch, result.lowest) for result in stage_results(epochs)]
        [('frozen', 2, 0.5), ('fine_tune', 0, 0.5)]
    """
    results: list[StageResult] = []
    lowest = math.inf
    for name, group in itertools.groupby(epochs, key=lambda epoch: epoch.stage):
        result = _judge(name, list(group), lowest)
        results.append(result)
        if result.monitor == "val_loss":
            lowest = result.lowest
    return results


def result_of(epochs: Sequence[Epoch], stage: str) -> StageResult:
    """The result of one stage; that of a stage without epochs where it has not begun."""
    return next((result for result in stage_results(epochs) if result.name == stage), StageResult(stage))


def kept_epoch(epochs: Sequence[Epoch]) -> Epoch | None:
    """The epoch whose weights the model has: the best one of the last stage that gained anything."""
    for result in reversed(stage_results(epochs)):
        if result.best_epoch:
            return [epoch for epoch in epochs if epoch.stage == result.name][result.best_epoch - 1]
    return None


def _judge(name: str, epochs: Sequence[Epoch], lowest_before: float) -> StageResult:
    monitor = "val_loss" if "val_loss" in epochs[0].values else "loss"
    losses = [epoch.values[monitor] for epoch in epochs]
    if is_refit(name):
        return StageResult(name, len(epochs), monitor, len(epochs), losses[-1])
    best, lowest = 0, lowest_before if monitor == "val_loss" else math.inf
    for number, loss in enumerate(losses, 1):
        if loss < lowest:
            best, lowest = number, loss
    return StageResult(name, len(epochs), monitor, best, lowest)


def write_history(run_dir: Path, epochs: Sequence[Epoch]) -> None:
    """Writes `history.csv`: an epoch a row, a column for each loss and metric of any of them."""
    rows = [epoch.to_json() for epoch in epochs]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(run_dir / layout.HISTORY, text.getvalue())


def read_history(run_dir: Path) -> list[Epoch]:
    """Reads `history.csv`; no epochs where there is none (a model that was trained by hand).

    Raises:
        InputError: It was damaged.
    """
    path = run_dir / layout.HISTORY
    if not path.exists():
        return []
    text = read_text(path)
    try:
        return [Epoch.from_json(row) for row in csv.DictReader(io.StringIO(text))]
    except ValueError as error:
        raise InputError(f"was damaged: {error}", subject=path) from None
