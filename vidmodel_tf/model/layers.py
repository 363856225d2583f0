"""The few layers that Keras does not have: time folded into the batch, frame differences, masks, scaling.

Legend of shapes: B batch, T frames, H W C height, width and channels, L text tokens, D features.
All compute in the dtype that they are given; preprocessing and masks are always built as float32.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

_register = keras.saving.register_keras_serializable(package="vidmodel_tf")


@_register
class FoldedTimeDistributed(keras.layers.TimeDistributed):
    """`TimeDistributed` that calls its layer once, on all time steps of all samples: [B, T, ...] as [B * T, ...].

    The stock layer repeats the wrapped layer T times in the graph. The numbers are the same, but a BatchNorm that
    trains sees one statistic over B * T instead of T of them. Batch and time are read from the input's shape, so
    an input of another T can never be returned as another number of clips.

    Args:
        layer: The layer (or functional model) for one time step.
        inference_only: The wrapped layer always runs in inference mode, also while the model around it trains (the
            BatchNorm of a pretrained CNN keeps its statistics). Passing `training=False` in the call does not work:
            a functional model that is called with `training=True` overrides it.
    """

    def __init__(self, layer: keras.Layer, inference_only: bool = False, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.inference_only = inference_only

    def call(self, inputs, training=None, mask=None):
        inputs_shape = ops.shape(inputs)
        batch, num_steps = inputs_shape[:2]
        accepted = inspect.signature(self.layer.call).parameters
        kwargs = {}
        if "training" in accepted:
            kwargs["training"] = False if self.inference_only else training
        if "mask" in accepted and mask is not None:
            kwargs["mask"] = ops.reshape(mask, (batch * num_steps, *ops.shape(mask)[2:]))
        outputs = self.layer(ops.reshape(inputs, (batch * num_steps, *inputs_shape[2:])), **kwargs)
        return ops.reshape(outputs, (batch, num_steps, *ops.shape(outputs)[1:]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "inference_only": self.inference_only}


@_register
class ScaleFrames(keras.Layer):
    """RGB pixels 0..255 [..., 3] -> the scaling that a backbone was trained with: (pixel - mean) / deviation, float32.

    Args:
        mean: A value each channel, in the order of the output.
        deviation: A value each channel, in the order of the output.
        reverse_channels: The output is BGR.
    """

    def __init__(
        self, mean: Sequence[float], deviation: Sequence[float], reverse_channels: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.mean = tuple(mean)
        self.deviation = tuple(deviation)
        self.reverse_channels = reverse_channels

    def call(self, inputs):
        images = ops.cast(inputs, "float32")
        if self.reverse_channels:
            images = ops.flip(images, axis=-1)
        return (images - _by_channel(self.mean)) / _by_channel(self.deviation)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"mean": self.mean, "deviation": self.deviation, "reverse_channels": self.reverse_channels}
        return {**super().get_config(), **own}


def _by_channel(values: tuple[float, ...]):
    # TensorFlow Lite takes ten times as long for three equal numbers as for one.
    return ops.convert_to_tensor(values[0] if len(set(values)) == 1 else values, "float32")


@_register
class FirstToken(keras.Layer):
    """The first of the tokens [B, N, D] of a vision transformer, its class token: [B, D]."""

    def call(self, inputs):
        return inputs[:, 0]

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]


@_register
class MotionImages(keras.Layer):
    """Motion images of frames and the frames before them: clip(gain * |frame - previous|, 0, 255).

    Both inputs and the output are [B, T, H, W, 3]; the output is float32.

    Args:
        gain: Factor of the differences before they are clipped.
    """

    def __init__(self, gain: float, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.gain = gain

    def call(self, frames, previous):
        difference = ops.abs(ops.cast(frames, "float32") - ops.cast(previous, "float32"))
        return ops.minimum(self.gain * difference, 255.0)

    def compute_output_shape(self, frames_shape, previous_shape):
        return frames_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}


@_register
class SlotMask(keras.Layer):
    """Mask of the slots that are not empty: boolean [B, T], true where any value of [B, T, ...] is not exactly zero."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs):
        # Flattened: TensorFlow Lite is a hundred times slower at comparing tensors of more than four dimensions.
        values = ops.reshape(inputs, (*ops.shape(inputs)[:2], math.prod(inputs.shape[2:])))
        return ops.any(ops.not_equal(values, 0), axis=2)


@_register
class KeepSlots(keras.Layer):
    """[B, T, ...] with exact zeros in the slots where the boolean [B, T] is false, float32."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs, slots):
        slots = ops.expand_dims(slots, tuple(range(2, len(inputs.shape))))
        return ops.where(slots, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, inputs_shape, slots_shape):
        return inputs_shape


@_register
class TokenMask(keras.Layer):
    """Boolean [B, L] of token ids [B, L]: true up to the last id that is not 0 (padding), and at position 0.

    So the mask is padded on the right only and no row is masked entirely, whatever the ids: the cuDNN LSTM of a GPU
    requires both.
    """

    def call(self, inputs):
        positions = ops.arange(inputs.shape[1], dtype="int32")
        last = ops.max(positions * ops.cast(ops.not_equal(inputs, 0), "int32"), axis=1, keepdims=True)
        return ops.less_equal(positions, last)


@_register
class MeanPooling(keras.Layer):
    """The mean of [B, T, D] over the slots where the mask, boolean [B, T], is true; zeros where it is true for none.

    `keras.layers.GlobalAveragePooling1D` divides by zero for a row that is masked entirely.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)

    def compute_mask(self, inputs, previous_mask=None):
        return None  # there is no time left to mask

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]


@_register
class AttentionPooling(keras.Layer):
    """A weighted mean over time: [B, T, D] to [B, D], the weights a softmax over time of v . tanh(W h + b).

    Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate" (2015), section 3.1,
    without a query, as in Yang et al., "Hierarchical Attention Networks" (2016). The softmax is in float32; slots
    where the mask, boolean [B, T], is false get no weight.

    Args:
        units: Of the hidden layer that scores a slot.
    """

    def __init__(self, units: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.query = self.add_weight(shape=(self.units, 1), name="query")

    def call(self, inputs, mask=None):
        scores = ops.matmul(ops.tanh(ops.matmul(inputs, self.kernel) + self.bias), self.query)
        scores = ops.cast(scores, "float32")
        if mask is not None:
            # Not -inf: a clip whose slots are all masked would become NaN.
            scores = ops.where(ops.expand_dims(mask, -1), scores, ops.full_like(scores, -1e9))
        return ops.sum(inputs * ops.cast(ops.softmax(scores, axis=1), inputs.dtype), axis=1)

    def compute_mask(self, inputs, previous_mask=None):
        return None  # there is no time left to mask

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@_register
@keras.saving.register_keras_serializable(package="vidmodel_tf", name="NetAverage")  # as files of version 0.1.0 say
class EnsembleAverage(keras.Layer):
    """The mean of the scores of N ensemble members, [B, K] each; in training, the scores of one member a clip.

    The member is drawn at random for each clip, so members see different clips and stay different; if the loss were
    that of the mean, they would co-adapt. Averaging networks that differ only by chance goes back to Hansen and
    Salamon, "Neural network ensembles" (1990).
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=None):
        scores = ops.stack(inputs, axis=1)
        if not training:
            return ops.mean(scores, axis=1)
        number = keras.random.randint((ops.shape(scores)[0],), 0, len(inputs), seed=self.seed_generator)
        chosen = ops.one_hot(number, len(inputs), dtype=scores.dtype)
        return ops.sum(scores * ops.expand_dims(chosen, -1), axis=1)

    def compute_output_shape(self, input_shapes):
        return input_shapes[0]


@_register
class Standardization(keras.Layer):
    """(inputs - mean) / deviation over the last axis, float32; the statistics are set from outside.

    `keras.layers.Normalization` does not work here: it needs TensorFlow on every backend, and keeps the statistics as
    constants, so a function traced before they are set goes on using the old ones.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="variance")

    def call(self, inputs):
        return (inputs - self.mean) / ops.maximum(ops.sqrt(self.variance), keras.config.epsilon())

    def compute_output_shape(self, input_shape):
        return input_shape
