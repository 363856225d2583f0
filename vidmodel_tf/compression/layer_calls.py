"""A functional model as the calls of layers that it consists of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras


@dataclasses.dataclass(frozen=True)
class LayerCall:
    """A layer at one place in a graph: one that is called twice is there twice.

    Attributes:
        layer: The layer itself.
        inputs: The tensors that it reads.
        output: What it gives.
    """

    layer: Any
    inputs: Sequence[keras.KerasTensor]
    output: Any


def layer_calls(model: keras.Model) -> tuple[list[LayerCall], Sequence[keras.KerasTensor]]:
    """Every call of a layer, in the order of the graph, and the outputs of the whole.

    Keras shows neither, so the layers are called once more: the tensors are of a second graph of the same layers.

    Args:
        model: A functional model. A model inside it counts as one layer (see `flat_graph`).
    """
    calls = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        inputs = [value for value in keras.tree.flatten([args, kwargs]) if isinstance(value, keras.KerasTensor)]
        calls.append(LayerCall(layer, inputs, output))
        return output

    return calls, keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call).outputs
