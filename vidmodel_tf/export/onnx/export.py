"""A run folder -> an ONNX file, for servers without TensorFlow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from vidmodel_tf.export.onnx.lstm import with_onnx_lstms
from vidmodel_tf.export.onnx.ops import report_on
from vidmodel_tf.export.parts import load_parts
from vidmodel_tf.export.place import replaced_folder
from vidmodel_tf.extras import import_extra
from vidmodel_tf.run_folder.own_data import open_own_data
from vidmodel_tf.run_folder.run import Run, load_run, write_settings
from vidmodel_tf.storage import write_json

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17  # of 2022: old enough for every runtime in use; nothing here needs a newer one


def export_onnx(run_dir: str | Path, out: str | Path, *, data: str | Path | None = None) -> Path:
    """Writes `OUT/onnx/`: `model.onnx`, the settings that it needs beside it, and `report.json` on it.

    The file takes `frames` uint8 [B, T, H, W, 3] and `token_ids` int32 [B, L] and gives scores float32 [B, K] by head,
    for any B.

    Args:
        run_dir: A run folder. Where its data set is gone, the report leaves out what is measured on it.
        out: The folder of the exported model, `saved_models/NAME`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained.

    Returns:
        The folder `OUT/onnx`; an earlier one is replaced as a whole.

    Raises:
        InputError: There is no finished run, the extra `onnx` is not installed, the data set was prepared anew, or
            `out` is no place for it.
    """
    for name in ("onnxruntime", "tf2onnx"):
        # Before the long work, so that a missing package costs no time.
        import_extra(name, extra="onnx", needed_for="ONNX files")
    run = load_run(run_dir)
    own_data = open_own_data(run, data)
    if own_data is not None:
        run = dataclasses.replace(run, data=own_data.path)
    with replaced_folder(Path(out), "onnx") as folder:
        write_settings(dataclasses.replace(run, path=folder))
        (folder / "model.onnx").write_bytes(convert(run).SerializeToString())
        write_json(folder / "report.json", report_on(folder / "model.onnx", run, own_data))
    return Path(out) / "onnx"


def convert(run: Run) -> ModelProto:
    """The whole model as one ONNX graph, whose size does not depend on T.

    Raises:
        InputError: The extra `onnx` is not installed.
    """
    tf2onnx, onnx = (import_extra(name, extra="onnx", needed_for="ONNX files") for name in ("tf2onnx", "onnx"))
    parts, config = with_onnx_lstms(load_parts(run)), run.config.model
    encoder = parts.frame_features() if config.has_frames else None

    @tf.function(autograph=False)
    def score(frames, token_ids):
        seen = {"features": encoder(frames, training=False)} if encoder else {}
        return parts.head({**seen, "token_ids": token_ids}, training=False)

    inputs = [
        tf.TensorSpec((None, config.num_frames, config.height, config.width, 3), tf.uint8, "frames"),
        tf.TensorSpec((None, config.num_tokens), tf.int32, "token_ids"),
    ]
    # Straight to tf2onnx: `keras.Model.export` would go there too, after patches of NumPy that it no longer needs.
    model, _ = tf2onnx.convert.from_function(score, inputs, opset=OPSET)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"  # instead of a number of its own for each
    onnx.checker.check_model(model, full_check=True)  # tf2onnx leaves ops in that it cannot convert
    return model
