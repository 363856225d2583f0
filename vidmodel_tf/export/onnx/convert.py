"""A trained model -> one ONNX graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from vidmodel_tf.errors import InputError, cause, disk_failure
from vidmodel_tf.export.onnx.canonical import make_canonical
from vidmodel_tf.export.onnx.erfc import replace_erfc
from vidmodel_tf.export.onnx.recurrent import with_onnx_recurrent
from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.extras import import_extra

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17  # of 2022: old enough for every runtime in use; nothing here needs a newer one


class NotConvertibleError(InputError):
    """tf2onnx cannot convert this model; other formats can hold it."""


def convert(parts: InferenceParts) -> ModelProto:
    """Converts the whole model; the size of the graph does not depend on T.

    Raises:
        InputError: The extra `onnx` is not installed.
        NotConvertibleError: tf2onnx cannot convert the backbone.
    """
    for name in ("tf2onnx", "onnx"):
        import_extra(name, extra="onnx", needed_for="ONNX files")
    config, head = parts.config, with_onnx_recurrent(parts).head
    encoder = parts.frame_features() if config.has_frames else None

    @tf.function(autograph=False)
    def score(frames, token_ids):
        features = {"features": encoder(frames, training=False)} if encoder else {}
        return head({**features, "token_ids": token_ids}, training=False)

    inputs = [
        tf.TensorSpec((None, config.num_frames, config.height, config.width, 3), tf.uint8, "frames"),
        tf.TensorSpec((None, config.num_tokens), tf.int32, "token_ids"),
    ]
    try:
        return _convert(score, inputs)
    except MemoryError:
        raise
    except Exception as error:  # tf2onnx and the checker each raise their own
        if disk_failure(error) is not None:
            raise
        raise NotConvertibleError(
            f"tf2onnx cannot convert this model: {cause(error)}. "
            "Export it as a SavedModel or to TensorFlow Lite instead"
        ) from error


def _convert(score: Callable[..., Any], inputs: list[tf.TensorSpec]) -> ModelProto:
    import onnx
    import tf2onnx

    # Straight to tf2onnx: `keras.Model.export` would go there too, after patches of NumPy that it no longer needs.
    model, _ = tf2onnx.convert.from_function(score, inputs, opset=OPSET)
    replace_erfc(model)
    make_canonical(model)
    if strange := sorted({value.name for value in model.graph.input} - {"frames", "token_ids"}):
        raise ValueError(f"it makes an input of the constant {strange[0]}")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"  # instead of a number of its own for each
    onnx.checker.check_model(model, full_check=True)  # tf2onnx leaves ops in that it cannot convert
    return model
