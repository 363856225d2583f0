"""Backbones that users bring: what is accepted, what a run keeps of them, and that runs live on without the source."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from tests.own_backbones import save_backbone_file
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.fold_batch_norm import fold_batch_norm
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.model.backbone_file import load_backbone_model
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.cut import split_backbone
from vidmodel_tf.model.flat_graph import flat_graph
from vidmodel_tf.model.image_encoder import rebuild_encoder, serialize_encoder, with_fixed_input
from vidmodel_tf.model.num_weights import MAX_WEIGHTS
from vidmodel_tf.model.own_backbone import identify_backbone, load_own_backbone
from vidmodel_tf.model.trainable import backbone_of, set_trainable
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder.own_backbone import write_own_backbone
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.run_folder.save_run import save_run
from vidmodel_tf.training.train import train

HEIGHT, WIDTH = MODEL.height, MODEL.width
IMAGES = np.random.default_rng(0).integers(0, 256, (3, HEIGHT, WIDTH, 3)).astype("float32")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return save_backbone_file(tmp_path_factory.mktemp("own") / "mine.keras")


def test_a_file_gives_what_its_model_gives(file):
    encoder = load_backbone_model(str(file), HEIGHT, WIDTH)
    assert encoder.input_shape == (None, HEIGHT, WIDTH, 3)
    expected = keras.saving.load_model(file)(IMAGES).numpy()
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(encoder(IMAGES).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(fold_batch_norm(encoder)(IMAGES).numpy(), expected, atol=1e-5)


def test_what_is_stored_of_a_model_rebuilds_it(file):
    encoder = load_backbone_model(str(file), HEIGHT, WIDTH)
    stored = json.loads(json.dumps(serialize_encoder(encoder)))
    rebuilt = rebuild_encoder(stored, HEIGHT, WIDTH, precision="float32", subject="backbone.json")
    assert [weight.path for weight in rebuilt.weights] == [weight.path for weight in encoder.weights]
    rebuilt.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(rebuilt(IMAGES).numpy(), encoder(IMAGES).numpy())


def test_a_sequential_model_will_do(tmp_path):
    model = keras.Sequential([layers.Input((HEIGHT, WIDTH, 3)), layers.Conv2D(4, 5, 3), layers.GlobalMaxPooling2D()])
    model.save(tmp_path / "mine.keras")
    encoder = load_backbone_model(str(tmp_path / "mine.keras"), HEIGHT, WIDTH)
    np.testing.assert_allclose(encoder(IMAGES).numpy(), model(IMAGES).numpy(), atol=1e-6)


@keras.saving.register_keras_serializable(package="elsewhere")
class Unknown(layers.Layer):
    def call(self, inputs):
        return inputs


def two_outputs():
    image = layers.Input((HEIGHT, WIDTH, 3))
    pooled = layers.GlobalAveragePooling2D()(image)
    return keras.Model(image, [pooled, layers.Dense(2)(pooled)])


def two_inputs():
    image, mask = layers.Input((HEIGHT, WIDTH, 3)), layers.Input((HEIGHT, WIDTH, 1))
    return keras.Model([image, mask], layers.GlobalAveragePooling2D()(layers.Multiply()([image, mask])))


def chain(*parts, shape=(HEIGHT, WIDTH, 3)):
    return keras.Sequential([layers.Input(shape), *parts])


POOL = layers.GlobalAveragePooling2D
HAS = r"layers that Keras or KerasHub has\. Received: "
MODELS = {
    "several outputs": (two_outputs, r"a model with one output, a vector for each image\. Received: \[3\], \[2\]"),
    "several inputs": (two_inputs, r"a model with one input, an image \[H, W, 3\]\. Received: \[32, 40, 3\], "),
    "a vector in": (lambda: chain(layers.Dense(2), shape=(7,)), r"one input, an image \[H, W, 3\]\. Received: \[7\]"),
    "grey": (lambda: chain(POOL(), shape=(32, 40, 1)), r"an image \[H, W, 3\]\. Received: \[32, 40, 1\]"),
    "a map out": (lambda: chain(layers.Conv2D(4, 3)), r"Received: \[30, 38, 4\]; end it with GlobalAveragePooling2D"),
    "another size": (
        lambda: chain(POOL(), shape=(64, 48, 3)),
        r"takes images of 64 x 48 pixels .*: add --set model\.height=64 --set model\.width=48\. Received: 32 x 40",
    ),
    "a size of its layers": (
        lambda: chain(layers.Conv2D(2, 33), POOL(), shape=(None, None, 3)),
        "the model cannot take images of 32 x 40 pixels: ",
    ),
    "code": (lambda: chain(layers.Lambda(lambda x: x + 1), POOL()), r"without code in them\. Received: a Lambda; make"),
    "a class of elsewhere": (lambda: chain(Unknown(), POOL()), HAS + "Could not locate class 'Unknown'"),
    "half precision": (
        lambda: chain(layers.Conv2D(2, 3, dtype="float16"), POOL()),
        r"expected weights in float32\. Received: .*kernel in float16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_cannot_serve_is_refused(name, tmp_path, monkeypatch):
    make, words = MODELS[name]
    make().save(tmp_path / "mine.keras")
    monkeypatch.delitem(keras.saving.get_custom_objects(), "elsewhere>Unknown")
    with pytest.raises(InputError, match=words) as caught:
        load_backbone_model(str(tmp_path / "mine.keras"), HEIGHT, WIDTH)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none_is_refused(file, tmp_path):
    content = file.read_bytes()
    broken = {
        "empty.keras": (b"", r"expected a Keras model in .*empty.keras. Received: File is not a zip file"),
        "short.keras": (content[: len(content) // 2], r"expected a Keras model in .*short.keras. Received: "),
        "pointer.keras": (b"version https://git-lfs.github.com/spec/v1\n", "this is a pointer of Git LFS"),
    }
    for name, (bytes_of_file, words) in broken.items():
        (tmp_path / name).write_bytes(bytes_of_file)
        with pytest.raises(InputError, match=words):
            load_backbone_model(str(tmp_path / name), HEIGHT, WIDTH)
    with pytest.raises(
        InputError, match=r"expected a file with a Keras model\. Received: 'none.keras', where there is"
    ):
        load_backbone_model("none.keras", HEIGHT, WIDTH)


def test_damaged_weights_are_refused(file, tmp_path):
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(tmp_path / "mine.keras", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[:1000] if name.endswith(".h5") else content)
    with pytest.raises(InputError, match="the file is damaged: "):
        load_backbone_model(str(tmp_path / "mine.keras"), HEIGHT, WIDTH)


def test_a_model_of_too_many_weights_is_refused_before_it_is_built():
    text = json.dumps(serialize_encoder(chain(layers.Conv2D(7, 3), POOL())))
    text = text.replace('"filters": 7,', f'"filters": {10**12},')  # 112 TB
    with pytest.raises(
        InputError, match=rf"expected a model of at most {MAX_WEIGHTS:,} weights\. Received: 28,000,000,000,000"
    ):
        rebuild_encoder(json.loads(text), HEIGHT, WIDTH, precision="float32", subject="backbone.json")


@pytest.mark.parametrize(
    "value", [[], {}, "text", {"class_name": "Dense", "config": {"units": 2}, "module": "keras.layers"}]
)
def test_what_is_no_model_is_refused(value):
    with pytest.raises(InputError, match=r"backbone\.json: expected a Keras model"):
        rebuild_encoder(value, HEIGHT, WIDTH, precision="float32", subject="backbone.json")


def test_mixed_precision_becomes_float32_where_that_is_wanted(tmp_path):
    model = chain(layers.Conv2D(4, 3, dtype="mixed_bfloat16"), POOL(dtype="mixed_bfloat16"))
    model.save(tmp_path / "mine.keras")
    stored = serialize_encoder(load_backbone_model(str(tmp_path / "mine.keras"), HEIGHT, WIDTH))
    for precision, dtype in (("float32", "float32"), ("mixed_bfloat16", "bfloat16")):
        trained = load_own_backbone(
            str(tmp_path / "mine.keras"), own_model(tmp_path / "mine.keras", precision=precision)
        )
        rebuilt = rebuild_encoder(stored, HEIGHT, WIDTH, precision=precision, subject="")
        rebuilt.set_weights(trained.get_weights())
        assert trained.output.dtype == rebuilt.output.dtype == dtype
        np.testing.assert_array_equal(trained(IMAGES).numpy(), rebuilt(IMAGES).numpy())


def test_the_graph_without_models_in_models_gives_the_same(file):
    encoder = load_backbone_model(str(file), HEIGHT, WIDTH)
    flat = flat_graph(encoder)
    assert [layer.name for layer in flat.model.layers][4:8] == ["first_relu", "inner_conv", "inner_norm", "inner_relu"]
    np.testing.assert_allclose(flat.model(IMAGES).numpy(), encoder(IMAGES).numpy(), atol=1e-6)


def test_equal_names_of_layers_matter_only_where_a_model_is_cut():
    def convolution(*more):
        return layers.Conv2D(3, 3, name="conv"), *more

    encoder = chain(*convolution(chain(*convolution(), shape=(30, 38, 3)), POOL()))
    encoder = with_fixed_input(encoder, HEIGHT, WIDTH, "mine.keras")
    for part, num_trained in ((encoder, 4), (None, 0), (encoder, 4)):
        set_trainable(encoder, part)
        assert len(encoder.trainable_weights) == num_trained
    with pytest.raises(InputError, match=r"expected layers with names of their own, .*: several named 'conv'; ren"):
        split_backbone(encoder, "conv")


def test_a_frozen_model_inside_is_trained_with_the_whole(file):
    encoder = load_backbone_model(str(file), HEIGHT, WIDTH)
    set_trainable(encoder, encoder)
    assert {"inner_conv/kernel", "first_conv/kernel"} <= {weight.path for weight in encoder.trainable_weights}
    set_trainable(encoder, split_backbone(encoder, "inner_last")[1])
    assert {weight.path for weight in encoder.trainable_weights} == {"inner_last/kernel", "inner_last/bias"}


def test_a_convolution_that_is_called_twice_is_not_folded():
    image = layers.Input((HEIGHT, WIDTH, 3))
    conv, norm = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization(gamma_initializer="ones")
    x = norm(conv(image))
    model = keras.Model(image, layers.GlobalAveragePooling2D()(layers.Add()([x, conv(x)])))
    norm.set_weights([np.array(values, "float32") for values in ([2, 3, 4], [1, 2, 3], [0.5, 0, 1], [4, 5, 6])])
    np.testing.assert_allclose(fold_batch_norm(model)(IMAGES).numpy(), model(IMAGES).numpy(), rtol=1e-4)


def identified(config):
    return identify_backbone(config)[0]


def own_model(source, **changes):
    return dataclasses.replace(MODEL, backbone=str(source), weights="imagenet", **changes)


def test_settings_name_a_file_by_its_content(file):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    config = identified(own_model(file))
    assert (config.backbone, config.weights) == (f"file:{digest}", f"sha256:{digest}")
    assert identified(dataclasses.replace(own_model(file), weights="none")).weights == "none"
    assert identified(dataclasses.replace(own_model(file), weights=config.weights)) == config
    with pytest.raises(InputError, match=r"weights: expected 'none', or 'imagenet' for those that come with "):
        identified(dataclasses.replace(own_model(file), weights="other.weights.h5"))
    with pytest.raises(InputError, match=r"says what the backbone is, not where: give the file itself \(--backbone"):
        identified(config)


def test_without_pretrained_weights_they_are_random(file):
    pretrained = load_own_backbone(str(file), own_model(file)).get_weights()[0]
    for config, load_weights in (
        (own_model(file), False),
        (dataclasses.replace(own_model(file), weights="none"), True),
    ):
        model = build_model(config, {"kind": ["a", "b"]}, 9, load_backbone_weights=load_weights)
        assert not np.array_equal(backbone_of(model).get_weights()[0], pretrained)


def test_a_run_saved_by_hand_opens_without_the_file_and_can_be_saved_again(tmp_path):
    labels, vocabulary = {"kind": ["a", "b"]}, Vocabulary.from_texts([{"title": "red red"}], ("title",))
    file = save_backbone_file(tmp_path / "mine.keras")
    config = own_model(file)
    model = build_model(config, labels, len(vocabulary))
    save_run(tmp_path / "run", model, config, labels, vocabulary)
    file.unlink()
    run = load_run(tmp_path / "run")
    save_run(tmp_path / "again", run.load_model(), run.config.model, labels, vocabulary)
    again = load_run(tmp_path / "again")
    assert again.config == run.config and run.config.model.backbone.startswith("file:")
    inputs = {
        "frames": IMAGES[None, :1].repeat(MODEL.num_frames, 1).astype("uint8"),
        "token_ids": np.ones((1, 12), int),
    }
    np.testing.assert_array_equal(again.load_model()(inputs)["kind"], model(inputs)["kind"])


def test_unknown_names_are_told_of_both_ways():
    with pytest.raises(InputError, match=r"expected one of resnet50, .*, a FILE\.keras or keras_hub:PRESET"):
        build_model(dataclasses.replace(MODEL, backbone="zzz"), {"kind": ["a", "b"]}, 20)


ASK = """
import sys
import numpy as np
from vidmodel_tf.run_folder.run import load_run
run_dir, out = sys.argv[1:]
model = load_run(run_dir).load_model()
inputs = {"frames": np.random.default_rng(1).integers(0, 256, (2, 4, 32, 40, 3)).astype("uint8"),
          "token_ids": np.zeros((2, 12), "int32")}
np.savez(out, **model(inputs))
"""


@pytest.fixture(scope="module")
def trained(data_set, tmp_path_factory):
    """A run on a file, fine-tuned from inside its inner model; the file is gone."""
    folder = tmp_path_factory.mktemp("secret_place")
    file = save_backbone_file(folder / "mine.keras")
    pretrained = keras.saving.load_model(file)
    config = dataclasses.replace(TRAIN, epochs=1, fine_tune_epochs=1, fine_tune_from="inner_last", learning_rate=1e-3)
    data = copy_data_set(data_set, tmp_path_factory.mktemp("own") / "data")
    run = train(data, data.parent / "run", own_model(file), config)
    content = file.read_bytes()
    file.unlink()
    return run, pretrained, content, (file, config)


@pytest.mark.slow
def test_a_run_lives_on_without_its_source(trained, tmp_path):
    run, _, _, _ = trained
    command = [sys.executable, "-c", ASK, str(run.path), str(tmp_path / "answers.npz")]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    rng = np.random.default_rng(1)
    inputs = {
        "frames": rng.integers(0, 256, (2, 4, 32, 40, 3)).astype("uint8"),
        "token_ids": np.zeros((2, 12), "int32"),
    }
    expected = load_run(run.path).load_model()(inputs)
    with np.load(tmp_path / "answers.npz") as answers:
        for head, scores in expected.items():
            np.testing.assert_allclose(answers[head], scores, atol=1e-6)


@pytest.mark.slow
def test_a_run_says_what_its_backbone_is_and_not_where_it_was(trained):
    run, _, content, _ = trained
    digest = hashlib.sha256(content).hexdigest()
    assert json.loads((run.path / "config.json").read_text())["model"]["backbone"] == f"file:{digest}"
    assert json.loads((run.path / "backbone.json").read_text())["config"]["name"] == "of_a_user"
    for path in run.path.rglob("*.json"):
        assert "secret_place" not in path.read_text(), path
    keys = [json.loads(path.read_text()) for path in run.data.glob("features/*/key.json")]
    cached = {key["cnn"] for key in keys if (key["backbone"], key["weights"]) == (f"file:{digest}", f"sha256:{digest}")}
    assert cached == {"of_a_user", "of_a_user_below_inner_last"}


@pytest.mark.slow
def test_only_what_is_above_the_cut_was_tuned(trained):
    run, pretrained, _, _ = trained
    tuned = backbone_of(run.load_model())
    changed = {
        one.path
        for one, other in zip(tuned.weights, pretrained.weights, strict=True)
        if not np.array_equal(one.numpy(), other.numpy())
    }
    assert changed == {"inner_last/kernel", "inner_last/bias"}


@pytest.mark.slow
def test_training_goes_on_only_with_the_same_file(trained):
    run, _, content, (file, config) = trained
    file.write_bytes(content)
    assert train(run.data, run.path, own_model(file), config).config == run.config  # nothing to do
    save_backbone_file(file, seed=6)
    with pytest.raises(InputError, match=r"was begun with other arguments \(model\.backbone='file:"):
        train(run.data, run.path, own_model(file), config)
    file.unlink()


@pytest.mark.slow
def test_a_damaged_backbone_of_a_run_is_refused(trained, tmp_path):
    run, _, _, _ = trained
    moved = dataclasses.replace(run, path=tmp_path)
    with pytest.raises(InputError, match=r"cannot read .*backbone\.json"):
        moved.load_model()
    (tmp_path / "backbone.json").write_text("{}")
    with pytest.raises(InputError, match=r"backbone\.json: expected a Keras model"):
        moved.load_model()
    write_own_backbone(moved, run.load_model())
    (tmp_path / "model.keras").write_bytes((run.path / "model.keras").read_bytes())
    assert KerasForm(moved).run is moved


def test_without_a_cut_the_layers_are_named(data_set, file, tmp_path):
    config = dataclasses.replace(TRAIN, fine_tune_epochs=1)
    with pytest.raises(
        InputError, match=r"fine_tune_from: expected a layer of of_a_user; .* inner_relu, inner_last, pool"
    ):
        train(data_set, tmp_path / "run", own_model(file), config)
    assert not (tmp_path / "run").exists()
