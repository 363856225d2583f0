"""The feature cache holds what the model itself would compute."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.sums import DAMAGES
from vidmodel_tf.model.backbones import build_backbone
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.cut import split_backbone
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.training.encoded_files import cache_folder, encoded_files, stored_files
from vidmodel_tf.training.train import plan_run

VIEWS = ("plain", "mirrored")


@pytest.fixture(scope="module")
def data(data_set, tmp_path_factory):
    return open_data_set(copy_data_set(data_set, tmp_path_factory.mktemp("encoded") / "data"))


@pytest.fixture(scope="module")
def run(data, backbone_weights, tmp_path_factory):
    model = dataclasses.replace(MODEL, weights=str(backbone_weights), streams="both")
    return plan_run(data, tmp_path_factory.mktemp("run") / "run", model, TRAIN)


@pytest.fixture(scope="module")
def model(run):
    return build_model(run.config.model, run.labels, len(run.vocabulary))


def test_encodings_are_those_of_the_frame_encoder(data, run, model):
    batches = for_inference(data, "train", run.config.model, run.vocabulary, batch_size=8)
    frames = np.concatenate([inputs["frames"] for inputs, _, _ in batches.as_numpy_iterator()])
    files = encoded_files(data, "train", backbone_of(model), run.config.model, views=VIEWS)
    assert files.num_clips == len(frames)
    for view, pixels in enumerate((frames, frames[:, :, :, ::-1])):
        encodings = [files.parse(record, view)[1] for record in files.records.in_order()]
        np.testing.assert_allclose(encodings, model.get_layer("frame_encoder").predict(pixels, verbose=0), atol=1e-5)


def test_words_and_labels_stay_with_their_clip(data, run, model):
    files = encoded_files(data, "train", backbone_of(model), run.config.model, views=VIEWS)
    clips = {clip.id: clip for clip in data.in_split("train")}
    for record in files.records.in_order():
        assert files.num_views(record) == 2
        for view in (0, 1):
            example, _ = files.parse(record, view)
            clip = clips[example["id"].numpy().decode()]
            assert {field: text.numpy().decode() for field, text in example["text"].items()} == clip.text
            assert bool(example["labelled"]["colour"]) == (clip.labels["colour"] is not None)
            assert "backbone_output" not in example


def test_each_clip_is_encoded_once(data, run, model, monkeypatch):
    files = encoded_files(data, "train", backbone_of(model), run.config.model, views=VIEWS)
    written = {path: path.stat().st_mtime_ns for path in (data.path / "features").rglob("*.tfrecord*")}
    other_splits = data.with_splits({clip.id: "train" if clip.split == "train" else "test" for clip in data.clips})
    again = encoded_files(other_splits, "train", backbone_of(model), run.config.model, views=("plain",))
    assert again.num_clips == files.num_clips
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_what_a_killed_process_left_in_the_cache_is_removed(data, run, model):
    encoded_files(data, "test", backbone_of(model), run.config.model, views=VIEWS)
    folder = next((data.path / "features").glob("*/mirrored"))
    old, new = folder / ".test-00000.abc.tfrecord", folder / ".test-00000.def.tfrecord"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    encoded_files(data, "test", backbone_of(model), run.config.model, views=VIEWS)
    assert (old.exists(), new.exists()) == (False, True)
    new.unlink()


@pytest.mark.parametrize("damage", [*DAMAGES.values(), Path.unlink], ids=[*DAMAGES, "missing"])
def test_what_was_damaged_is_computed_again(data, run, model, damage):
    files = encoded_files(data, "test", backbone_of(model), run.config.model, views=VIEWS)
    path = Path(files.records.paths[0][1])
    whole = path.read_bytes()
    damage(path)
    encoded_files(data, "test", backbone_of(model), run.config.model, views=VIEWS)
    assert path.read_bytes() == whole


def test_the_key_is_that_of_earlier_versions(data, run, model):
    """Caches of a data set are found again: file names and keys do not change."""
    config = dataclasses.replace(run.config.model, weights="imagenet", streams="motion", motion_gain=3.0)
    folder = cache_folder(data, config, backbone_of(model))
    assert json.loads((folder / "key.json").read_text()) == {
        "backbone": "small_cnn", "weights": "imagenet", "cnn": "small_cnn", "num_frames": 4, "height": 32, "width": 40,
        "stream": "motion", "motion_gain": 3.0, "precision": "float32",
    }  # fmt: skip
    assert folder.parent.name == "features"
    assert folder.name == "3d5005b8f4727562"  # as version 0.1.0 names it


def test_without_frames_clips_are_read_as_stored(data):
    files = stored_files(data, "train")
    example, encodings = files.parse(next(iter(files.records.in_order())), 0)
    assert encodings is None
    assert files.clip_bytes == 0
    assert example["id"].numpy().decode() == data.in_split("train")[0].id


def test_a_cnn_built_again_finds_what_was_cached(data):
    # Keras numbers the layers that its models do not name.
    config = dataclasses.replace(MODEL, backbone="mobilenet_v2")
    folders = [cache_folder(data, config, build_backbone("mobilenet_v2", 32, 32, "none")) for _ in range(2)]
    assert folders[0] == folders[1]
    lower, _ = split_backbone(build_backbone("mobilenet_v2", 32, 32, "none"), "block_16_expand")
    assert cache_folder(data, config, lower) != folders[0]
