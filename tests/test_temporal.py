"""What reads the frames in order: LSTM, GRU and transformer, each alone and inside the whole model."""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
import pytest

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.layers import SlotMask
from vidmodel_tf.model.temporal import temporal_branch
from vidmodel_tf.model.transformer import LastSlot, LearnedPositions
from vidmodel_tf.model.weights import load_weights

T, D, U = 6, 5, 8
# float32 sums of a few dozen numbers of order 1, in another order where there are more slots
ATOL = 2e-6

each_temporal = pytest.mark.parametrize("temporal", ["lstm", "gru", "transformer"])
each_pooling = pytest.mark.parametrize("pooling", ["attention", "both"])  # "both" begins with what "last" is


def config_of(temporal: str, **changes) -> ModelConfig:
    common = {"backbone": "small_cnn", "weights": "none", "branches": "video", "hidden_units": 0, "num_layers": 2}
    sizes = {"num_frames": T, "height": 32, "width": 32, "projection_units": D, "lstm_units": U, "num_heads": 2}
    return ModelConfig(**{**common, **sizes, "temporal": temporal, **changes})


@functools.cache
def branch_of(temporal: str, pooling: str = "both", *, has_gaps: bool = True, num_slots: int = T) -> keras.Model:
    """Features [B, T, D] to the answer of one branch, with weights that differ from place to place."""
    keras.utils.set_random_seed(0)
    features = keras.Input((num_slots, D))
    model = keras.Model(features, temporal_branch(features, "some", has_gaps, config_of(temporal, pooling=pooling)))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) / np.sqrt(weight.shape[0]))
    return model


def answers(model: keras.Model, clips: np.ndarray) -> np.ndarray:
    return model(clips.astype(np.float32)).numpy()


@each_temporal
@each_pooling
def test_empty_slots_leave_no_trace_wherever_they_are(temporal, pooling):
    """Clips with every set of empty slots there is, and the same clips with the empty slots moved to the end."""
    masks = np.array(list(itertools.product([False, True], repeat=T)))
    with_gaps = np.random.default_rng(0).normal(size=(*masks.shape, D)) * masks[..., np.newaxis]
    packed = np.stack([clip[np.argsort(~mask, kind="stable")] for clip, mask in zip(with_gaps, masks, strict=True)])
    found = answers(branch_of(temporal, pooling), with_gaps)
    np.testing.assert_allclose(found, answers(branch_of(temporal, pooling), packed), atol=ATOL)
    np.testing.assert_array_equal(found[0], 0)  # nothing counts
    assert np.ptp(found, axis=0).min() > 0.01


@each_temporal
def test_a_padded_clip_is_answered_as_by_a_model_of_its_own_length(temporal):
    padded, exact = branch_of(temporal), branch_of(temporal, has_gaps=False, num_slots=4)
    for long, short in zip(padded.weights, exact.weights, strict=True):
        short.assign(long[: short.shape[0]])  # of the learned positions the first four
    clips = np.random.default_rng(0).normal(size=(8, 4, D))
    longer = np.concatenate([clips, np.zeros((8, 2, D))], axis=1)
    np.testing.assert_allclose(answers(padded, longer), answers(exact, clips), atol=ATOL)


@each_temporal
def test_every_order_of_frames_has_an_answer_of_its_own(temporal):
    clip = np.random.default_rng(0).normal(size=(T, D))
    orders = np.array(list(itertools.permutations(range(T))))
    found = answers(branch_of(temporal), clip[orders])[:, :U]  # without the mean, which knows no order
    nearest = np.partition(np.linalg.norm(found[:, np.newaxis] - found, axis=-1), 1, axis=1)[:, 1]
    assert nearest.min() > 1e-3


@each_temporal
def test_every_frame_counts(temporal):
    clip = np.random.default_rng(0).normal(size=(T, D))
    changed = clip * (1 - 2 * np.eye(T))[:, :, np.newaxis]
    assert (
        np.abs(answers(branch_of(temporal), changed) - answers(branch_of(temporal), clip[np.newaxis])).max(1).min()
        > 0.01
    )


@pytest.mark.slow
@pytest.mark.parametrize("temporal", ["gru", "transformer"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_it_trains_is_saved_and_rebuilt(temporal, precision, tmp_path):
    """Through the whole graph, with a clip without any motion, and to the last weight."""
    config = config_of(temporal, streams="motion", pooling="attention", num_layers=1, precision=precision)
    frames = np.random.default_rng(0).integers(0, 256, (4, T, 32, 32, 3), dtype=np.uint8)
    frames[1] = frames[1, :1]
    inputs = {"frames": frames, "token_ids": np.zeros((4, config.num_tokens), np.int32)}
    keras.utils.set_random_seed(0)
    model = build_model(config, {"kind": ["a", "b"]}, 10)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    losses = model.fit(inputs, {"kind": np.array([0, 1, 0, 1])}, epochs=3, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    # The bias of attention's keys shifts all scores of a query alike, which softmax takes back.
    idle = [
        weight.path
        for old, weight in zip(before, model.trainable_weights, strict=True)
        if np.array_equal(old, weight.numpy()) and not weight.path.endswith("/key/bias")
    ]
    assert idle == []
    model.save(tmp_path / "model.keras")
    rebuilt = build_model(config, {"kind": ["a", "b"]}, 10)
    load_weights(rebuilt, tmp_path / "model.keras")
    scores = model.predict(inputs, verbose=0)["kind"]
    assert np.ptp(scores, axis=0).max() > 1e-5
    np.testing.assert_array_equal(rebuilt.predict(inputs, verbose=0)["kind"], scores)


def test_weights_of_one_kind_are_not_those_of_another(tmp_path):
    labels = {"kind": ["a", "b"]}
    build_model(config_of("gru"), labels, 10).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match=r"expected appearance\.lstm_0/lstm_cell/kernel .* Received: .*\.gru_0/gru_"):
        load_weights(build_model(config_of("lstm"), labels, 10), tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bidirectional": True}, r"^bidirectional: expected false with temporal='transformer', .* Received: True$"),
        ({"num_heads": 3}, r"^num_heads: expected a divisor of lstm_units=8, .* Received: 3$"),
        ({"temporal": "rnn"}, r"^temporal: expected .*'lstm', 'gru'.*'transformer'.* Received: 'rnn'$"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        config_of(**{"temporal": "transformer", **changes})
    if "temporal" not in changes:
        config_of("gru", **changes)  # attention and its heads are no matter of a GRU


def test_a_slot_s_place_is_counted_among_those_that_count():
    layer = LearnedPositions()
    layer.build((None, 4, 1))
    layer.positions.assign([[10.0], [20.0], [30.0], [40.0]])
    inputs = np.zeros((2, 4, 1), np.float32)
    np.testing.assert_array_equal(layer(inputs)[0, :, 0], [10, 20, 30, 40])
    mask = np.array([[False, True, False, True], [True, True, True, False]])
    found = layer(inputs, mask=mask).numpy()[..., 0]
    np.testing.assert_array_equal(found[mask], [10, 20, 10, 20, 30])


def test_the_last_slot_is_the_last_that_counts():
    inputs = np.arange(1, 13, dtype=np.float32).reshape(3, 4, 1)
    mask = np.array([[True, False, True, False], [False] * 4, [True] * 4])
    np.testing.assert_array_equal(LastSlot()(inputs, mask=mask), [[3], [0], [12]])
    np.testing.assert_array_equal(LastSlot()(inputs), [[4], [8], [12]])


@pytest.mark.parametrize("make", [LearnedPositions, LastSlot])
def test_its_layers_say_their_shape_beforehand_and_survive_serialisation(make):
    features = keras.Input((T, D))
    model = keras.Model(features, make()(features, mask=SlotMask()(features)))
    values = np.random.default_rng(0).normal(size=(2, T, D)).astype(np.float32)
    values[0, 3:] = 0
    assert model.output_shape[1:] == model(values).shape[1:]
    rebuilt = keras.Model.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    np.testing.assert_array_equal(rebuilt(values), model(values))
