"""A run folder -> a version of a SavedModel that TF Serving loads, with nothing but TensorFlow."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.export.parts import load_parts
from vidmodel_tf.export.place import check_place
from vidmodel_tf.export.saved_model.graph import InferenceGraph
from vidmodel_tf.export.saved_model.signatures import ServedModel
from vidmodel_tf.export.saved_model.warmup import write_warmup_requests
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run, load_run, write_settings
from vidmodel_tf.storage import write_json

_MEANINGS = {
    "jpeg_frames": "JPEG files of any size, uniform over the clip, in display order",
    "frames": "RGB 0..255, uniform over the clip, in display order, the whole picture resized",
    "text": "words, UTF-8; a field other than the first begins with its character, see text_fields; empty: none",
    "features": "what the head takes of each frame, all streams side by side",
    "_scores": "0..1, a class each, in the order of labels",
    "_label": "the class with the highest score",
    "_labels": "the classes over their thresholds, joined by |",
}
_NOT_PORTABLE = ("Cudnn", "PyFunc", "EagerPyFunc", "Nccl", "Xla", "TPU")  # how ops begin that tie a graph to a machine


def export_saved_model(run_dir: str | Path, out: str | Path) -> Path:
    """Writes the next version of a model for TF Serving.

    The folder of a version appears only when it is whole, so a server that watches `out` never sees half of one.

    Args:
        run_dir: A run folder.
        out: The folder of the model's versions, `saved_models/NAME`; made if missing.

    Returns:
        The folder of the new version, `OUT/VERSION`, with the signatures of `signatures.py` beside this file.

    Raises:
        InputError: There is no finished run, or `out` is no place for it.
        VidmodelError: The graph holds an op that would tie it to this machine.
    """
    run, out = load_run(run_dir), Path(out)
    check_place(out)
    served = ServedModel(run, InferenceGraph(load_parts(run)))
    signatures = served.signatures()
    partial = out / "partial"  # a server reads folders whose names are numbers
    shutil.rmtree(partial, ignore_errors=True)
    try:
        tf.saved_model.save(served, str(partial), signatures=signatures)
        check_portable(partial)
        _write_extras(partial, served, out.resolve().name, sorted(signatures))
        version = out / str(1 + max(layout.versions_in(out), default=0))
        partial.rename(version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return version


def check_portable(path: Path) -> None:
    """Refuses a SavedModel whose graph needs a GPU or Python."""
    for op, device in sorted(ops_of(path)):
        if op.startswith(_NOT_PORTABLE) or "GPU" in device.upper():
            raise VidmodelError(
                f"the exported graph would not run everywhere: expected ops without a device of their own. "
                f"Received: {op} on {device or 'any device'}"
            )


def ops_of(path: Path) -> set[tuple[str, str]]:
    """The ops of a SavedModel, with the devices that they ask for."""
    return {(node.op, node.device) for node in _nodes(path)}


def num_nodes(path: Path) -> int:
    """The number of nodes of a SavedModel's graph and its functions."""
    return sum(1 for _ in _nodes(path))


def _nodes(path: Path) -> Iterator[Any]:
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for meta_graph in model.meta_graphs:
        yield from meta_graph.graph_def.node
        for function in meta_graph.graph_def.library.function:
            yield from function.node_def


def _write_extras(path: Path, served: ServedModel, model_name: str, signature_names: list[str]) -> None:
    run = served.run
    write_settings(dataclasses.replace(run, path=path / layout.EXPORTED_RUN))
    write_json(path / layout.SIGNATURES, describe_signatures(path, run))
    write_warmup_requests(path / layout.WARMUP_REQUESTS, run, model_name, signature_names, served.graph.num_features)


def describe_signatures(path: Path, run: Run) -> dict[str, Any]:
    """What each signature takes and gives, by name: dtype, shape and meaning; and the class names of each head."""
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    signatures = {
        name: {side: _describe_tensors(getattr(signature, side)) for side in ("inputs", "outputs")}
        for name, signature in sorted(model.meta_graphs[0].signature_def.items())
        if not name.startswith("__")  # __saved_model_init_op
    }
    return {
        "signatures": signatures,
        "labels": dict(run.labels),
        "thresholds": run.thresholds,
        "text_fields": {
            field: f"U+{position:04X}" for position, field in enumerate(run.config.model.text_fields, start=1)
        },
    }


def _describe_tensors(tensors: Any) -> dict[str, Any]:
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
