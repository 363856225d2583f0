"""A run that is exported twice, by processes that number and order things differently."""

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import helper, numpy_helper

from vidmodel_tf.export.onnx.canonical import make_canonical

RUN = Path(__file__).parent / "data" / "old_runs" / "clips" / "run"
TIMED = {"report.json"}
# The quantizer may number equal tensors in another order, and the sums of that folder tell.
RENUMBERED = {Path("tflite/int8.tflite"), Path("tflite/SHA256SUMS")}


@pytest.mark.slow
def test_both_exports_are_equal_byte_for_byte(tmp_path):
    for number in ("1", "2"):
        command = [sys.executable, "-m", "vidmodel_tf", "export", RUN, "--out", tmp_path / number / "model"]
        environment = {**os.environ, "PYTHONHASHSEED": number}
        subprocess.run([*command, "--format", "all"], check=True, env=environment, stdout=subprocess.DEVNULL)
    first, second = (contents(tmp_path / number / "model") for number in ("1", "2"))
    assert set(first) == set(second)
    assert {path.suffix for path in first} >= {".pb", ".tflite", ".onnx", ".xml", ".bin"}
    differing = {path for path in first if first[path] != second[path]}
    assert differing <= RENUMBERED
    assert sorted(first[Path("tflite/int8.tflite")]) == sorted(second[Path("tflite/int8.tflite")])


def contents(folder: Path) -> dict[Path, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in TIMED]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def graph_of(nodes, constants) -> onnx.ModelProto:
    """(a + x) * (b + x), and a node that nobody needs; a is 1 and b is 2."""
    one, two = constants
    made = {
        "left": helper.make_node("Add", [one, "x"], ["left"]),
        "right": helper.make_node("Add", [two, "x"], ["right"]),
        "unused": helper.make_node("Neg", ["x"], ["unused"]),
        "y": helper.make_node("Mul", ["left", "right"], ["y"]),
    }
    values = {one: 1.0, two: 2.0}
    tensors = [helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [values[name]]) for name in sorted(values)]
    x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy")
    return helper.make_model(helper.make_graph([made[name] for name in nodes], "graph", [x], [y], tensors))


def test_order_and_names_of_an_onnx_graph_come_from_the_graph_alone():
    one = graph_of(["left", "right", "unused", "y"], ["a", "b"])
    other = graph_of(["unused", "right", "left", "y"], ["d", "c"])
    make_canonical(one)
    make_canonical(other)
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)
    onnx.checker.check_model(one, full_check=True)
    assert [node.op_type for node in one.graph.node] == ["Add", "Add", "Mul"]
    assert [float(numpy_helper.to_array(tensor)[0]) for tensor in one.graph.initializer] == [1.0, 2.0]
    assert [value.name for value in (*one.graph.input, *one.graph.output)] == ["x", "y"]
