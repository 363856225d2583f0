"""Files of Keras models that unpack to far more than they are, or describe far more than they hold."""

from __future__ import annotations

import copy
import json
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.model.backbone_file import load_backbone_model
from vidmodel_tf.model.keras_file import check_weights_file, read_keras_config
from vidmodel_tf.model.weights import load_weights

MUCH = 10**9


@pytest.fixture(scope="module")
def model() -> keras.Model:
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(7, 3, name="conv")(image)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x), name="mine")


@pytest.fixture
def file(model, tmp_path) -> Path:
    model.save(tmp_path / "mine.keras")
    return tmp_path / "mine.keras"


def rewrite(file: Path, compression: int = zipfile.ZIP_STORED, **members: bytes | None) -> Path:
    """The same archive with other members, by the first word of their names; None leaves one out."""
    with zipfile.ZipFile(file) as archive:
        before = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in before.items():
            if (content := members.get(name.partition(".")[0], content)) is not None:
                archive.writestr(name, content)
    return file


def refuse(file: Path, model: keras.Model, match: str) -> None:
    """Both ways in refuse the file, and take little memory to say so."""
    for load in (lambda: load_backbone_model(str(file), 16, 16), lambda: load_weights(model, file)):
        tracemalloc.start()
        with pytest.raises(InputError, match=match) as caught:
            load()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 200e6
        assert "\n" not in str(caught.value)


def test_a_whole_file_is_read(file, model):
    assert read_keras_config(file)["config"]["name"] == "mine"
    load_weights(model, file)
    assert load_backbone_model(str(file), 16, 16).count_params() == 196


def test_a_compressed_file_is_read(file, model):
    load_weights(model, rewrite(file, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("member", ["metadata", "config", "model"])
def test_a_zip_bomb(file, model, member):
    rewrite(file, zipfile.ZIP_DEFLATED, **{member: bytes(10**8)})
    assert file.stat().st_size < 10**6
    refuse(file, model, r"mine.keras: .* unpacks to at most 4 times its \d+,\d+ bytes. Received: .* to hold 100,")


def test_members_that_share_their_bytes(file, model):
    rewrite(file, config=bytes(10**6))
    with zipfile.ZipFile(file, "a") as archive:
        info = archive.getinfo("config.json")
        for number in range(10_000):  # ten gigabytes in one megabyte
            shared = copy.copy(info)
            shared.filename = f"{number:05d}.json"
            archive.filelist.append(shared)
        archive._didModify = True
    refuse(file, model, r"unpacks to at most 4 times its \d,\d+,\d+ bytes. Received: one that claims to hold 10,00")


def test_a_long_description(file, model):
    rewrite(file, config=b"[" * (64 * 2**20 + 1))
    refuse(file, model, r"expected at most 67,108,864 bytes of config.json. Received: 67,108,865")


@pytest.mark.parametrize("config", [b"[" * 10**6, b"1" * 5000, b"\xff", None], ids=["deep", "digits", "bytes", "none"])
def test_descriptions_that_are_no_json(file, model, config):
    rewrite(file, config=config)
    refuse(file, model, "expected a Keras model in .*mine.keras. Received: ")


def test_a_layer_that_would_take_gigabytes_is_not_built(file, model):
    with zipfile.ZipFile(file) as archive:
        text = archive.read("config.json").decode()
    assert '"filters": 7' in text
    rewrite(file, config=text.replace('"filters": 7', f'"filters": {MUCH}').encode())
    refuse(file, model, r"mine.keras: expected a model of at most 2,000,000,000 weights. Received: 28,000,000,000")
    rewrite(file, config=text.replace('"filters": 7', '"filters": 10000000').encode())
    with pytest.raises(InputError, match=r"belong to another model: expected 196 numbers. Received: 280,000,000"):
        load_weights(model, file)


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"fillvalue": 1.0}], ids=["compressed", "not there"])
def test_arrays_of_which_hardly_anything_is_there(file, model, tmp_path, options):
    with h5py.File(tmp_path / "weights.h5", "w") as weights:
        weights.create_dataset("layers/conv2d/vars/0", (MUCH,), np.float32, chunks=(2**20,), **options)
    expected = r"expected weights of at most 4 times the \d[\d,]* bytes of their file. Received: 4,000,000,000 bytes"
    with pytest.raises(InputError, match=r"weights.h5: " + expected):
        check_weights_file(tmp_path / "weights.h5")
    rewrite(file, model=(tmp_path / "weights.h5").read_bytes())
    refuse(file, model, "mine.keras: " + expected)


def test_a_weights_file_that_is_none(tmp_path):
    (tmp_path / "weights.h5").write_bytes(json.dumps({}).encode())
    with pytest.raises(InputError, match=r"weights.h5: the file is damaged: "):
        check_weights_file(tmp_path / "weights.h5")
