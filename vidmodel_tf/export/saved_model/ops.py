"""The ops of a SavedModel: do they run on every machine?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from vidmodel_tf.errors import VidmodelError

_NOT_PORTABLE = ("Cudnn", "PyFunc", "EagerPyFunc", "Nccl", "Xla", "TPU")  # how ops begin that tie a graph to a machine


def check_portable(path: Path) -> None:
    """Refuses a SavedModel whose graph needs a GPU or Python.

    Raises:
        VidmodelError: It does.
    """
    for op, device in sorted(ops_of(path)):
        if op.startswith(_NOT_PORTABLE) or "GPU" in device.upper():
            raise VidmodelError(
                f"the exported graph would not run everywhere: expected ops without a device of their own. "
                f"Received: {op} on {device or 'any device'}"
            )


def ops_of(path: Path) -> set[tuple[str, str]]:
    """The ops of a SavedModel, each with the device that it asks for."""
    return {(node.op, node.device) for node in _nodes(path)}


def num_nodes(path: Path) -> int:
    """The number of nodes of a SavedModel's graph and its functions."""
    return sum(1 for _ in _nodes(path))


def _nodes(path: Path) -> Iterator[node_def_pb2.NodeDef]:
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for meta_graph in model.meta_graphs:
        yield from meta_graph.graph_def.node
        for function in meta_graph.graph_def.library.function:
            yield from function.node_def
