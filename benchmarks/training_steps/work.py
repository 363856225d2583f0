"""The work that all sides do: a batch of clips, and its sizes."""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

NUM_TOKENS, NUM_WORDS, NUM_CLASSES = 64, 5000, 2


@dataclasses.dataclass(frozen=True)
class Work:
    """Sizes of a batch, and the precision that it is computed in: "float32" or "bfloat16"."""

    precision: str
    batch: int
    frames: int
    size: int

    @classmethod
    def from_command_line(cls) -> Work:
        """`PRECISION BATCH FRAMES SIZE`, as `benchmarks/training.py` calls the sides."""
        parser = argparse.ArgumentParser()
        parser.add_argument("precision", choices=("float32", "bfloat16"))
        for name in ("batch", "frames", "size"):
            parser.add_argument(name, type=int)
        return cls(**vars(parser.parse_args()))

    def inputs(self) -> dict[str, np.ndarray]:
        """Noise: `frames` uint8 [B, T, H, W, 3] and `token_ids` int32 [B, L]."""
        rng = np.random.default_rng(0)
        frames = rng.integers(0, 256, (self.batch, self.frames, self.size, self.size, 3), dtype=np.uint8)
        return {"frames": frames, "token_ids": rng.integers(1, NUM_WORDS, (self.batch, NUM_TOKENS), dtype=np.int32)}

    def labels(self) -> np.ndarray:
        """Classes [B]."""
        return np.arange(self.batch, dtype=np.int32) % NUM_CLASSES
