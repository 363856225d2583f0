"""Speed on a GPU: this package with Keras on JAX beside PyTorch, plain and compiled, and a bare matrix product.

    pip install keras "jax[cuda13]" torch && PYTHONPATH=. python benchmarks/gpu.py [--json FILE]

ResNet50 with random weights and everything behind it, trained and asked, on clips of 16 frames of 224 x 224 in batches
of 8 (`--batch`, `--frames`, `--size`), in float32 (TF32 on both sides) and bfloat16. Batches lie in the memory of the
processor, so that each step sends its own to the GPU. Each side is a process of its own on the same GPU, and they
compute by turns. It runs from a checkout, and needs neither TensorFlow nor the other requirements of this package.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
from pathlib import Path

from steps.sides import compare
from steps.work import PRECISIONS, TASKS, Work

# JAX alone takes three quarters of the memory, and there are those who compute beside it.
ON_JAX = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.4"}
REFERENCE = "PyTorch, torch.compile"
SIDES = {
    "this package, Keras on JAX": ("product", ON_JAX),
    "PyTorch, channels_last": ("pytorch", {}),
    REFERENCE: ("pytorch_compiled", {}),
    "matrix product": ("matrix_product_on_gpu", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=10, help="of each side in a round (default: %(default)s)")
    for name, value in {"batch": 8, "frames": 16, "size": 224}.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    options = parser.parse_args()
    rows = []
    for task in TASKS:
        for precision in PRECISIONS:
            work = Work(task, precision, options.batch, options.frames, options.size)
            rows += compare(SIDES, work, rounds=options.rounds, steps=options.steps, reference=REFERENCE)
            if options.json:
                options.json.write_text(json.dumps({"machine": _machine(), "rows": rows}, indent=1) + "\n")


def _machine() -> dict[str, str]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    versions = {name: importlib.metadata.version(name) for name in ("keras", "jax", "torch")}
    return {"gpu": subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip(), **versions}


if __name__ == "__main__":
    main()
