"""Erfc, which TensorFlow's optimizer makes of the exact GELU and ONNX does not have, as 1 - Erf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidmodel_tf.extras import import_extra

if TYPE_CHECKING:
    from onnx import ModelProto

_ONE = "vidmodel_one"


def replace_erfc(model: ModelProto) -> None:
    """Replaces the op in a float32 model."""
    onnx = import_extra("onnx", extra="onnx", needed_for="ONNX files")
    nodes = []
    for node in model.graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        erf = f"{node.output[0]}/erf"
        nodes.append(onnx.helper.make_node("Erf", node.input, [erf], f"{node.name}/erf"))
        nodes.append(onnx.helper.make_node("Sub", [_ONE, erf], node.output, node.name))
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.append(onnx.helper.make_tensor(_ONE, onnx.TensorProto.FLOAT, [], [1.0]))
