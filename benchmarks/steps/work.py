"""The work that all sides do: a batch of clips, its sizes, and what is done with it."""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

NUM_TOKENS, NUM_WORDS, NUM_CLASSES = 64, 5000, 2
TASKS, PRECISIONS = ("train", "answer"), ("float32", "bfloat16")
_FORWARD_OPERATIONS = 7.75e9  # of ResNet50 for a picture of 224 x 224, a multiplication and an addition being two


@dataclasses.dataclass(frozen=True)
class Work:
    """A batch that is trained on, or answered about.

    Attributes:
        task: One of `TASKS`.
        precision: What it is computed in, one of `PRECISIONS`.
        batch: Clips.
        frames: Of a clip.
        size: Height and width of a frame, in pixels.
    """

    task: str
    precision: str
    batch: int
    frames: int
    size: int

    @classmethod
    def from_command_line(cls) -> Work:
        """`TASK PRECISION BATCH FRAMES SIZE`, as `Side` calls the sides."""
        parser = argparse.ArgumentParser()
        parser.add_argument("task", choices=TASKS)
        parser.add_argument("precision", choices=PRECISIONS)
        for name in ("batch", "frames", "size"):
            parser.add_argument(name, type=int)
        return cls(**vars(parser.parse_args()))

    @property
    def arguments(self) -> list[str]:
        """The inverse of `from_command_line`."""
        return [str(value) for value in dataclasses.astuple(self)]

    @property
    def is_training(self) -> bool:
        """Whether weights are updated."""
        return self.task == "train"

    @property
    def num_operations(self) -> float:
        """Of a step in the backbone: a training step counts as three passes, a multiplication with addition as two."""
        passes = 3 if self.is_training else 1
        return passes * _FORWARD_OPERATIONS * self.batch * self.frames * (self.size / 224) ** 2

    def inputs(self) -> dict[str, np.ndarray]:
        """Noise: `frames` uint8 [B, T, H, W, 3] and `token_ids` int32 [B, L]."""
        rng = np.random.default_rng(0)
        frames = rng.integers(0, 256, (self.batch, self.frames, self.size, self.size, 3), dtype=np.uint8)
        return {"frames": frames, "token_ids": rng.integers(1, NUM_WORDS, (self.batch, NUM_TOKENS), dtype=np.int32)}

    def labels(self) -> np.ndarray:
        """Classes [B]."""
        return np.arange(self.batch, dtype=np.int32) % NUM_CLASSES
