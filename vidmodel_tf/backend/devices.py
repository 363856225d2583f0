"""The devices of this machine that share the batches of a training, under either backend."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

import keras

from vidmodel_tf.backend.replicas import AdamWOfReplicas, statistics_of_all_replicas
from vidmodel_tf.errors import InputError

_NUMBERS = itertools.count(0, 100)  # more than the groups of any strategy


class Devices:
    """Devices that train one model together, each an equal part of every batch.

    Args:
        names: As Keras names them ("gpu:0", "gpu:1").
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    @property
    def are_several(self) -> bool:
        """Whether a batch is shared at all."""
        return len(self.names) > 1

    @property
    def are_replicas(self) -> bool:
        """Whether each device computes a batch of its own, as under TensorFlow; for JAX there is one batch."""
        return self.are_several and keras.backend.backend() == "tensorflow"

    def scope(self) -> AbstractContextManager[Any]:
        """Where models, optimizers and their variables are made, and computed."""
        if not self.are_several:
            return contextlib.nullcontext()
        return self._strategy.scope() if self.are_replicas else self._distributed_by_jax()

    @property
    def adam_w(self) -> type[keras.optimizers.AdamW]:
        """The optimizer that trains a model as it would be trained on one device."""
        return AdamWOfReplicas if self.are_replicas else keras.optimizers.AdamW

    def training(self, model: keras.Model) -> AbstractContextManager[None]:
        """Where the model is trained, as it would be on one device."""
        return statistics_of_all_replicas(model) if self.are_replicas else contextlib.nullcontext()

    def copies(self, variable: Any) -> Sequence[Any]:
        """What `assign` is to be called on to give each device a value of its own; one where they share it."""
        return self._strategy.experimental_local_results(variable.value) if self.are_replicas else [variable]

    @property
    def _strategy(self) -> Any:
        return _mirrored_strategy(self.names)

    @contextlib.contextmanager
    def _distributed_by_jax(self):
        before = keras.distribution.distribution()
        # A data set would be divided among processes, of which there is one.
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=list(self.names), auto_shard_dataset=False)
        )
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)


def find_devices(wanted: int | Literal["all"]) -> Devices:
    """The first devices of this machine: GPUs, or where the backend sees none, its CPU devices.

    Args:
        wanted: How many.

    Raises:
        InputError: There are fewer.
    """
    found = keras.distribution.list_devices()
    number = len(found) if wanted == "all" else wanted
    if number > len(found):
        raise InputError(
            f"train.devices: expected at most {len(found)}, for {keras.backend.backend()} sees "
            f"{', '.join(found)} on this machine. Received: {wanted}"
        )
    return Devices(found[:number])


@functools.cache
def _mirrored_strategy(names: tuple[str, ...]) -> Any:
    import tensorflow as tf

    # Groups of devices that exchange gradients have a number in the process, which each strategy counts from here: two
    # strategies would take the same number for different groups.
    tf.distribute.MirroredStrategy._collective_key_base = next(_NUMBERS)
    return tf.distribute.MirroredStrategy(list(names))
