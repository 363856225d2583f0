"""Milliseconds of the LSTMs of a model by default, as Keras computes them on TensorFlow and as this package does.

    python benchmarks/recurrent.py [--batch N] [--calls N]

The LSTM of 16 frames behind ResNet50, and that of 64 words, of which half are masked. Both sides answer and train (that
is, compute the gradients of all inputs and weights) by turns in one process; medians.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable

from vidmodel_tf.quiet import import_tensorflow

import_tensorflow()

import keras  # noqa: E402 (TensorFlow is silenced first)
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from vidmodel_tf.backend.fused import fused_training  # noqa: E402

SHAPES = {"frames": (16, 2048, 256), "words": (64, 128, 128)}  # steps, inputs, units


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8, help="(default: %(default)s)")
    parser.add_argument("--calls", type=int, default=50, help="of each side (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'LSTM':<8} {'':<8} {'Keras, ms':>10} {'here, ms':>9} {'ratio':>6}")
    for name, shape in SHAPES.items():
        for training in (False, True):
            sides = [_side(name, *shape, options.batch, training, fused=fused) for fused in (False, True)]
            milliseconds = _by_turns(sides, options.calls)
            of_keras, here = (statistics.median(times) for times in milliseconds)
            task = "training" if training else "answers"
            print(f"{name:<8} {task:<8} {of_keras:10.2f} {here:9.2f} {here / of_keras:6.2f}", flush=True)


def _side(
    name: str, num_steps: int, num_inputs: int, num_units: int, batch: int, training: bool, *, fused: bool
) -> Callable[[], object]:
    sequences, mask = keras.Input((num_steps, num_inputs)), keras.Input((num_steps,), dtype="bool")
    outputs = keras.layers.LSTM(num_units)(sequences, mask=mask if name == "words" else None)
    model = keras.Model([sequences, mask], outputs)
    model.compile(keras.optimizers.AdamW(), "mse")
    values = tf.constant(np.random.default_rng(0).normal(size=(batch, num_steps, num_inputs)), tf.float32)
    counts = tf.repeat((tf.range(num_steps) < num_steps // 2)[tf.newaxis], batch, axis=0)

    @tf.function(autograph=False)
    def run() -> object:
        with tf.GradientTape() as tape, fused_training(model) if fused else contextlib.nullcontext():
            tape.watch(values)
            loss = tf.reduce_sum(model([values, counts], training=training))
        return tape.gradient(loss, [values, *(weight.value for weight in model.weights)]) if training else loss

    return run


def _by_turns(sides: list[Callable[[], object]], num_calls: int) -> list[list[float]]:
    for side in sides:  # traced, and the memory is there
        side()
        side()
    milliseconds: list[list[float]] = [[] for _ in sides]
    for _ in range(num_calls):
        for side, times in zip(sides, milliseconds, strict=True):
            start = time.perf_counter()
            side()
            times.append(1000 * (time.perf_counter() - start))
    return milliseconds


if __name__ == "__main__":
    main()
