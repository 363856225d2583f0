"""JAX's service on the first of several machines, by which they find each other and agree."""

from __future__ import annotations

from typing import Any

_FORGOTTEN: list[Any] = []


def client() -> Any:
    """The connection of this machine; None before `jax.distributed.initialize` and after the end."""
    return _state().client


def disconnect() -> None:
    """Waits until all machines call it; from then on none of them takes the end of another one for a fault."""
    _state().shutdown()


def forget() -> None:
    """Takes the connection from JAX, which would wait for the others at exit, and end with a trace without them."""
    state = _state()
    _FORGOTTEN.append((state.client, state.service))  # whose last reference would end them
    state.client = state.service = None


def _state() -> Any:
    # JAX has no public name for it; others that write checkpoints together (Orbax) reach it in this way too.
    from jax._src.distributed import global_state

    return global_state
