"""The size, ops and speed of a TensorFlow Lite file."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.export.report import FileReport, median_milliseconds

_OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def measure_file(path: Path) -> FileReport:
    """Measures any file, be it a whole model or a half of the streaming pair."""
    milliseconds = median_milliseconds({threads: _call_of(path, threads) for threads in (1, 2)})
    return FileReport(path.stat().st_size, count_ops(path), milliseconds)


def count_ops(path: Path) -> dict[str, int]:
    """The operators of a file by name; one that is not built in has its own name."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    counts: Counter[str] = Counter()
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
            counts[code.customCode.decode() if code.customCode else _OP_NAMES[builtin]] += 1
    return dict(counts.most_common())


def _call_of(path: Path, num_threads: int) -> Callable[[], object]:
    run = Interpreter(str(path), num_threads=num_threads).get_signature_runner()
    rng = np.random.default_rng(0)
    inputs = {}
    for name, detail in run.get_input_details().items():
        shape = tuple(detail["shape"])
        is_pixels = detail["dtype"] == np.uint8
        inputs[name] = rng.integers(0, 256, shape).astype(np.uint8) if is_pixels else np.zeros(shape, detail["dtype"])
    return functools.partial(run, **inputs)
