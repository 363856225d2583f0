"""The ONNX op that does not exist."""

import numpy as np
import pytest
import scipy.special

from vidmodel_tf.export.onnx.erfc import replace_erfc

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def test_it_is_computed_as_scipy_does():
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in "xy")
    nodes = [
        onnx.helper.make_node("Erfc", ["x"], ["a"], "one"),
        onnx.helper.make_node("Erfc", ["a"], ["b"], "two"),
        onnx.helper.make_node("Neg", ["b"], ["y"], "three"),
    ]
    graph = onnx.helper.make_graph(nodes, "graph", [x], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    replace_erfc(model)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.linspace(-3, 3, 13, dtype=np.float32)
    (found,) = session.run(None, {"x": values})
    np.testing.assert_allclose(found, -scipy.special.erfc(scipy.special.erfc(values)), atol=1e-6)  # float32
