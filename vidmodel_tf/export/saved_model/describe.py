"""The signatures of an exported SavedModel in words and numbers, for people who write a client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.export.saved_model.request_limits import describe_limits
from vidmodel_tf.run_folder.run import Run

_MEANINGS = {
    "jpeg_frames": "JPEG files of any size, uniform over the clip, in display order",
    "frames": "RGB 0..255, uniform over the clip, in display order, the whole picture resized",
    "text": "words, UTF-8; a field other than the first begins with its character, see text_fields; empty: none",
    "features": "the encoded frames, all streams side by side",
    "_scores": "0..1, a class each, in the order of labels",
    "_label": "the class with the highest score",
    "_labels": "the classes over their thresholds, joined by |",
}


def describe_signatures(path: Path, run: Run) -> dict[str, object]:
    """Describes inputs and outputs of each signature (dtype, shape, meaning), limits, and the classes of each head."""
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    signatures = {
        name: {side: _describe_tensors(getattr(signature, side)) for side in ("inputs", "outputs")}
        for name, signature in sorted(model.meta_graphs[0].signature_def.items())
        if not name.startswith("__")  # __saved_model_init_op
    }
    return {
        "signatures": signatures,
        "limits": describe_limits(run.config.model),
        "labels": dict(run.labels),
        "thresholds": run.thresholds,
        "text_fields": {
            field: f"U+{position:04X}" for position, field in enumerate(run.config.model.text_fields, start=1)
        },
    }


def _describe_tensors(tensors: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, object]:
    return {
        name: {
            "dtype": tf.as_dtype(info.dtype).name,
            "shape": [dim.size if dim.size >= 0 else None for dim in info.tensor_shape.dim],
            "meaning": _meaning(name),
        }
        for name, info in sorted(tensors.items())
    }


def _meaning(tensor: str) -> str:
    for name, meaning in _MEANINGS.items():
        if tensor == name or (name.startswith("_") and tensor.endswith(name)):
            return meaning
    raise VidmodelError(f"no meaning is written down for the tensor {tensor!r}")
