"""A backbone whose layers are models themselves, as one graph of layers that can be cut and trained in part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from vidmodel_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class FlatGraph:
    """The layers of a backbone, one by one; they are shared with it.

    Attributes:
        model: Images [B, H, W, 3] to [B, F].
        inputs: What each layer reads in this graph, by its name.
    """

    model: keras.Model
    inputs: dict[str, Any]


def flat_graph(backbone: keras.Model) -> FlatGraph:
    """Puts the layers of nested models, and the blocks of KerasHub's transformers, in the place of these.

    Args:
        backbone: A functional model.

    Raises:
        InputError: Two layers have the same name, as they may in models of their own.
    """
    if not any(_is_nested(layer) for layer in backbone.layers):
        return FlatGraph(backbone, {layer.name: layer.input for layer in backbone.layers})
    inputs: dict[str, Any] = {}
    named = {layer.name: layer for layer in backbone.layers if isinstance(layer, keras.layers.InputLayer)}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_nested(layer):
            return _run(layer, args[0], call)
        if blocks := _BLOCKS.get(type(layer).__name__):
            return blocks(layer, call, args[0])
        if type(layer).__name__ == "SigLIPVisionEmbedding":
            # KerasHub declares a token more than there is, which matters only where the graph is cut.
            layer.compute_output_shape = lambda input_shape: (input_shape[0], layer.num_positions, layer.hidden_dim)
        if named.setdefault(layer.name, layer) is not layer:
            raise InputError(
                f"{backbone.name}: expected layers with names of their own, to fine-tune from one of them or to prune "
                f"them. Received: several named {layer.name!r}; rename them and save the model again"
            )
        inputs.setdefault(layer.name, args[0] if len(args) == 1 else list(args))
        return layer(*args, **kwargs)

    model = keras.Model(backbone.input, _run(backbone, backbone.input, call), name=backbone.name)
    return FlatGraph(model, inputs)


def _is_nested(layer: Any) -> bool:
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def _run(model: Any, inputs: Any, call: Callable[..., Any]) -> Any:
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    # What `keras.models.clone_model` does, which only accepts inputs of a whole model.
    return model._run_through_graph(inputs, operation_fn=lambda layer: layer, call_fn=call)


CallLayer = Callable[..., Any]


def _vit_blocks(encoder: Any, call: CallLayer, x: Any) -> Any:
    for layer in (encoder.dropout, *encoder.encoder_layers, encoder.layer_norm):
        x = call(layer, x)
    return x


def _dino_blocks(encoder: Any, call: CallLayer, x: Any) -> Any:
    outputs = {}
    for number, layer in enumerate(encoder.layers, start=1):
        x = outputs[f"stage{number}"] = call(layer, x)
    return x, outputs


# KerasHub has all blocks of these families in one layer. Others have a layer each.
_BLOCKS: dict[str, Callable[[Any, CallLayer, Any], Any]] = {"ViTEncoder": _vit_blocks, "DINOV2Encoder": _dino_blocks}
