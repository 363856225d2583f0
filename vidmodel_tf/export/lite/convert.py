"""TensorFlow functions -> TensorFlow Lite files with built-in ops only."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

# Ops that stay float in an int8 file: all but convolutions, products with weights, sums, and the pooling inside the
# CNN. They have almost no weights. Quantising the mean over a picture and its standardisation would lose outputs of low
# variance, which have no steps of int8 left beside the large ones (a transformer's normalisation likewise); quantising
# the motion images would erase small motion.
_FLOAT_OPS = (
    "ABS", "BATCH_MATMUL", "CONCATENATION", "DIV", "EXP", "LOGISTIC", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "RESHAPE",
    "RSQRT", "SELECT_V2", "SOFTMAX", "SPLIT", "SQUARED_DIFFERENCE", "SUB", "SUM", "TANH",
)  # fmt: skip

LitePrecision = Literal["float32", "float16", "dynamic", "int8"]
Examples = Callable[[], Iterable[dict[str, np.ndarray]]]


def convert(
    function: Callable[..., dict[str, tf.Tensor]],
    inputs: Sequence[tf.TensorSpec],
    models: Sequence[keras.Model],
    precision: LitePrecision,
    examples: Examples | None = None,
) -> bytes:
    """Converts a function.

    Args:
        function: Of the inputs by name; gives outputs by name.
        inputs: Their static shapes, dtypes and names.
        models: The models whose weights the function uses.
        precision: "float32"; "float16" and "dynamic" (range), which store weights as float16 or int8; "int8", which
            computes convolutions and matrix products in int8, and the rest in float32.
        examples: Inputs by name from which "int8" learns the range of every tensor. The function must not have loops
            then: calibrating one crashes TensorFlow 2.21.

    Returns:
        The contents of the file.
    """
    specs = {spec.name: spec for spec in inputs}
    signature = tf.function(function, autograph=False).get_concrete_function(**specs)
    weights = tf.Module()
    weights.variables_used = [variable.value for model in models for variable in model.variables]
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(weights, folder, signatures={"serving_default": signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8" and examples is not None:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
            converter.representative_dataset = lambda: (("serving_default", example) for example in examples())
        with warnings.catch_warnings():
            # The converter itself calls the interpreter that it warns of.
            warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
            return _quantize(converter) if precision == "int8" else converter.convert()


def _quantize(converter: tf.lite.TFLiteConverter) -> bytes:
    """Converts to int8 all but `_FLOAT_OPS`; only TensorFlow's debugger of quantised models takes such a list."""
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(_FLOAT_OPS))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=lambda: iter(()), debug_options=options
    )
    return debugger.get_nondebug_quantized_model()
