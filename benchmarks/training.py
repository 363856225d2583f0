"""Seconds of a training step of this package, of its backbone alone, of PyTorch, and of a bare matrix product.

    pip install . -r benchmarks/requirements.txt && python benchmarks/training.py [--json FILE]

Everything is trained: ResNet50 with random weights on clips of 8 frames of 224 x 224, batches of 2 (`--batch`,
`--frames`, `--size`). Each side is a process of its own, and they compute by turns, while the others wait, so that
whatever else the machine does falls on all of them. The first step contains tracing and compilation, not imports.
With `--jax` (extra `jax`) Keras on JAX takes part in float32; on processors it is too slow for bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from steps.sides import compare
from steps.work import PRECISIONS, Work

ON_TENSORFLOW, ON_JAX = {"KERAS_BACKEND": "tensorflow"}, {"KERAS_BACKEND": "jax"}
JAX, REFERENCE = "this package, Keras on JAX", "PyTorch, channels_last"
SIDES = {
    "this package, Keras on TensorFlow": ("product", ON_TENSORFLOW),
    JAX: ("product", ON_JAX),
    "ResNet50 alone, Keras on TensorFlow": ("plain_keras", ON_TENSORFLOW),
    REFERENCE: ("pytorch", {}),
    "matrix product": ("matrix_product", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2, help="of each side in a round (default: %(default)s)")
    for name, value in {"batch": 2, "frames": 8, "size": 224}.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="(default: %(default)s)")
    parser.add_argument("--jax", action="store_true", help="with Keras on JAX, in float32")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    options = parser.parse_args()
    rows = []
    for precision in PRECISIONS:
        work = Work("train", precision, options.batch, options.frames, options.size)
        has_jax = options.jax and precision == "float32"
        sides = {name: side for name, side in SIDES.items() if has_jax or name != JAX}
        rows += compare(sides, work, rounds=options.rounds, steps=options.steps, reference=REFERENCE)
    if options.json:
        options.json.write_text(json.dumps({"load": os.getloadavg(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
