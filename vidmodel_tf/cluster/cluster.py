"""A Ray cluster: the connection to it, and the pools of tasks that run there."""

from __future__ import annotations

import logging
import math
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from vidmodel_tf.cluster.cluster_pool import ClusterPool
from vidmodel_tf.errors import InputError, VidmodelError, cause
from vidmodel_tf.extras import import_extra
from vidmodel_tf.quiet import quiet_standard_error

_KNOCK_SECONDS = 5.0
_CONNECT_SECONDS = 20.0  # Ray itself tries for minutes
_COUNT_SECONDS = 2.0  # for which a count of the nodes is good
_SILENT_SECONDS = 30.0  # after a minute Ray ends the process, without a word
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # else it prints, among our results, what a process has logged that died
}
_CLIENT = "ray://"
_FORM = re.compile(rf"auto|(?:{_CLIENT})?[^/\s]+:\d{{1,5}}")


class Cluster:
    """A Ray cluster that this process is connected to; to be closed.

    Args:
        address: As `ray.init` takes it: `HOST:PORT` or `auto` on one of its machines, `ray://HOST:PORT` elsewhere.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """

    def __init__(self, address: str) -> None:
        os.environ.update(QUIET)  # Ray reads it when it is imported
        self.ray: Any = import_extra("ray", extra="cluster", needed_for="clusters")
        if self.ray.is_initialized():
            raise InputError("Ray is connected to a cluster already in this process: call ray.shutdown() first")
        _check_answers(address)
        _connect(self.ray, address)
        self._head = self.ray.get_runtime_context().gcs_address if address == "auto" else address
        self._answered_seconds = time.monotonic()
        self._counted_seconds = -math.inf
        self._num_nodes = self._num_cores = 0

    def open_pool(self, num_workers: int, begin: Callable[[], None] | None) -> ClusterPool:
        """As `Machines` says.

        Args:
            num_workers: Tasks at once, at most; 0: one a core.
            begin: None: the functions have worker processes of their own, and are called in a process of Ray's.
        """
        return ClusterPool(self.ray, lambda: self.num_cores, num_workers, begin)

    @property
    def num_nodes(self) -> int:
        """Machines that are there now."""
        self._count()
        return self._num_nodes

    @property
    def num_cores(self) -> int:
        """Of all nodes; at least 1, as nodes may still come."""
        self._count()
        return max(self._num_cores, 1)

    def close(self) -> None:
        """Ends the connection, and with it all that runs for it on the nodes."""
        self.ray.shutdown()

    def _count(self) -> None:
        now = time.monotonic()
        if now < self._counted_seconds + _COUNT_SECONDS:
            return
        self._counted_seconds = now
        if reason := _failed_knock(self._head):
            if now > self._answered_seconds + _SILENT_SECONDS:
                raise VidmodelError(f"the head of the cluster, {self._head}, does not answer any more ({reason})")
            return
        self._answered_seconds = now
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        self._num_nodes, self._num_cores = len(nodes), int(sum(node.get("CPU", 0) for node in nodes))


def _check_answers(address: str) -> None:
    """Whether anything listens there: Ray itself waits for minutes."""
    if not _FORM.fullmatch(address):
        raise InputError(f"expected the address of a Ray cluster: {_FORMS}. Received: {address}")
    if address != "auto" and (reason := _failed_knock(address)):
        raise _no_cluster(address, reason)


def _failed_knock(address: str) -> str:
    """Why nothing can be reached at HOST:PORT; "" where something can."""
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def _connect(ray: Any, address: str) -> None:
    """In a thread, which can be left alone with a server that never answers as Ray does."""
    errors: list[BaseException] = []

    def connect() -> None:
        try:
            ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False)
        except BaseException as error:  # SystemExit, where nobody answers
            errors.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    with quiet_standard_error():
        thread.start()
        thread.join(_CONNECT_SECONDS)
    _take_back_sigterm()
    if thread.is_alive():
        raise _no_cluster(address, f"no answer in {_CONNECT_SECONDS:g} seconds")
    if errors:
        raise _no_cluster(address, "none runs on this machine" if address == "auto" else cause(errors[0]))


def _take_back_sigterm() -> None:
    """Puts the program's handler in the place of Ray's, which prints a stack."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _no_cluster(address: str, reason: str) -> InputError:
    return InputError(f"no Ray cluster can be used at {address} ({reason}): expected {_FORMS}")


_FORMS = "HOST:PORT or auto on one of its machines, ray://HOST:10001 on another"
