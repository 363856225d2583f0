"""Backbones from KerasHub: its own scaling and pooling, in every family that is taken."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys

import keras
import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from tests.own_backbones import save_hub_preset
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.model import own_backbone
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.cut import split_backbone
from vidmodel_tf.model.flat_graph import flat_graph
from vidmodel_tf.model.hub_preset import load_hub_backbone
from vidmodel_tf.model.image_encoder import rebuild_encoder, serialize_encoder
from vidmodel_tf.model.own_backbone import identify_backbone, load_own_backbone
from vidmodel_tf.model.trainable import set_trainable
from vidmodel_tf.training.train import train

keras_hub = pytest.importorskip("keras_hub", reason="the extra hub is not installed")

SIZE = 28
IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype("float32")
TRANSFORMER = {"patch_size": 7, "num_layers": 2, "hidden_dim": 16, "num_heads": 2, "image_shape": (SIZE, SIZE, 3)}


def vit(**changes):
    return keras_hub.models.ViTBackbone(**{**TRANSFORMER, "patch_size": (7, 7), "mlp_dim": 32, **changes})


def text_encoder(kind):
    return kind(vocabulary_size=20, embedding_dim=16, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=32)


def clip():
    models = keras_hub.models
    vision = models.CLIPVisionEncoder(**TRANSFORMER, intermediate_dim=32, name="vision")
    text = models.CLIPTextEncoder(20, 16, 16, 1, 2, 32, max_sequence_length=8, name="text")
    return models.CLIPBackbone(vision, text, projection_dim=16)


def siglip():
    models = keras_hub.models
    vision = models.SigLIPVisionEncoder(**TRANSFORMER, intermediate_dim=32, name="vision")
    text = models.SigLIPTextEncoder(20, 16, 16, 1, 2, 32, max_sequence_length=8, name="text")
    return models.SigLIPBackbone(vision, text)


def resnet():
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[3], stackwise_num_filters=[64], stackwise_num_blocks=[1],
        stackwise_num_strides=[1], block_type="basic_block",
    )  # fmt: skip


def dino(kind, **changes):
    return kind(**{**TRANSFORMER, "intermediate_dim": 32, **changes})


# By family: how it is built, what its vector is in the family's own terms, and a layer to fine-tune from.
FAMILIES = {
    "vit": (vit, lambda model, x: model(x)[:, 0], "transformer_block_2"),
    "vit without class token": (
        lambda: vit(use_class_token=False),
        lambda model, x: np.mean(model(x), axis=1),
        "transformer_block_2",
    ),
    "deit": (
        lambda: keras_hub.models.DeiTBackbone(**{**TRANSFORMER, "patch_size": (7, 7), "intermediate_dim": 32}),
        lambda model, x: model(x)[:, 0],
        "deit_encoder",
    ),
    "dinov2": (
        lambda: dino(keras_hub.models.DINOV2Backbone, position_embedding_shape=(42, 42, 3)),
        lambda model, x: model({"images": x})[:, 0],
        "layers_1",
    ),
    "dinov3": (
        lambda: dino(keras_hub.models.DINOV3Backbone),
        lambda model, x: model({"pixel_values": x})[:, 0],
        "encoder_layernorm",
    ),
    "clip": (
        clip,
        lambda model, x: model.vision_pooler(model.vision_encoder({"images": x})),
        "encoder_encoder_block_1",
    ),
    "siglip": (siglip, lambda model, x: model.get_vision_embeddings(x), "encoder_encoder_block_1"),
    "resnet": (resnet, lambda model, x: np.mean(model(x), axis=(1, 2)), "stack0_block0_out"),
}


@pytest.mark.parametrize(
    "name", [name if name == "siglip" else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
)
def test_a_family_is_scaled_pooled_rebuilt_and_cut(name, tmp_path):
    make, vector, first_layer = FAMILIES[name]
    keras.utils.set_random_seed(3)
    model = make()
    model.save_to_preset(str(tmp_path))
    converter = keras_hub.layers.ImageConverter(
        image_size=(SIZE, SIZE), scale=[0.01, 0.02, 0.015], offset=[-1, -2, 0.5]
    )
    kind = next(kind for kind in converters() if kind.backbone_cls is type(model))
    kind.from_config(converter.get_config()).save_to_preset(str(tmp_path))

    encoder = load_hub_backbone(str(tmp_path), SIZE, SIZE)
    expected = np.asarray(vector(model, IMAGES * np.array([0.01, 0.02, 0.015]) + np.array([-1, -2, 0.5])))
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(encoder(IMAGES).numpy(), expected, atol=2e-5)

    stored = json.loads(json.dumps(serialize_encoder(encoder)))
    rebuilt = rebuild_encoder(stored, SIZE, SIZE, precision="float32", subject="backbone.json")
    rebuilt.set_weights(encoder.get_weights())
    np.testing.assert_allclose(rebuilt(IMAGES).numpy(), expected, atol=2e-5)

    lower, upper = split_backbone(encoder, first_layer)
    np.testing.assert_allclose(upper(lower(IMAGES)).numpy(), expected, atol=2e-5)
    set_trainable(encoder, upper)
    below = {weight.path for weight in lower.weights}
    assert {weight.path for weight in encoder.trainable_weights} == {
        weight.path for weight in flat_graph(encoder).model.weights if weight.path not in below
    } - {weight.path for weight in upper.non_trainable_weights}
    assert bool(encoder.trainable_weights) == bool(upper.weights)


def converters():
    return [
        kind
        for kind in vars(keras_hub.layers).values()
        if isinstance(kind, type) and issubclass(kind, keras_hub.layers.ImageConverter) and kind.backbone_cls
    ]


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_hub_preset(tmp_path_factory.mktemp("place") / "tiny_vit")


def identified(config):
    return identify_backbone(config)[0]


@pytest.mark.slow
def test_settings_name_a_preset_and_the_hash_of_its_weights(preset, tmp_path):
    given = dataclasses.replace(MODEL, backbone=f"keras_hub:{preset}", weights="imagenet")
    config = identified(given)
    assert config.backbone == "keras_hub:tiny_vit"
    assert config.weights.startswith("sha256:")
    assert identified(given) == config
    load_own_backbone(given.backbone, config)
    other = save_hub_preset(tmp_path / "tiny_vit", seed=6)
    with pytest.raises(InputError, match="was changed while the run was planned"):
        load_own_backbone(f"keras_hub:{other}", config)
    with pytest.raises(InputError, match=r"'imagenet' for those that come with .*tiny_vit \(sha256:"):
        identified(dataclasses.replace(config, backbone=f"keras_hub:{other}"))


@pytest.mark.slow
def test_without_pretrained_weights_they_are_random(preset):
    config = dataclasses.replace(MODEL, backbone=f"keras_hub:{preset}", weights="none")
    one, other = (load_own_backbone(config.backbone, config).get_weights()[1] for _ in range(2))
    assert np.ptp(one - other) > 0


@pytest.mark.parametrize(
    ("preset", "name"),
    [
        ("vit_base", "vit_base"),
        ("kaggle://keras/vit/keras/vit_base/4", "vit_base"),
        ("hf://owner/vit_base", "vit_base"),
        ("./presets/vit_base/", "vit_base"),
        ("./4", "4"),
    ],
)
def test_settings_name_a_preset_without_place_and_version(preset, name):
    config = dataclasses.replace(MODEL, backbone=f"keras_hub:{preset}", weights="none")
    assert identified(config).backbone == f"keras_hub:{name}"


@pytest.mark.slow
def test_training_loads_a_preset_once(preset, data_set, tmp_path, monkeypatch):
    loaded = []

    def load(*args, **kwargs):
        loaded.append(args)
        return load_hub_backbone(*args, **kwargs)

    monkeypatch.setattr(own_backbone, "load_hub_backbone", load)
    config = dataclasses.replace(MODEL, backbone=f"keras_hub:{preset}", weights="imagenet")
    settings = dataclasses.replace(TRAIN, fine_tune_epochs=1, fine_tune_from="misspelt")
    with pytest.raises(InputError, match="fine_tune_from: expected a layer of hub_backbone"):
        train(data_set, tmp_path / "run", config, settings)
    assert len(loaded) == 1


def test_without_pretrained_weights_none_are_read(preset, tmp_path):
    bare = shutil.copytree(preset, tmp_path / "bare", ignore=shutil.ignore_patterns("*.weights.h5"))
    config = dataclasses.replace(MODEL, backbone=f"keras_hub:{bare}", weights="imagenet")
    shapes = [weight.shape for weight in load_own_backbone(f"keras_hub:{preset}", config).weights]
    assert [weight.shape for weight in load_own_backbone(config.backbone, config, load_weights=False).weights] == shapes
    assert build_model(config, {"kind": ["a", "b"]}, 9, load_backbone_weights=False).count_params() > 0
    with pytest.raises(InputError, match="expected a folder that save_to_preset"):
        load_own_backbone(config.backbone, config)


def test_another_size_is_told(preset):
    with pytest.raises(
        InputError, match=r"takes images of 32 x 40 pixels .*add --set model\.height=32 --set model\.width=40"
    ):
        load_hub_backbone(str(preset), 224, 224)


def test_the_precision_of_a_run_reaches_the_preset_but_not_its_scaling(preset):
    config = dataclasses.replace(MODEL, backbone=f"keras_hub:{preset}", weights="imagenet", precision="mixed_bfloat16")
    encoder = load_own_backbone(config.backbone, config)
    assert encoder.get_layer("scale_pixels").compute_dtype == "float32"
    assert encoder.output.dtype == "bfloat16"


def test_what_scales_the_pixels_must_be_there(tmp_path):
    vit().save_to_preset(str(tmp_path))
    with pytest.raises(InputError, match="with its backbone and its image converter, which says how pixels are scaled"):
        load_hub_backbone(str(tmp_path), SIZE, SIZE)


def test_a_preset_of_something_else_is_refused(tmp_path):
    keras_hub.models.DistilBertBackbone(20, 1, 2, 8, 16).save_to_preset(str(tmp_path))
    keras_hub.layers.ImageConverter().save_to_preset(str(tmp_path))
    with pytest.raises(InputError, match="of an image encoder, such as SigLIP, CLIP, DINOv2, ViT or ResNet"):
        load_hub_backbone(str(tmp_path), SIZE, SIZE)


def test_a_download_that_fails_is_told_in_one_line(monkeypatch):
    def fail(preset, **arguments):
        raise ConnectionError("no\n network")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", fail)
    with pytest.raises(
        VidmodelError, match=r"keras_hub:vit_base: the preset cannot be loaded \(no network\)"
    ) as caught:
        load_hub_backbone("vit_base", SIZE, SIZE)
    assert not isinstance(caught.value, InputError)


def test_without_the_extra_a_run_says_what_to_install(preset, monkeypatch):
    stored = serialize_encoder(load_hub_backbone(str(preset), 32, 40))
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(InputError, match=r'the layers of backbone\.json need keras_hub, .* "vidmodel_tf\[hub\]"'):
        rebuild_encoder(stored, 32, 40, precision="float32", subject="backbone.json")
    with pytest.raises(InputError, match=r'backbones of KerasHub need keras_hub, .* "vidmodel_tf\[hub\]"'):
        load_hub_backbone("vit_base", SIZE, SIZE)
