"""Reads the old stream format of `torch.save` (before PyTorch 1.6) into NumPy arrays, without PyTorch.

The format: pickles of a magic number, a protocol number, facts about the machine, the state dictionary and the list
of storage keys; then, for each key, an int64 count and the raw little-endian values. A pickle can run any code, so
this reader resolves only the few names that a state dictionary of tensors needs and refuses everything else.
"""

from __future__ import annotations

import collections
import dataclasses
import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.errors import InputError

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_STORAGE_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


def read_torch_weights(path: str | Path) -> dict[str, np.ndarray]:
    """Reads a state dictionary of tensors.

    Args:
        path: A file in the old stream format.

    Returns:
        Arrays by the names of the state dictionary, in its order.

    Raises:
        InputError: The file cannot be read, is cut off, or holds anything but tensors.
    """
    try:
        stream = io.BytesIO(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the weights file {path}: {error.strerror}") from None
    try:
        return _read_state(stream)
    except Exception as error:  # bytes from outside can make the unpickler fail in any way
        raise InputError(f"{path}: expected tensors in the old torch.save format. Received: {error}") from error


@dataclasses.dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str
    count: int


@dataclasses.dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGE_DTYPES:
            return _STORAGE_DTYPES[name]
        raise pickle.UnpicklingError(f"a pickle that asks for {module}.{name}, which is refused")

    def persistent_load(self, persistent_id: Any) -> _Storage:
        kind, dtype, key, _device, count, view = persistent_id
        if kind != "storage" or view is not None or dtype not in _STORAGE_DTYPES.values():
            raise pickle.UnpicklingError(f"an unknown storage {persistent_id!r}")
        return _Storage(key, dtype, count)


def _read_state(stream: io.BytesIO) -> dict[str, np.ndarray]:
    magic, version, _machine = (_TensorUnpickler(stream).load() for _ in range(3))
    if magic != _MAGIC_NUMBER or version != _PROTOCOL_VERSION:
        raise ValueError("another magic number")
    state = _TensorUnpickler(stream).load()
    tensors = {name: tensor for name, tensor in state.items() if isinstance(tensor, _Tensor)}
    if len(tensors) != len(state):
        raise ValueError(f"no tensor under {next(name for name in state if name not in tensors)!r}")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    keys = _TensorUnpickler(stream).load()
    values = {key: _read_storage(stream, storages[key]) for key in keys}
    return {name: _copy(tensor, values[tensor.storage.key], name) for name, tensor in tensors.items()}


def _read_storage(stream: io.BytesIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(_read_exactly(stream, 8), "little", signed=True)
    if count != storage.count or count < 0:
        raise ValueError(f"storage {storage.key} of {count} values where {storage.count} are announced")
    return np.frombuffer(_read_exactly(stream, count * np.dtype(storage.dtype).itemsize), storage.dtype)


def _read_exactly(stream: io.BytesIO, num_bytes: int) -> bytes:
    data = stream.read(num_bytes)
    if len(data) != num_bytes:
        raise ValueError(f"a file that ends {num_bytes - len(data)} bytes too early")
    return data


def _copy(tensor: _Tensor, values: np.ndarray, name: str) -> np.ndarray:
    count = math.prod(tensor.shape)
    reach = sum(stride * (size - 1) for size, stride in zip(tensor.shape, tensor.strides, strict=True)) + 1
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or max(count, tensor.offset + reach) > len(values):
        raise ValueError(f"{name} of {count} values from {tensor.offset} on, out of {len(values)}")
    strides = [stride * values.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides).copy()
