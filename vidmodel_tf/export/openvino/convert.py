"""An ONNX graph -> OpenVINO models, which say themselves in which precision they are to be computed."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.openvino_form import PLACE_OF_HINT
from vidmodel_tf.run_folder.layout import OPENVINO_NAMES

if TYPE_CHECKING:
    import openvino
    from onnx import ModelProto

HINTS = MappingProxyType(dict(zip(OPENVINO_NAMES, ("f32", "bf16"), strict=True)))  # by the name of the file


def write_models(graph: ModelProto, folder: Path) -> None:
    """Writes `float32.xml` and `bfloat16.xml`, each with its weights in a `.bin` file beside it.

    The weights of `bfloat16` are kept in float16: half the bytes, and more digits than bfloat16 reads of them.

    Args:
        graph: The whole model, from `export.onnx.convert`.
        folder: Where to.

    Raises:
        InputError: The extra `openvino` is not installed.
        OSError: The disk is full or cannot be written.
    """
    openvino = import_extra("openvino", extra="openvino", needed_for="OpenVINO files")
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        # From a file: from memory it would leave out inputs that the model has no use for. Not by
        # `openvino.convert_model`, which reports each call over the network.
        file = Path(inside) / "model.onnx"
        file.write_bytes(graph.SerializeToString(deterministic=True))
        model = openvino.Core().read_model(file)
        _name_by_place(model)
        for name, hint in HINTS.items():
            model.set_rt_info(hint, PLACE_OF_HINT)
            _save(model, folder / f"{name}.xml", in_half=hint == "bf16")


def _save(model: openvino.Model, path: Path, *, in_half: bool) -> None:
    import openvino

    try:
        openvino.save_model(model, path, compress_to_fp16=in_half)
    except RuntimeError as error:  # which leaves out what the system said
        said = " ".join(str(error).split())
        raise OSError(errno.EIO, f"OpenVINO could not write this file; is the disk full? {said}", str(path)) from None


def _name_by_place(model: openvino.Model) -> None:
    """Names the ops of a model; OpenVINO numbers them by all that the process has made before."""
    for number, op in enumerate(model.get_ordered_ops()):
        if op.get_type_name() not in ("Parameter", "Result"):
            op.set_friendly_name(f"{op.get_type_name()}_{number}")
