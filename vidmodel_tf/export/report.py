"""What an export is worth: the size, ops and speed of each file, and how far its answers are from Keras's."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from vidmodel_tf.export.agreement import MeasuredModels, measure_models
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.forms.form import Form

NUM_TIMED_CALLS = 15

Name = TypeVar("Name")


@dataclasses.dataclass(frozen=True)
class FileReport:
    """What one file is worth.

    Attributes:
        num_bytes: Its size.
        ops: How often it holds each operator, the most frequent first.
        milliseconds: The median of a call, by the number of threads, on random pixels and a few words or none.
    """

    num_bytes: int
    ops: dict[str, int]
    milliseconds: dict[int, float]

    def to_json(self) -> dict[str, object]:
        """`{"bytes", "ops": {OP: count}, "milliseconds": {"1": median, "2": median}}`."""
        milliseconds = {str(threads): value for threads, value in self.milliseconds.items()}
        return {"bytes": self.num_bytes, "ops": self.ops, "milliseconds": milliseconds}


@dataclasses.dataclass(frozen=True)
class FormReport:
    """What one exported form of a model is worth; `report.json` holds it.

    Attributes:
        files: By the file's name without its ending.
        models: The models that the files make up, beside Keras; None where the data set of the run is gone.
        keras_milliseconds: The median of a clip in Keras, with the threads that TensorFlow has; None where it was not
            measured.
        notes: What is missing or was done in another way, a sentence each.
    """

    files: dict[str, FileReport]
    models: MeasuredModels | None
    keras_milliseconds: float | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """`{"split", "num_clips", "keras", "files", "models", "notes"}`, with `"keras_milliseconds"` if measured.

        `split`, `keras` and `models` are null and `num_clips` is 0 where no models were measured.
        """
        measured: dict[str, object] = {"split": None, "num_clips": 0, "keras": None, "models": None}
        if self.models is not None:
            measured = self.models.to_json()
        models = measured.pop("models")
        timed = {} if self.keras_milliseconds is None else {"keras_milliseconds": self.keras_milliseconds}
        files = {name: file.to_json() for name, file in self.files.items()}
        return {**measured, **timed, "files": files, "models": models, "notes": list(self.notes)}


def report_on(
    trained: TrainedRun,
    files: Mapping[str, FileReport],
    models: Mapping[str, Form],
    *,
    keras_milliseconds: float | None = None,
    notes: Sequence[str] = (),
) -> FormReport:
    """Measures the models that exported files make up, and puts the report together.

    Where the data set of the run is gone, the report leaves out what is measured on it, and says so in its notes.

    Args:
        trained: The run that they were made of.
        files: Each file, measured.
        models: The models that the files make up, by name.
        keras_milliseconds: As in `FormReport`.
        notes: As in `FormReport`.
    """
    if trained.data is None:
        place = "not known" if trained.run.data is None else f"not at {trained.run.data}"
        gone = f"the data set of the run is {place}: agreement with Keras and accuracy were not measured; give --data"
        return FormReport(dict(files), None, keras_milliseconds, (gone, *notes))
    measured = measure_models(trained.reference, models, trained.data)
    return FormReport(dict(files), measured, keras_milliseconds, tuple(notes))


def median_milliseconds(calls: Mapping[Name, Callable[[], object]]) -> dict[Name, float]:
    """Times functions by turns, so that whatever else the machine does slows all of them down alike.

    Args:
        calls: What to call, by name. The first call of each is not counted: it builds what the others use.

    Example:
        >>> times = median_milliseconds({"nothing": lambda: None, "a sum": lambda: sum(range(10_000))})
        >>> sorted(times)
        ['a sum', 'nothing']
    """
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for number in range(1 + NUM_TIMED_CALLS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}
