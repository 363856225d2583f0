"""Machines that train one model together, under Keras on JAX: a process on each, which sees the devices of all."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from vidmodel_tf.backend.choose import chosen_backend
from vidmodel_tf.backend.coordination import client
from vidmodel_tf.backend.end_together import ending_together
from vidmodel_tf.errors import InputError, cause
from vidmodel_tf.quiet import without_standard_output

Item = TypeVar("Item")

_DAY_SECONDS = 24 * 60 * 60
_HEARTBEAT_SECONDS = 30  # after which JAX ends the others where a host has died
_ADDRESS = re.compile(r"[^\s,/]+:(\d{1,5})")
_LAST_PORT = 65535
_BARRIERS = itertools.count()


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The machines, and which of them this one is.

    Attributes:
        addresses: `HOST:PORT` of each, in the same order on all; none: this machine trains alone. At the first the
            others find it, and it writes the run folder.
        number: Of this machine among them, from 0.

    Raises:
        InputError: An address has another form or stands there twice, or `number` is out of range.
    """

    addresses: tuple[str, ...] = ()
    number: int = 0

    def __post_init__(self) -> None:
        if not self.addresses and self.number == 0:
            return
        are_right = all(map(_is_address, self.addresses))
        if not are_right or len(set(self.addresses)) < max(len(self.addresses), 2):
            raise InputError(
                "--hosts: expected at least two different HOST:PORT, with commas and no spaces between them. "
                f"Received: {','.join(self.addresses) or 'none'}"
            )
        if not 0 <= self.number < len(self.addresses):
            raise InputError(
                f"--host-number: expected 0 to {len(self.addresses) - 1}, the place of this machine among the hosts. "
                f"Received: {self.number}"
            )

    @property
    def count(self) -> int:
        """How many machines there are."""
        return max(len(self.addresses), 1)

    @property
    def are_several(self) -> bool:
        """Whether this machine does not train alone."""
        return self.count > 1

    @property
    def is_first(self) -> bool:
        """Whether this machine writes what all of them make."""
        return self.number == 0

    def mine(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items that this machine is to work on; each is one machine's."""
        return items[self.number :: self.count]

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Waits for the others; inside, the devices of all are visible. Once in a process, before JAX computes.

        An error or a signal that ends the block on one machine ends the processes on all.

        Raises:
            InputError: Keras computes on another backend than JAX.
        """
        if not self.are_several:
            yield
            return
        if (name := chosen_backend()) != "jax":
            raise InputError(
                f"--hosts: expected Keras on JAX. Received: Keras on {name}; call the command again with "
                "KERAS_BACKEND=jax"
            )
        self._join()
        with ending_together(self.addresses[self.number], self.is_first):
            yield

    def wait_for_all(self) -> None:
        """Goes on when all have come to this point."""
        if self.are_several:
            client().wait_at_barrier(f"vidmodel/{next(_BARRIERS)}", _DAY_SECONDS * 1000)

    def from_first(self, value: Item) -> Item:
        """What the first machine has, on all of them.

        Args:
            value: Of this machine; JSON can hold it.
        """
        if not self.are_several:
            return value
        name = f"vidmodel/first/{next(_BARRIERS)}"
        if self.is_first:
            client().key_value_set(name, json.dumps(value))
        return json.loads(client().blocking_key_value_get(name, _DAY_SECONDS * 1000))

    def check_equal(self, value: str, what: str) -> None:
        """Refuses to go on where a machine has another value than the first one.

        Args:
            value: Of this machine.
            what: The subject of the message, in the plural ("versions").

        Raises:
            InputError: On each machine that is not like the first one, and on the first one if there is any.
        """
        if not self.are_several:
            return
        name = f"vidmodel/equal/{next(_BARRIERS)}"
        client().key_value_set(f"{name}/{self.number}", value)
        values = [client().blocking_key_value_get(f"{name}/{n}", _DAY_SECONDS * 1000) for n in range(self.count)]
        others = [self.addresses[number] for number, found in enumerate(values) if found != values[0]]
        if others:
            raise InputError(
                f"--hosts: expected the same {what} on all hosts. Received: others on {', '.join(others)} than on "
                f"{self.addresses[0]}; call the same command everywhere, but for --host-number"
            )

    def _join(self) -> None:
        import jax
        from jax.experimental import multihost_utils

        if self.is_first:
            _check_free(self.addresses[0])
        # It would take SIGTERM away, to tell programs of it that ask.
        jax.config.update("jax_enable_preemption_service", False)
        print(
            f"--host-number {self.number} of {self.count}: waiting at {self.addresses[0]} for the others, "
            "each with another number",
            file=sys.stderr,
        )
        try:
            jax.distributed.initialize(
                self.addresses[0], self.count, self.number,
                # It ends the process where the time is over; whoever waits may press Ctrl-C.
                initialization_timeout=_DAY_SECONDS, heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
            )  # fmt: skip
            with without_standard_output():  # where JAX says how it has connected the devices
                multihost_utils.sync_global_devices("vidmodel")
        except RuntimeError as error:
            raise InputError(
                "--hosts: expected a process of its own, in which JAX has computed nothing yet. "
                f"Received: {cause(error)}"
            ) from None


ALONE = Hosts()


def _is_address(text: str) -> bool:
    found = _ADDRESS.fullmatch(text)
    return found is not None and int(found[1]) <= _LAST_PORT


def _check_free(address: str) -> None:
    try:
        socket.create_server(("", int(address.rpartition(":")[2]))).close()
    except OSError as error:
        raise InputError(
            f"--hosts: expected a free port on the first host, this machine. Received: {address} ({error.strerror})"
        ) from None
