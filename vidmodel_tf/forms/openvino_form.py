"""An OpenVINO model, run on the processor as a server without TensorFlow runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.form import Scores
from vidmodel_tf.forms.settings_beside import read_settings_beside
from vidmodel_tf.forms.whole_clip_form import WholeClipForm

HINT = "INFERENCE_PRECISION_HINT"
PLACE_OF_HINT = ["runtime_options", HINT]  # in the file, where OpenVINO itself keeps such options
# bfloat16 keeps two digits of each number, as int8 does of each weight (see `lite_form`). The largest difference in the
# models of the tests, whose scores are made to lie far apart, is 0.16.
TOLERANCES: Mapping[str, float] = MappingProxyType({"f32": 1e-4, "bf16": 0.25})


class OpenVinoForm(WholeClipForm):
    """An `.xml` file with its weights in a `.bin` file beside it, opened.

    It is computed in the precision that it was exported for: left to itself, OpenVINO takes bfloat16 for every model
    wherever the processor has it. A processor without it computes in float32.

    Args:
        path: The `.xml` file, with the settings that `vidmodel export` puts beside it.
        num_threads: Threads that OpenVINO may use.

    Attributes:
        hint: The precision that it was exported for, "f32" or "bf16".
        in_bfloat16: Whether it is computed in bfloat16.

    Raises:
        InputError: OpenVINO is not installed, the files cannot be read, one of them is missing or another model's, or
            their settings are missing.
    """

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        openvino = import_extra("openvino", extra="openvino", needed_for="OpenVINO files")
        self.path, self.run = path, read_settings_beside(path)
        if not (weights := path.with_suffix(".bin")).is_file():
            raise InputError(f"{path}: expected its weights beside it. Received: no {weights.name} there")
        core = openvino.Core()
        try:
            model = core.read_model(path)
            inputs = {name for value in model.inputs for name in value.names}
            self.hint = str(model.get_rt_info(PLACE_OF_HINT).value)
            self.in_bfloat16 = self.hint == "bf16" and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            options = {
                HINT: "bf16" if self.in_bfloat16 else "f32",
                "INFERENCE_NUM_THREADS": num_threads,
                "ENABLE_CPU_PINNING": False,  # or several processes would all compute on the first cores
            }
            self._model = core.compile_model(model, "CPU", options)
        except (RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise InputError(f"{path} cannot be read as an OpenVINO file of `vidmodel export`: {said}") from None
        if inputs != {"frames", "token_ids"} or self.hint not in TOLERANCES:
            received = f"one of {', '.join(sorted(inputs))}, in {self.hint}"
            raise InputError(f"{path}: expected a model of frames and token_ids, in f32 or bf16. Received: {received}")
        self.tolerance = TOLERANCES[self.hint]

    def ask(self, frames_BxTxHxWxC: np.ndarray, token_ids_BxL: np.ndarray) -> Scores:
        """See `WholeClipForm`."""
        answers = self._model({"frames": frames_BxTxHxWxC, "token_ids": token_ids_BxL})
        return {head: answers[head] for head in self.run.labels}
