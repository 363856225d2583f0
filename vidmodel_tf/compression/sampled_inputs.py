"""What a convolution reads at some positions of its input, as rows of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def sampled_inputs(convolution: Any, maps: np.ndarray, num_positions: int, rng: np.random.Generator) -> np.ndarray:
    """The inputs of a convolution at positions drawn anew for each image.

    Args:
        convolution: A Conv2D, channels last.
        maps: [B, H, W, c], what it is given.
        num_positions: How many of its output's positions to draw an image, at most.
        rng: Draws them.

    Returns:
        [B * n, c, k]: n positions an image, and for each channel the k = height * width inputs of the kernel.
    """
    (rows, rows_before, rows_after), (columns, columns_before, columns_after) = (
        _input_indices(maps.shape[1 + axis], convolution, axis) for axis in (0, 1)
    )
    padded = np.pad(maps, ((0, 0), (rows_before, rows_after), (columns_before, columns_after), (0, 0)))
    num_all = len(rows) * len(columns)
    size = min(num_positions, num_all)
    drawn = np.stack([rng.choice(num_all, size, replace=False) for _ in range(len(maps))])  # [B, n]
    at_rows, at_columns = rows[drawn // len(columns)], columns[drawn % len(columns)]  # [B, n, kernel]
    images = np.arange(len(maps))[:, None, None, None]
    patches = padded[images, at_rows[..., :, None], at_columns[..., None, :]]  # [B, n, height, width, c]
    return patches.reshape(len(maps) * size, -1, maps.shape[-1]).swapaxes(1, 2)


def _input_indices(length: int, convolution: Any, axis: int) -> tuple[np.ndarray, int, int]:
    """Which inputs [n, kernel] each of n outputs reads along an axis, and how many zeros stand before and behind."""
    stride, dilation = convolution.strides[axis], convolution.dilation_rate[axis]
    steps = np.arange(convolution.kernel_size[axis]) * dilation
    is_padded, extent = convolution.padding == "same", steps[-1] + 1
    num_outputs = -(-length // stride) if is_padded else (length - extent) // stride + 1
    zeros = max((num_outputs - 1) * stride + extent - length, 0) if is_padded else 0
    return np.arange(num_outputs)[:, None] * stride + steps, zeros // 2, zeros - zeros // 2  # the odd one behind
