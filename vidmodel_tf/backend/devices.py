"""The devices of this machine that share the batches of a training, under either backend."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

import keras

from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.backend.replicas import AdamWOfReplicas, statistics_of_all_replicas
from vidmodel_tf.errors import InputError

_NUMBERS = itertools.count(0, 100)  # more than the groups of any strategy


class Devices:
    """Devices that train one model together, each an equal part of every batch.

    Args:
        names: As Keras names them ("gpu:0", "gpu:1").
        hosts: The machines that they belong to.
    """

    def __init__(self, names: Sequence[str], hosts: Hosts = ALONE) -> None:
        self.names, self.hosts = tuple(names), hosts

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

    def apart(self) -> AbstractContextManager[None]:
        """Where one of several hosts makes variables of its own: Keras does so when it saves and loads a model."""
        return _distribution(None) if self.hosts.are_several else contextlib.nullcontext()

    def _distributed_by_jax(self) -> AbstractContextManager[None]:
        # Keras would divide a data set among the hosts, which have their parts already.
        return _distribution(keras.distribution.DataParallel(devices=list(self.names), auto_shard_dataset=False))


def find_devices(wanted: int | Literal["all"], hosts: Hosts = ALONE) -> Devices:
    """The first devices of each machine: GPUs, or where the backend sees none, its CPU devices.

    Args:
        wanted: How many of a machine.
        hosts: The machines, which have joined.

    Raises:
        InputError: A machine has fewer.
    """
    names: list[str] = []
    numbers = set()
    for where, found in _devices_by_host(hosts):
        number = len(found) if wanted == "all" else wanted
        if number > len(found):
            raise InputError(
                f"train.devices: expected at most {len(found)}, for {keras.backend.backend()} sees "
                f"{', '.join(found)} on {where}. Received: {wanted}"
            )
        names += found[:number]
        numbers.add(number)
    if len(numbers) > 1:
        raise InputError(
            f"train.devices: expected a number, for the hosts have {min(numbers)} to {max(numbers)} devices. "
            "Received: 'all'"
        )
    return Devices(names, hosts)


def _devices_by_host(hosts: Hosts) -> Iterator[tuple[str, list[str]]]:
    if not hosts.are_several:
        yield "this machine", keras.distribution.list_devices()
        return
    import jax

    for number, address in enumerate(hosts.addresses):
        yield address, [f"{found.platform}:{found.id}" for found in jax.devices() if found.process_index == number]


@contextlib.contextmanager
def _distribution(value: keras.distribution.Distribution | None) -> Iterator[None]:
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(value)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


@functools.cache
def _mirrored_strategy(names: tuple[str, ...]) -> Any:
    import tensorflow as tf

    # Groups of devices that exchange gradients have a number in the process, which each strategy counts from here: two
    # strategies would take the same number for different groups.
    tf.distribute.MirroredStrategy._collective_key_base = next(_NUMBERS)
    return tf.distribute.MirroredStrategy(list(names))
