"""Seconds of a training step of this package, of its backbone alone, of PyTorch, and of a bare matrix product.

    pip install . -r benchmarks/requirements.txt && python benchmarks/training.py [--json FILE]

Everything is trained: ResNet50 with random weights on clips of 8 frames of 224 x 224, batches of 2 (`--batch`,
`--frames`, `--size`). Each side is a process of its own, and they compute by turns, while the others wait, so that
whatever else the machine does falls on all of them. The first step contains tracing and compilation, not imports.
With `--jax` (extra `jax`) Keras on JAX takes part in float32; on processors it is too slow for bfloat16.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ON_JAX, REFERENCE, CEILING = "this package, Keras on JAX", "PyTorch, channels_last", "matrix product"
SIDES = {  # name: script, backend of Keras
    "this package, Keras on TensorFlow": ("product", "tensorflow"),
    ON_JAX: ("product", "jax"),
    "ResNet50 alone, Keras on TensorFlow": ("plain_keras", "tensorflow"),
    REFERENCE: ("pytorch", ""),
    CEILING: ("matrix_product", ""),
}
FOLDER = Path(__file__).parent / "training_steps"


class Side:
    """A side of the comparison in one precision, at work in its process."""

    def __init__(self, name: str, precision: str, sizes: list[str]) -> None:
        script, backend = SIDES[name]
        self.name, self.precision, self.times = name, precision, []
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **({"KERAS_BACKEND": backend} if backend else {})}
        command = [sys.executable, FOLDER / f"{script}.py", precision, *sizes]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.first_step = self._answer()

    def run(self, num_steps: int) -> None:
        """Computes so many steps and keeps the seconds of one."""
        print(num_steps, file=self.process.stdin, flush=True)
        self.times.append(self._answer() / num_steps)

    def _answer(self) -> float:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}, {self.precision} ended with {self.process.wait()}")
        return float(line)

    def close(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2, help="of each side in a round (default: %(default)s)")
    for name, value in {"batch": 2, "frames": 8, "size": 224}.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="(default: %(default)s)")
    parser.add_argument("--jax", action="store_true", help="with Keras on JAX, in float32")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    options = parser.parse_args()
    sizes = [str(options.batch), str(options.frames), str(options.size)]
    rows = []
    for precision in ("float32", "bfloat16"):
        sides = []
        with contextlib.ExitStack() as stack:
            for name in SIDES:
                if name == ON_JAX and not (options.jax and precision == "float32"):
                    continue
                sides.append(Side(name, precision, sizes))
                stack.callback(sides[-1].close)
            for number in range(options.rounds + 1):
                for side in sides:
                    side.run(options.steps)
                if number == 0:  # the second step may be slow too
                    for side in sides:
                        side.times.clear()
        rows += _table(sides, options.batch)
    if options.json:
        options.json.write_text(json.dumps({"sizes": sizes, "load": os.getloadavg(), "rows": rows}, indent=1) + "\n")


def _table(sides: list[Side], batch: int) -> list[dict]:
    median = {side.name: statistics.median(side.times) / batch for side in sides}
    print(f"\n{sides[0].precision:<36} {'s a clip':>9} {'ratio':>6} {'ceiling':>8} {'first step s':>13}")
    rows = []
    for side in sides:
        ratio, share = median[side.name] / median[REFERENCE], median[CEILING] / median[side.name]
        rows.append(
            {
                "side": side.name,
                "precision": side.precision,
                "seconds_a_clip": median[side.name],
                "seconds_of_rounds": [seconds / batch for seconds in side.times],
                "ratio": ratio,
                "share_of_ceiling": share,
                "first_step_seconds": side.first_step,
            }
        )
        print(f"{side.name:<36} {median[side.name]:9.3f} {ratio:6.2f} {share:8.0%} {side.first_step:13.1f}")
    return rows


if __name__ == "__main__":
    main()
