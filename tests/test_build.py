"""The whole graph: what it promises about streams, masks, precision, training stages and weights."""

from __future__ import annotations

import dataclasses
import functools

import keras
import numpy as np
import pytest

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.backbones import BACKBONES
from vidmodel_tf.model.build import build_encoded_model, build_frame_encoder, build_model
from vidmodel_tf.model.cut import build_cut_model, split_backbone
from vidmodel_tf.model.trainable import adapt_standardisation, backbone_of, set_trainable
from vidmodel_tf.model.weights import load_weights

# Keras 3.15 copies its variables in a way that NumPy 2 will refuse one day.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

LOSSES = {"kind": "sparse_categorical_crossentropy", "tags": "mse"}
TRUTH = {"kind": np.array([0, 1, 2]), "tags": np.ones((3, 2))}
LABELS = Labels({"kind": ["a", "b", "c"], "tags": ["x", "y"]}, multi_label=["tags"])
T, L, F = 4, 6, 128  # F of small_cnn
VOCABULARY_SIZE = 20
# the same float32 graph cut in another place, or run on another batch size: sums in another order
ATOL = 1e-5


def small_config(**changes) -> ModelConfig:
    settings = {
        "backbone": "small_cnn", "weights": "none", "num_frames": T, "height": 32, "width": 40, "num_tokens": L,
        "projection_units": 16, "lstm_units": 8, "embedding_units": 8, "text_lstm_units": 8, "hidden_units": 8,
    }  # fmt: skip
    return ModelConfig(**{**settings, **changes})


def make_model(config: ModelConfig, labels=LABELS, seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_model(config, labels, VOCABULARY_SIZE)


def make_inputs(num_clips: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    token_ids = np.array([[1, 2, 0, 0, 0, 0], [0] * L, [5, 6, 7, 8, 9, 10]], np.int32)[:num_clips]
    return {"frames": rng.integers(0, 256, (num_clips, T, 32, 40, 3), dtype=np.uint8), "token_ids": token_ids}


def answers(model: keras.Model, inputs):
    """As arrays; op by op, which takes less time than making a graph for a few clips."""
    return keras.tree.map_structure(np.array, model(inputs, training=False))


def assert_same_scores(one: dict, other: dict, atol: float = ATOL) -> None:
    assert set(one) == set(other)
    for head, scores in one.items():
        np.testing.assert_allclose(scores, other[head], atol=atol, err_msg=head)


each_streams = pytest.mark.parametrize(
    "streams", ["both", *(pytest.param(name, marks=pytest.mark.slow) for name in ("appearance", "motion"))]
)


@each_streams
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_shapes_and_dtypes_are_those_of_the_contract_in_every_precision(streams, precision):
    model = make_model(small_config(streams=streams, precision=precision, num_layers=2))
    num_streams = 2 if streams == "both" else 1
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in model.input.items()} == {
        "frames": ((None, T, 32, 40, 3), "uint8"),
        "token_ids": ((None, L), "int32"),
    }
    scores = answers(model, make_inputs())
    assert {head: (values.shape, values.dtype) for head, values in scores.items()} == {
        "kind": ((3, 3), np.float32),
        "tags": ((3, 2), np.float32),
    }
    # a softmax in float32, whatever came before it
    np.testing.assert_allclose(scores["kind"].sum(axis=1), 1.0, atol=1e-6)
    assert not np.allclose(scores["tags"].sum(axis=1), 1.0, atol=1e-3)
    assert model.get_layer("frame_encoder").output_shape == (None, None, num_streams * F)
    assert model.get_layer("projection").output_shape == (None, None, num_streams * 16)
    assert model.get_layer("head").input["features"].shape == (None, T, num_streams * 16)
    assert model.get_layer("frame_encoder").output.dtype == model.get_layer("projection").output.dtype == "float32"


def layers_with_weights(model: keras.Model) -> dict[str, keras.Layer]:
    parts = [backbone_of(model), model.get_layer("projection"), model.get_layer("head")]
    return {layer.name: layer for part in parts for layer in part.layers if layer.weights}


def test_precision_reaches_every_layer_but_standardisation_and_scores():
    before = keras.config.dtype_policy().name
    model = make_model(small_config(streams="both", precision="mixed_bfloat16"))
    assert keras.config.dtype_policy().name == before
    exact = {name for name, layer in layers_with_weights(model).items() if layer.compute_dtype == "float32"}
    assert exact == {"appearance_standardization", "motion_standardization", "kind", "tags"}
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}


def test_half_precision_scores_stay_near_those_in_float32():
    inputs = make_inputs()
    config = small_config(streams="both")
    exact = answers(make_model(config), inputs)
    half = answers(make_model(small_config(streams="both", precision="mixed_bfloat16")), inputs)
    # 8 bits of mantissa through about ten layers
    assert_same_scores(exact, half, atol=0.03)


@pytest.mark.slow
@each_streams
def test_sub_models_compose_to_the_whole_and_share_its_weights(streams):
    config = small_config(streams=streams)
    model, inputs = make_model(config), make_inputs()
    backbone_output = answers(model.get_layer("frame_encoder"), inputs["frames"])
    encoded_model = build_encoded_model(model, config)
    encoded_inputs = {"encodings": backbone_output, "token_ids": inputs["token_ids"]}
    whole = answers(model, inputs)
    assert_same_scores(answers(encoded_model, encoded_inputs), whole)
    features = answers(model.get_layer("projection"), backbone_output)
    head = model.get_layer("head")
    assert_same_scores(answers(head, {"features": features, "token_ids": inputs["token_ids"]}), whole)
    encoded_model.compile("sgd", LOSSES, run_eagerly=True)
    encoded_model.fit(encoded_inputs, TRUTH, verbose=0)
    assert not np.allclose(answers(model, inputs)["tags"], whole["tags"], atol=1e-4)


@each_streams
def test_frames_encoded_in_pieces_are_those_encoded_at_once(streams):
    config = small_config(streams=streams)
    model = make_model(config)
    encoder, frames = model.get_layer("frame_encoder"), make_inputs(2)["frames"]
    whole = answers(encoder, frames)
    for slot in range(1, T):
        piece = answers(encoder, frames[:, slot - 1 : slot + 1])  # a stream's frame and the one before it
        np.testing.assert_allclose(piece[:, 1], whole[:, slot], atol=1e-4)  # values of order 1 to 10
    one_by_one = build_frame_encoder(config, backbone_of(model), previous_given=True)
    pairs = {"frames": frames[:, 1:], "previous_frames": frames[:, :-1]}
    np.testing.assert_allclose(answers(one_by_one, pairs), whole[:, 1:], atol=1e-4)


def test_motion_is_the_backbone_on_amplified_differences_with_the_same_weights():
    both = make_model(small_config(streams="both", motion_gain=2.0))
    appearance = make_model(small_config())
    for one, other in zip(backbone_of(appearance).weights, backbone_of(both).weights, strict=True):
        one.assign(other)
    frames = make_inputs()["frames"]
    differences = np.abs(frames[:, 1:].astype(int) - frames[:, :-1].astype(int))
    motion = np.clip(2 * differences, 0, 255).astype(np.uint8)
    outputs = answers(both.get_layer("frame_encoder"), frames)
    encoder = appearance.get_layer("frame_encoder")
    np.testing.assert_allclose(outputs[..., :F], answers(encoder, frames), atol=1e-4)
    np.testing.assert_allclose(outputs[:, 1:, F:], answers(encoder, motion), atol=1e-4)
    assert not outputs[:, 0, F:].any()


@pytest.mark.parametrize("streams", ["motion", "both"])
def test_slots_without_motion_are_exact_zeros_in_outputs_and_features(streams):
    model = make_model(small_config(streams=streams))
    nudge_biases(model)
    frames = make_inputs()["frames"]
    frames[1, 2] = frames[1, 1]
    outputs = answers(model.get_layer("frame_encoder"), frames)
    features = answers(model.get_layer("projection"), outputs)
    still = np.zeros((3, T), bool)
    still[:, 0] = still[1, 2] = True
    for values, size in ((outputs, F), (features, 16)):
        np.testing.assert_array_equal(~values[..., -size:].any(axis=-1), still)


def nudge_biases(model: keras.Model) -> None:
    """Zero features of a layer without bias would pass for masked ones."""
    for weight in model.trainable_weights:
        if weight.name == "bias":
            weight.assign(weight + 0.1)


def test_the_lstm_skips_slots_without_motion():
    config = small_config(streams="motion", num_layers=2)
    model = make_model(config)
    nudge_biases(model)
    inputs = make_inputs()
    features = answers(model.get_layer("projection"), answers(model.get_layer("frame_encoder"), inputs["frames"]))
    head = model.get_layer("head")

    def scores(values):
        return answers(head, {"features": values, "token_ids": inputs["token_ids"]})

    def with_pause(position):  # slots 1 and 2 with a motionless slot in another place
        slots = [features[:, 1], features[:, 2]]
        slots.insert(position, np.zeros_like(slots[0]))
        return np.stack([np.zeros_like(slots[0]), *slots], axis=1)

    expected = scores(with_pause(0))
    assert_same_scores(scores(with_pause(1)), expected)
    assert_same_scores(scores(with_pause(2)), expected)
    assert np.abs(scores(with_pause(0)[:, ::-1])["kind"] - expected["kind"]).max() > 1e-4, "order must count"


@pytest.mark.parametrize("streams", ["motion", pytest.param("both", marks=pytest.mark.slow)])
def test_clips_without_any_motion_are_answered_and_trained_on(streams):
    model = make_model(small_config(streams=streams, num_layers=2))
    inputs = make_inputs()
    inputs["frames"][:] = inputs["frames"][:, :1]
    scores = answers(model, inputs)
    assert all(np.isfinite(values).all() for values in scores.values())
    model.compile("adam", LOSSES, run_eagerly=True)
    history = model.fit(inputs, TRUTH, verbose=0, epochs=2).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_padding_changes_nothing_and_words_do():
    model = make_model(small_config())
    longer = make_model(small_config(num_tokens=L + 5))
    longer.set_weights(model.get_weights())
    inputs = make_inputs()
    padded = {**inputs, "token_ids": np.pad(inputs["token_ids"], ((0, 0), (0, 5)))}
    scores = answers(model, inputs)
    assert_same_scores(answers(longer, padded), scores)
    other_words = {**inputs, "token_ids": inputs["token_ids"][::-1]}
    assert np.abs(answers(model, other_words)["tags"] - scores["tags"]).max() > 1e-4


@each_streams
def test_every_frame_and_its_place_count(streams):
    model, inputs = make_model(small_config(streams=streams)), make_inputs()
    scores = answers(model, inputs)["tags"]
    reversed_scores = answers(model, {**inputs, "frames": inputs["frames"][:, ::-1]})["tags"]
    assert np.abs(scores - reversed_scores).max() > 1e-5
    for slot in range(T):
        changed = {**inputs, "frames": inputs["frames"].copy()}
        changed["frames"][:, slot] = 255 - changed["frames"][:, slot] // 2
        assert np.abs(answers(model, changed)["tags"] - scores).max() > 1e-6, slot


def test_another_number_of_frames_is_refused():
    model, inputs = make_model(small_config()), make_inputs()
    with pytest.raises(ValueError, match=r"expected shape=\(None, 4, 32, 40, 3\), found shape=\(3, 8, 32, 40, 3\)"):
        model.predict({**inputs, "frames": np.repeat(inputs["frames"], 2, axis=1)}, verbose=0)


def test_dropout_stands_before_the_lstms_and_before_the_heads():
    model = make_model(small_config(streams="both", dropout=0.4))
    rates = {layer.name: layer.rate for layer in model.get_layer("head").layers if hasattr(layer, "rate")}
    assert rates == dict.fromkeys(("appearance.dropout", "motion.dropout", "text.dropout", "hidden.dropout"), 0.4)


def test_compile_names_losses_weights_and_metrics_by_head():
    model, inputs = make_model(small_config()), make_inputs()
    model.compile(
        "adam",
        loss={"kind": "sparse_categorical_crossentropy", "tags": "binary_crossentropy"},
        weighted_metrics={"kind": ["accuracy"], "tags": ["mae"]},
        jit_compile=False,
    )
    weights = {"kind": np.array([1.0, 0.0, 1.0]), "tags": np.zeros(3)}
    labels = {"kind": np.array([0, 1, 2]), "tags": np.ones((3, 2))}
    results = model.evaluate(inputs, labels, sample_weight=weights, verbose=0, return_dict=True)
    assert set(results) == {"loss", "kind_loss", "tags_loss", "kind_accuracy", "tags_mae"}
    scores = answers(model, inputs)["kind"]
    expected = -(np.log(scores[0, 0]) + np.log(scores[2, 2])) / 3
    assert results["kind_loss"] == pytest.approx(expected, rel=1e-5)
    assert results["tags_loss"] == 0


def test_any_head_name_of_the_contract_is_possible():
    names = ("head", "projection", "frame_encoder", "hidden", "dense", "motion", "lstm", "dropout", "concatenate")
    model = make_model(small_config(streams="both"), {name: ["no", "yes"] for name in names})
    assert set(answers(model, make_inputs())) == set(names)


def test_labels_that_make_no_model_are_refused():
    for labels, message in [
        ({}, "expected at least one head"),
        ({"Kind": ["a", "b"]}, r"a head's name of small letters, digits and '_', .*Received: 'Kind'"),
        ({"text": ["a", "b"]}, r"labels: the head's name 'text' is reserved"),
        ({"kind": ["a"]}, r"expected 2 classes or more for 'kind'. Received: \['a'\]"),
        (Labels({"tags": []}, ["tags"]), "expected 1 classes or more for 'tags'"),
    ]:
        with pytest.raises(InputError, match=message):
            build_model(small_config(), labels, VOCABULARY_SIZE)


def test_backbone_weights_are_left_out_on_request(monkeypatch):
    def fail(*_args, **_kwargs):
        raise AssertionError("downloads")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", fail)
    config = small_config(backbone="mobilenet_v2", weights="imagenet")
    model = build_model(config, LABELS, VOCABULARY_SIZE, load_backbone_weights=False)
    assert model.get_layer("frame_encoder").get_layer("backbone").inference_only


def small_cnn_with_batch_norm(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    x = inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3, 2, name="block_3_conv")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name="small_cnn")


@pytest.mark.parametrize("weights", ["imagenet", "none"])
def test_batch_norm_of_a_pretrained_backbone_never_moves(monkeypatch, weights):
    entry = dataclasses.replace(BACKBONES["small_cnn"], build=small_cnn_with_batch_norm)
    monkeypatch.setitem(BACKBONES, "small_cnn", entry)
    config = small_config(weights=weights)
    model = build_model(config, LABELS, VOCABULARY_SIZE, load_backbone_weights=False)
    set_trainable(backbone_of(model), backbone_of(model))
    norm = backbone_of(model).get_layer("norm")
    before = norm.get_weights()
    model.compile("sgd", LOSSES, run_eagerly=True)
    model.fit(make_inputs(), TRUTH, verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, norm.get_weights(), strict=True)]
    assert changed == [True, True, weights == "none", weights == "none"]  # gamma, beta, moving mean and variance


def trained_part(part: keras.Model | None) -> tuple[set[str], set[str]]:
    model = built_once()
    set_trainable(backbone_of(model), part)
    trained = {weight.path for weight in model.trainable_weights}
    backbone = {weight.path for weight in backbone_of(model).weights}
    head = {weight.path for weight in model.trainable_weights} - backbone
    assert {"kind/kernel", "text.lstm/lstm_cell/kernel", "appearance_projection/kernel"} <= head
    return {path.split("/")[0] for path in trained & backbone}, {path.split("/")[0] for path in backbone}


@functools.cache
def built_once() -> keras.Model:
    return make_model(small_config())


def test_each_stage_trains_its_part_of_the_backbone():
    backbone = backbone_of(built_once())
    everything = trained_part(backbone)[1]
    assert trained_part(None)[0] == set()
    assert trained_part(split_backbone(backbone, "block_3_conv")[1])[0] == {"block_3_conv"}
    assert trained_part(None)[0] == set()
    assert trained_part(split_backbone(backbone, "block_1_conv")[1])[0] == everything - {"block_0_conv"}
    assert trained_part(backbone)[0] == everything


def backbone_outputs(num_clips: int = 40) -> np.ndarray:
    """Both streams, far from zero (where a one-pass variance in float32 would fail), some slots without motion."""
    rng = np.random.default_rng(0)
    outputs = 1000 + rng.normal(size=(num_clips, T, 2 * F)) * np.linspace(0.5, 2, 2 * F)
    outputs[:, 0, F:] = 0
    outputs[::3, 2, F:] = 0
    return outputs.astype(np.float32)


def test_standardisation_takes_mean_and_variance_of_the_slots_that_count():
    model = make_model(small_config(streams="both"))
    outputs = backbone_outputs()
    adapt_standardisation(model, (batch for batch in np.split(outputs, [1, 8, 33])))
    appearance = outputs[..., :F].reshape(-1, F).astype(np.float64)
    motion = outputs[..., F:].reshape(-1, F).astype(np.float64)
    motion = motion[motion.any(axis=1)]
    for name, rows in (("appearance", appearance), ("motion", motion)):
        layer = model.get_layer("projection").get_layer(f"{name}_standardization")
        # stored as float32, computed in float64
        np.testing.assert_allclose(layer.mean, rows.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(layer.variance, rows.var(axis=0), rtol=1e-5)


def test_a_feature_that_never_varied_is_not_blown_up():
    model = make_model(small_config())
    outputs = np.random.default_rng(0).normal(size=(8, T, F)).astype(np.float32)
    outputs[..., 5] = 0.25
    adapt_standardisation(model, [outputs])
    layer = model.get_layer("projection").get_layer("appearance_standardization")
    probe = np.full((1, 1, F), 0.25, np.float32)
    probe[..., 5] = 1.25
    assert 10 < np.asarray(layer(probe))[0, 0, 5] < 200  # 1 % of the usual deviation of 1, so about 100
    adapt_standardisation(model, [np.ones((2, T, F), np.float32)])
    np.testing.assert_array_equal(layer.variance, np.ones(F))


def test_standardisation_without_anything_to_learn_from():
    model = make_model(small_config(streams="both"))
    outputs = backbone_outputs(2)
    outputs[..., F:] = 0
    adapt_standardisation(model, [outputs])
    np.testing.assert_array_equal(
        model.get_layer("projection").get_layer("motion_standardization").variance, np.ones(F)
    )
    with pytest.raises(InputError, match=r"appearance_standardization: expected finite .* Received: 0 slots"):
        adapt_standardisation(model, [])
    outputs[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="expected finite backbone outputs"):
        adapt_standardisation(model, [outputs])


@pytest.mark.slow
def test_saved_weights_keep_the_standardisation_in_a_rebuilt_model(tmp_path):
    config = small_config(streams="both", bidirectional=True, pooling="attention")
    model, inputs = make_model(config), make_inputs()
    rebuilt = make_model(config, seed=1)
    before = answers(rebuilt, inputs)
    adapt_standardisation(model, [answers(model.get_layer("frame_encoder"), inputs["frames"])])
    expected = answers(model, inputs)
    model.save(tmp_path / "model.keras")
    load_weights(rebuilt, tmp_path / "model.keras")
    assert np.abs(before["kind"] - expected["kind"]).max() > 1e-3
    assert_same_scores(answers(rebuilt, inputs), expected, atol=0)
    assert_same_scores(answers(keras.saving.load_model(tmp_path / "model.keras"), inputs), expected, atol=0)


def test_weights_of_another_model_are_refused_by_name(tmp_path):
    path = tmp_path / "model.keras"
    make_model(small_config()).save(path)
    for changes, message in [
        (
            {"projection_units": 12},
            r"expected appearance_projection/kernel of shape \[128, 12\]. "
            r"Received: appearance_projection/kernel of shape \[128, 16\]",
        ),
        ({"streams": "motion"}, r"expected motion_standardization/mean .* Received: appearance_standardization/mean"),
        ({"num_layers": 2}, r"expected appearance\.lstm_1/lstm_cell/kernel .* Received: text\.lstm/lstm_cell"),
    ]:
        with pytest.raises(InputError, match=message):
            load_weights(make_model(small_config(**changes)), path)
    with pytest.raises(InputError, match=r"expected no further weights\. Received: mood/kernel of shape"):
        make_model(small_config(), {"kind": ["a", "b", "c"], "mood": ["x", "y"]}).save(path)
        load_weights(make_model(small_config(), {"kind": ["a", "b", "c"]}), path)


def test_files_that_are_no_model_are_refused(tmp_path):
    model = built_once()
    with pytest.raises(InputError, match="no such file"):
        load_weights(model, tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="expected a Keras model in") as caught:
        load_weights(model, tmp_path / "model.keras")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("backbone", "dtype"), [("small_cnn", "bfloat16"), ("file:00", "float32")])
def test_a_backbone_of_ones_own_gets_its_inputs_in_float32_above_a_cut_too(backbone, dtype):
    config = small_config(precision="mixed_bfloat16", backbone=backbone)
    model = build_model(small_config(precision="mixed_bfloat16"), LABELS, VOCABULARY_SIZE)
    cut = build_cut_model(model, config, split_backbone(backbone_of(model), "block_3_conv")[1])
    assert cut.get_layer("upper_backbone").compute_dtype == dtype


@each_streams
def test_a_cut_model_gives_what_the_whole_gives_and_shares_its_weights(streams):
    config = small_config(streams=streams, weights="imagenet")
    keras.utils.set_random_seed(0)
    model, inputs = build_model(config, LABELS, VOCABULARY_SIZE, load_backbone_weights=False), make_inputs()
    inputs["frames"][1, 2] = inputs["frames"][1, 1]  # a slot without motion
    lower, upper = split_backbone(backbone_of(model), "block_2_conv")
    activations = answers(build_frame_encoder(config, lower), inputs["frames"])
    assert activations.shape == (3, T, 8, 10, 64 * (2 if streams == "both" else 1))
    cut = build_cut_model(model, config, upper)
    cut_inputs = {"activations": activations, "token_ids": inputs["token_ids"]}
    whole = answers(model, inputs)
    assert_same_scores(answers(cut, cut_inputs), whole)
    set_trainable(backbone_of(model), upper)
    before = {weight.path: np.array(weight) for weight in backbone_of(model).weights}
    cut.compile("sgd", LOSSES, run_eagerly=True)
    cut.fit(cut_inputs, TRUTH, verbose=0)
    changed = {weight.path for weight in backbone_of(model).weights if not np.array_equal(before[weight.path], weight)}
    assert {path.split("/")[0] for path in changed} == {"block_2_conv", "block_3_conv"}
    assert not np.allclose(answers(model, inputs)["tags"], whole["tags"], atol=1e-4)


def test_a_layer_that_connections_lead_past_is_no_place_to_cut():
    inputs = x = keras.Input((8, 8, 3))
    for name in ("first", "second"):
        x = keras.layers.Conv2D(3, 1, name=name)(x)
    x = keras.layers.Add(name="add")([inputs, x])
    backbone = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="pool")(x), name="residual")
    assert [part.name for part in split_backbone(backbone, "pool")] == ["residual_below_pool", "upper_backbone"]
    with pytest.raises(InputError, match=r"a layer of residual that all connections lead through.* 'second', which"):
        split_backbone(backbone, "second")
    with pytest.raises(InputError, match=r"all connections lead through.* 'add', which"):
        split_backbone(backbone, "add")  # it has two inputs


def test_unknown_layers_to_start_from_are_answered_with_near_ones():
    backbone = backbone_of(built_once())
    with pytest.raises(
        InputError, match=r"layer of small_cnn; the nearest are block_3_conv, .*Received: 'block3_conv'"
    ):
        split_backbone(backbone, "block3_conv")
    with pytest.raises(InputError, match="the last are block_2_conv, block_3_conv, average_pool"):
        split_backbone(backbone, "zzz")


@pytest.mark.parametrize("branches", ["video", "text"])
def test_a_model_of_one_branch_takes_both_inputs_and_uses_one(branches):
    config = small_config(branches=branches)
    model, inputs = make_model(config), make_inputs()
    assert set(model.input) == {"frames", "token_ids"}
    scores = answers(model, inputs)
    rng = np.random.default_rng(1)
    others = {
        "frames": rng.integers(0, 256, inputs["frames"].shape, dtype=np.uint8),
        "token_ids": rng.integers(3, VOCABULARY_SIZE, inputs["token_ids"].shape, dtype=np.int32),
    }
    unused, used = ("token_ids", "frames") if branches == "video" else ("frames", "token_ids")
    assert_same_scores(answers(model, {**inputs, unused: others[unused]}), scores, atol=0)
    assert not np.allclose(answers(model, {**inputs, used: others[used]})["tags"], scores["tags"], atol=1e-4)
    encoded_model = build_encoded_model(model, config)
    assert set(encoded_model.input) == {"token_ids"} | ({"encodings"} if branches == "video" else set())


POOLINGS = [(True, "last"), (False, "both"), (True, "attention")]


def scores_of(model: keras.Model, features: np.ndarray) -> np.ndarray:
    token_ids = make_inputs(1)["token_ids"]
    return answers(model.get_layer("head"), {"features": features, "token_ids": token_ids})["tags"]


@pytest.mark.parametrize(("bidirectional", "pooling"), POOLINGS)
def test_slots_without_motion_are_skipped_by_every_pooling(bidirectional, pooling):
    model = make_model(small_config(streams="motion", bidirectional=bidirectional, pooling=pooling))
    first, second = np.random.default_rng(0).normal(size=(2, 16))
    nothing = np.zeros(16)
    gap_inside = scores_of(model, np.stack([nothing, first, nothing, second])[np.newaxis])
    gap_after = scores_of(model, np.stack([nothing, first, second, nothing])[np.newaxis])
    np.testing.assert_allclose(gap_inside, gap_after, atol=ATOL)
    assert not np.allclose(
        gap_inside, scores_of(model, np.stack([nothing, nothing, first, first])[np.newaxis]), atol=1e-5
    )
    assert np.isfinite(scores_of(model, np.zeros((1, T, 16)))).all()


@each_streams
@pytest.mark.parametrize(("bidirectional", "pooling"), POOLINGS)
def test_every_pooling_reads_the_order(streams, bidirectional, pooling):
    model = make_model(small_config(streams=streams, bidirectional=bidirectional, pooling=pooling))
    features = np.random.default_rng(0).normal(size=(1, T, 16 * (2 if streams == "both" else 1)))
    features[:, 0, -16:] = 0  # what the first slot of a motion stream holds
    backwards = np.concatenate([features[:, :1], features[:, :0:-1]], axis=1)
    assert not np.allclose(scores_of(model, backwards), scores_of(model, features), atol=1e-5)


def test_the_mean_stands_beside_the_last_state():
    model = make_model(small_config(streams="motion", branches="video", pooling="both", hidden_units=0))
    head = model.get_layer("head")
    parts = [head.get_layer(name).output for name in ("motion.concatenate", "motion.lstm_0")]
    branch = keras.Model(head.input["features"], parts)
    features = np.random.default_rng(0).normal(size=(1, T, 16)).astype(np.float32)
    features[:, [0, 2]] = 0  # slots without motion
    found, last = answers(branch, features)
    np.testing.assert_array_equal(found[:, :8], last)
    np.testing.assert_allclose(found[:, 8:], features[:, [1, 3]].mean(axis=1), atol=ATOL)


def test_without_a_hidden_layer_all_classes_score_alike_before_training():
    config = small_config(branches="video", hidden_units=0)
    scores = answers(build_model(config, LABELS, VOCABULARY_SIZE), make_inputs())
    np.testing.assert_allclose(scores["kind"], 1 / 3, atol=ATOL)
    np.testing.assert_allclose(scores["tags"], 1 / 2, atol=ATOL)


def test_a_bidirectional_lstm_reads_both_ways():
    config = small_config(bidirectional=True, num_layers=2)
    head = make_model(config).get_layer("head")
    assert [head.get_layer(f"appearance.bidirectional_{number}").output.shape[-1] for number in range(2)] == [16, 16]
    # Of the forward half alone, the first step's output would not know the last step.
    steps = keras.Model(head.input["features"], head.get_layer("appearance.bidirectional_0").output)
    features = np.random.default_rng(0).normal(size=(1, T, 16))
    changed = features.copy()
    changed[:, -1] += 1
    assert not np.allclose(answers(steps, features)[:, 0], answers(steps, changed)[:, 0], atol=1e-5)


@pytest.mark.slow
def test_averaged_networks_share_the_backbone_and_nothing_else(tmp_path):
    config = small_config(streams="both", ensemble_size=3, bidirectional=True, pooling="attention")
    model, inputs = make_model(config), make_inputs()
    projection, head = model.get_layer("projection"), model.get_layer("head")
    features = answers(projection, answers(model.get_layer("frame_encoder"), inputs["frames"]))
    assert features.shape == (3, T, 3 * 2 * config.projection_units)
    outputs = {net: head.get_layer(f"net_{net}.kind").output for net in range(3)}
    parts = answers(keras.Model(head.input, outputs), {"features": features, "token_ids": inputs["token_ids"]})
    assert np.abs(parts[0] - parts[1]).max() > 1e-3
    assert_same_scores({"kind": answers(model, inputs)["kind"]}, {"kind": np.mean(list(parts.values()), axis=0)})
    model.save(tmp_path / "model.keras")
    rebuilt = make_model(config, seed=1)
    load_weights(rebuilt, tmp_path / "model.keras")
    assert_same_scores(answers(rebuilt, inputs), answers(model, inputs), atol=0)


@pytest.mark.slow
def test_each_averaged_network_learns_from_its_own_clips():
    model = make_model(small_config(branches="text", ensemble_size=2))
    before = {weight.path: weight.numpy() for weight in model.trainable_weights}
    model.compile("sgd", LOSSES, jit_compile=False)
    model.fit(make_inputs(1), {head: truth[:1] for head, truth in TRUTH.items()}, verbose=0)
    # each head draws for itself, so of two networks one or both have learnt from the one clip
    changed = {path for weight in model.trainable_weights if np.any(before[path := weight.path] != weight.numpy())}
    heads = {path.split("/")[0] for path in changed if path.split("/")[0] in ("net_0.kind", "net_1.kind")}
    assert len(heads) == 1


def test_without_a_hidden_layer_frames_and_words_are_added_up():
    model = make_model(small_config(hidden_units=0))
    assert not any("hidden.dense" in weight.path for weight in model.weights)
    kernel = next(weight for weight in model.weights if weight.path.endswith("kind/kernel"))
    kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    inputs = make_inputs(2)
    # frames 0, 0, 1, 1 with words 0, 1, 0, 1
    crossed = {"frames": inputs["frames"][[0, 0, 1, 1]], "token_ids": inputs["token_ids"][[0, 1, 0, 1]]}
    # Differences between classes, because a softmax hides a number that is added to all of them.
    log_odds = np.diff(np.log(answers(model, crossed)["kind"]))
    by_words = log_odds[[1, 3]] - log_odds[[0, 2]]
    assert np.abs(by_words).max() > 0.01
    np.testing.assert_allclose(by_words[0], by_words[1], atol=1e-4)
