import keras
import numpy as np
import pytest

from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.training.losses import SmoothedSparseCategoricalCrossentropy, balanced_class_weights


def test_balanced_class_weights(data_set):
    labels = open_data_set(data_set).labels
    clips = open_data_set(data_set).clips
    weights = balanced_class_weights(clips, labels)
    assert list(weights) == ["colour"]
    counts = [sum(clip.labels["colour"] == name for clip in clips) for name in labels["colour"]]
    total = [weight * count for weight, count in zip(weights["colour"], counts, strict=True)]
    assert total == pytest.approx([sum(counts) / 2] * 2)  # every class counts the same, all together as before


def test_smoothed_loss_is_keras_s_on_one_hot_targets():
    scores = np.random.default_rng(0).dirichlet(np.ones(4), size=6).astype(np.float32)
    ids = np.array([0, 1, 2, 3, 0, 1])
    weights = np.array([1, 0, 2, 0.5, 1, 1], np.float32)
    for smoothing in (0.0, 0.1):
        expected = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)(np.eye(4)[ids], scores, weights)
        found = SmoothedSparseCategoricalCrossentropy(smoothing)(ids, scores, weights)
        assert float(found) == pytest.approx(float(expected), rel=1e-6)
