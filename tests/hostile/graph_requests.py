"""Hostile requests to the exported graph, each followed by a good one whose answer must be what it was."""

from __future__ import annotations

import functools
import random
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.hostile.folders import hostile_jpeg
from tests.hostile.mutate import TEXTS


def ask(which: str, folder: str, run: str, seed: str) -> int:
    """Asks once, and says what came: 0 for an answer, 2 for a refusal.

    Raises:
        RuntimeError: The answer is no answer, or the good request is answered in another way than before.
    """
    rng = random.Random(int(seed))
    served = _open(folder, run)
    name, request = {"shapes": _shapes, "jpegs": _jpegs, "texts": _texts}[which](rng, served)
    try:
        answer = served.signatures[name](**request)
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError, TypeError, ValueError) as error:
        print(f"refused: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        return 2
    finally:
        served.check()
    for key, value in answer.items():
        if value.dtype.is_floating and not np.isfinite(value.numpy()).all():
            raise RuntimeError(f"{key} is not finite")
        if len(value) != len(next(iter(request.values()))):
            raise RuntimeError(f"{key} has {len(value)} rows")
    print("answered")
    return 0


class _Served:
    def __init__(self, folder: str, run: str) -> None:
        self._module = tf.saved_model.load(folder)
        self.signatures = self._module.signatures
        frames = sorted((Path(run) / "examples" / "0").glob("*.jpg"))
        self.jpegs = [path.read_bytes() for path in frames]
        self._before = self._ask()

    def check(self) -> None:
        for key, value in self._ask().items():
            if not np.array_equal(value, self._before[key]):
                raise RuntimeError(f"the good request is answered in another way: {key}")

    def _ask(self) -> dict[str, np.ndarray]:
        jpegs, text = tf.constant([self.jpegs]), tf.constant(["a film"])
        answer = self.signatures["encoded_frames"](jpeg_frames=jpegs, text=text)
        return {key: value.numpy() for key, value in answer.items()}


_open = functools.lru_cache(maxsize=1)(_Served)


def _shapes(rng: random.Random, served: _Served) -> tuple[str, dict[str, tf.Tensor]]:
    shape = [rng.choice((0, 1, 2)), rng.choice((4, 0, 3, 5)), rng.choice((32, 0, 1, 33)), rng.choice((40, 0, 41)), 3]
    if rng.random() < 0.3:
        del shape[rng.randrange(5)]
    texts = tf.constant(["a"] * rng.choice((1, 2, 0, 3)))
    choice = rng.randrange(3)
    if choice == 0:
        return "serving_default", {
            "frames": tf.zeros(shape, rng.choice((tf.uint8, tf.uint8, tf.float32))),
            "text": texts,
        }
    if choice == 1:
        return "frame_features", {"frames": tf.zeros(shape, tf.uint8)}
    num_features = served.signatures["classify_features"].structured_input_signature[1]["features"].shape[-1]
    number = rng.choice((0.0, float("nan"), float("inf"), -1e38, 3e38))
    return "classify_features", {"features": tf.fill([1, rng.choice((4, 4, 5)), num_features], number), "text": texts}


def _jpegs(rng: random.Random, served: _Served) -> tuple[str, dict[str, tf.Tensor]]:
    jpegs = list(served.jpegs)
    for _ in range(rng.choice((1, 4))):
        at = rng.randrange(len(jpegs))
        jpegs[at] = hostile_jpeg(rng, served.jpegs[at])
    return "encoded_frames", {"jpeg_frames": tf.constant([jpegs]), "text": tf.constant(["a film"])}


def _texts(rng: random.Random, served: _Served) -> tuple[str, dict[str, tf.Tensor]]:
    text: str | bytes = rng.choice(TEXTS)
    if rng.random() < 0.3:
        text = rng.choice(
            (b"\xff\xfe\0", rng.randbytes(1000), b"\xed\xa0\x80", ("👨‍👩‍👧" * 20_000).encode(), b"a " * 100_000)
        )
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    return "encoded_frames", {"jpeg_frames": tf.constant([served.jpegs]), "text": tf.constant([text])}
