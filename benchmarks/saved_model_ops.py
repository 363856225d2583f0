"""Where the time of an exported SavedModel goes: milliseconds of each kind of op in a call.

    python benchmarks/saved_model_ops.py saved_models/NAME/1 [--batch N]

TensorFlow's profiler measures `--calls` calls with random frames, on two threads; the figures are means. Ops that run
at the same time are each counted in full, so their sum may exceed the time of a call.
"""

from __future__ import annotations

import argparse
import collections
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

NUM_THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", type=Path, help="the folder of a version, as saved_models/NAME/1")
    parser.add_argument("--batch", type=int, default=1, help="clips a call (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=9, help="(default: %(default)s)")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    answer = tf.saved_model.load(str(options.version)).signatures["serving_default"]
    inputs = {name: _draw(spec, options.batch) for name, spec in answer.structured_input_signature[1].items()}
    milliseconds, numbers = _profile(lambda: answer(**inputs), options.calls)
    total = sum(milliseconds.values())
    print(f"{'ms a call':36}{'ops':>6}{'ms':>10}{'share':>8}")
    for kind, value in [("all", total), *milliseconds.most_common(10)]:
        print(f"{kind:36}{numbers[kind]:6}{value:10.2f}{value / total:8.1%}")


def _draw(spec: tf.TensorSpec, batch: int) -> tf.Tensor:
    shape = [batch, *spec.shape[1:]]
    if spec.dtype == tf.string:
        return tf.fill(shape, "two people argue in front of a shop")
    return tf.constant(np.random.default_rng(0).integers(0, 256, shape).astype(spec.dtype.as_numpy_dtype))


def _profile(call: Callable[[], object], num_calls: int) -> tuple[collections.Counter, collections.Counter]:
    """Milliseconds a call by kind of op, and how many there are of each."""
    for _ in range(3):
        call()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(num_calls):
                call()
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    milliseconds, numbers = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
            if name and not name.endswith(":") and kind.isidentifier():  # an op, not a function of the runtime
                milliseconds[kind] += event.duration_ps / 1e9 / num_calls
                numbers[kind] += 1
    for kind, number in numbers.items():
        numbers[kind] = round(number / num_calls)
    numbers["all"] = sum(numbers.values())
    return milliseconds, numbers


if __name__ == "__main__":
    main()
