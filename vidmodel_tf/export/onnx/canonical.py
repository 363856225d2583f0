"""The order and the names in an ONNX graph, as the graph alone decides them.

tf2onnx goes through sets of names, whose order is another one in each process, and numbers what it makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto


def make_canonical(model: ModelProto) -> None:
    """Sorts nodes and constants by the way to them from the outputs, and names them by their places.

    Inputs and outputs keep their names. What no output depends on is removed. Graphs inside of nodes (loops, branches)
    are left as they are.
    """
    graph = model.graph
    graph.doc_string = ""  # the name of a traced function, with a number
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return
    nodes = list(_in_order(graph))
    used = [*(name for node in nodes for name in node.input), *(value.name for value in graph.output)]
    constants = {constant.name: constant for constant in graph.initializer}
    constants = {name: constants[name] for name in dict.fromkeys(used) if name in constants}
    names = {name: f"constant_{number}" for number, name in enumerate(constants)}
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        names |= {output: f"{node.name}_{place}" for place, output in enumerate(node.output) if output}
    names |= {value.name: value.name for value in (*graph.input, *graph.output)}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for constant in constants.values():
        constant.name = names[constant.name]
    ordered = type(graph)(node=nodes, initializer=constants.values())
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    graph.MergeFrom(ordered)


def _in_order(graph: GraphProto) -> Iterator[NodeProto]:
    """The nodes that the outputs depend on, each once and behind those that it needs."""
    makers = {output: node for node in graph.node for output in node.output if output}
    done: set[str] = set()
    ahead = [value.name for value in reversed(graph.output)]
    while ahead:
        node = makers.get(ahead[-1])
        missing = [name for name in node.input if name in makers and name not in done] if node else []
        if missing:
            ahead += reversed(missing)
            continue
        name = ahead.pop()
        if node and name not in done:
            done.update(node.output)
            yield node
