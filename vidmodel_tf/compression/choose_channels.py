"""Which input channels of a linear layer can go, and what its weights for the others become so that its output stays.

The squared error of the output is a quadratic function of the weights. For such a function Optimal Brain Surgeon
(Hassibi and Stork, "Second order derivatives for network pruning", 1993) gives in closed form what it costs to remove a
weight when all others are fitted again, by least squares; here a channel with all its weights is removed at once. The
cheapest goes first, until as few are left as are wanted. A channel that others can stand in for costs nothing, however
large its weights are.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Of the mean square of an input: weights that the samples do not settle stay near what they were.
_DAMPING = 1e-4


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over samples of the products of a linear layer's inputs with each other and with its outputs.

    Attributes:
        gram: float64 [p + 1, p + 1]; the last input is 1, for the bias.
        cross: float64 [p + 1, o].
    """

    gram: np.ndarray
    cross: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, outputs: np.ndarray) -> Moments:
        """Those of n samples, inputs [n, p] and outputs [n, o]."""
        inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1, dtype=np.float64)
        return cls(inputs.T @ inputs, inputs.T @ outputs.astype(np.float64))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.gram + other.gram, self.cross + other.cross)


def choose_channels(
    moments: Moments, kernel: np.ndarray, bias: np.ndarray, num_kept: int, importance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Removes channels until `num_kept` are left.

    Args:
        moments: Of what the layer reads and of what it is to give. The k inputs of a channel stand side by side.
        kernel: [c, k, o], the layer's own weights.
        bias: [o].
        num_kept: 1 to c.
        importance: [o] or [1], what the squared error of an output counts.

    Returns:
        The numbers of the channels that stay, in order; their kernel [num_kept, k, o]; and the bias [o].
    """
    num_channels, size, num_outputs = kernel.shape
    before = np.concatenate([kernel.reshape(-1, num_outputs), bias[None]]).astype(np.float64)
    gram, cross = _damped(moments, before)
    inverse, kept = np.linalg.inv(gram), np.arange(num_channels)
    weights = inverse @ cross
    while len(kept) > num_kept:
        place = int(np.argmin(_costs(inverse, weights, size, importance)))
        inverse, weights = _without(slice(place * size, (place + 1) * size), inverse, weights)
        kept = np.delete(kept, place)
    rows = np.append((kept[:, None] * size + np.arange(size)).ravel(), len(before) - 1)
    weights = np.linalg.solve(gram[np.ix_(rows, rows)], cross[rows])  # once more, without the rounding of many steps
    return kept, weights[:-1].reshape(num_kept, size, num_outputs), weights[-1]


def _damped(moments: Moments, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    squares = np.diag(moments.gram)[:-1]
    # All inputs of a dead layer are zero.
    size = _DAMPING * max(squares.mean(), np.finfo(np.float32).tiny)
    damping = np.diag(np.append(np.full(len(squares), size), 0))
    return moments.gram + damping, moments.cross + damping @ weights


def _costs(inverse: np.ndarray, weights: np.ndarray, size: int, importance: np.ndarray) -> np.ndarray:
    """What the squared error grows by when each channel [c] is removed."""
    num_inputs = len(weights) - 1
    own = weights[:-1].reshape(-1, size, weights.shape[1])
    blocks = inverse[:-1, :-1].reshape(num_inputs // size, size, num_inputs // size, size)
    of_channels = blocks.diagonal(axis1=0, axis2=2).transpose(2, 0, 1)
    return (own * np.linalg.solve(of_channels, own) * importance).sum(axis=(1, 2))


def _without(removed: slice, inverse: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse and the weights when a channel is gone and the others are fitted again."""
    share = np.linalg.solve(inverse[removed, removed], inverse[removed])
    rest = np.delete(np.arange(len(inverse)), removed)
    fitted = weights[rest] - share[:, rest].T @ weights[removed]
    return inverse[np.ix_(rest, rest)] - inverse[removed][:, rest].T @ share[:, rest], fitted
