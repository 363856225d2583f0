"""What runs on a node, in a process of Ray's."""

from __future__ import annotations

import contextlib
import functools
import pickle
import socket
from collections.abc import Callable
from typing import Any

from vidmodel_tf.cluster.call import Call, NodeError, UnseenError
from vidmodel_tf.cluster.node_turns import NodeTurns
from vidmodel_tf.cluster.versions import differences
from vidmodel_tf.extras import import_extra
from vidmodel_tf.worker_of_pool import PoolWorker, StartError, WorkerDiedError, not_started, sendable

Answer = tuple[Any, Exception | None]


def answer_call(call: Call) -> Answer:
    """Calls a function; what it raises is handed back, as Ray would wrap it into an exception of its own."""
    if found := differences(call.versions):
        return None, NodeError(
            f"{_node_name()} has {found}: expected the same versions on every machine, for the same bytes; install "
            "those of the machine that asks"
        )
    try:
        return (_call_here(call) if call.begin is None else _call_in_worker(call, call.begin)), None
    except UnseenError as error:
        return None, NodeError(
            f"{_node_name()} {error}, which the machine that asks has: expected the same files under the same paths on "
            "every machine; mount them there, or take that node out of the cluster"
        )
    except Exception as error:
        return None, error


def _call_here(call: Call) -> Any:
    function, arguments = pickle.loads(call.message)
    try:
        return function(*arguments)
    except UnseenError:
        raise
    except Exception as error:
        raise sendable(error) from None


def _call_in_worker(call: Call, begin: Callable[[], None]) -> Any:
    """As a `WorkerPool` does: where the process dies, it is tried once more, alone."""
    worker, turns = _worker(begin), NodeTurns()
    if not call.is_alone:
        with contextlib.suppress(WorkerDiedError, StartError), turns.with_others():
            return worker.call(call.message, call.timeout_seconds)
    with turns.alone():
        try:
            return worker.call(call.message, call.timeout_seconds)
        except StartError as error:
            raise not_started(error) from None


@functools.lru_cache(maxsize=1)
def _worker(begin: Callable[[], None]) -> PoolWorker:
    """A process of Ray's has one, for all calls of a pool that come to it."""
    return PoolWorker(begin)


def _node_name() -> str:
    ray = import_extra("ray", extra="cluster", needed_for="clusters")
    return f"node {ray.util.get_node_ip_address()} ({socket.gethostname()})"
