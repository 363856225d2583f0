"""Building layers under a dtype policy that is not the global one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Layers built inside follow the policy `name` ("mixed_bfloat16"); afterwards the global policy is restored.

    `keras.applications` take no dtype: the global policy is the only way to reach their layers.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
