"""A trained run, opened once for all that is to be made of it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from vidmodel_tf.backend.choose import require_tensorflow
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.onnx.convert import convert
from vidmodel_tf.export.parts import InferenceParts, take_apart
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.own_data import open_own_data
from vidmodel_tf.run_folder.run import Run, load_run

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """A run and what exports need of it, each loaded when it is first needed, and then kept.

    Attributes:
        run: The run folder, as read.
        data: The data set that it was trained on; None where that is gone, or not needed.

    Raises:
        InputError: Keras computes on another backend than TensorFlow.
    """

    run: Run
    data: DataSet | None = None

    def __post_init__(self) -> None:
        require_tensorflow("exports")

    @functools.cached_property
    def model(self) -> keras.Model:
        """The model in float32, whatever it was trained in: a server may be slow at anything else, or unable."""
        config = dataclasses.replace(self.run.config, model=self._float32)
        return dataclasses.replace(self.run, config=config).load_model()

    @functools.cached_property
    def parts(self) -> InferenceParts:
        """The model as exports trace it."""
        return take_apart(self.model, self._float32)

    @functools.cached_property
    def onnx_graph(self) -> ModelProto:
        """The model as an ONNX graph, see `onnx.convert.convert`; OpenVINO reads it too."""
        return convert(self.parts)

    @functools.cached_property
    def reference(self) -> KerasForm:
        """What exports are compared with: the model as it was trained, in half precision too."""
        return KerasForm(self.run, self.model if self.run.config.model == self._float32 else None)

    @property
    def _float32(self) -> ModelConfig:
        return dataclasses.replace(self.run.config.model, precision="float32")


def open_trained(run_dir: str | Path, data: str | Path | None = None) -> TrainedRun:
    """Opens a run, with its data set where that can be found.

    Args:
        run_dir: A run folder.
        data: Where the data set of the run lies now; None: where it lay when the run was trained.

    Raises:
        InputError: There is no finished run, the data set was prepared anew, or `data` is not the run's.
    """
    run = load_run(run_dir)
    own_data = open_own_data(run, data)
    return TrainedRun(run if own_data is None else dataclasses.replace(run, data=own_data.path), own_data)
