import keras
import numpy as np
import pytest

from vidmodel_tf.backend.devices import find_devices
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.training.history import Epoch
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.state import TrainingState


def dropped(seed, epoch, tmp_path):
    layers = [keras.layers.Dropout(0.5, name=name) for name in ("a", "b")]
    inputs = keras.Input((64,))
    inner = keras.Model(inputs, layers[1](inputs))
    model = keras.Model(inputs, [layers[0](inputs), inner(inputs)])
    callback = StageProgress(tmp_path, TrainingState(), patience=1, seed=seed, devices=find_devices(1))
    callback.set_model(model)
    callback.on_epoch_begin(epoch)
    return [layer(np.ones((1, 64)), training=True).numpy().tobytes() for layer in layers]


def test_each_layer_seed_and_epoch_has_a_dropout_of_its_own(tmp_path):
    results = [dropped(seed, epoch, tmp_path) for seed in (0, 1) for epoch in (0, 1)]
    assert dropped(1, 0, tmp_path) == results[2]
    assert len({mask for masks in results for mask in masks}) == 8


def fit(tmp_path, state, learning_rates):
    """A model of one weight, 1, that should become 0; learning rates by epoch, of which negative ones harm."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: learning_rates[epoch])
    progress = StageProgress(tmp_path, state, patience=2, seed=0, devices=find_devices(1))
    data = (np.ones((1, 1)), np.zeros((1, 1)))
    model.fit(*data, validation_data=data, epochs=len(learning_rates), verbose=0, callbacks=[rates, progress])
    return model


def test_the_best_weights_are_kept_and_patience_ends_the_stage(tmp_path):
    state = TrainingState(stage="scratch")
    model = fit(tmp_path, state, [0.1, 0.1, -0.1, -0.1, 0.1])
    assert len(state.history) == 4  # two epochs without a gain after the second
    losses = [epoch.values["val_loss"] for epoch in state.history]
    assert {path.name for path in (tmp_path / "checkpoints").glob("*.h5")} == {
        "scratch-last-00003.weights.h5", "scratch-best-00001.weights.h5",
    }  # fmt: skip
    model.load_weights(tmp_path / "checkpoints" / state.best_weights)
    assert float(model.layers[-1].kernel[0, 0]) ** 2 == pytest.approx(min(losses), rel=1e-6)
    assert TrainingState.load(tmp_path) == state


def test_a_stage_that_gains_nothing_keeps_the_weights_that_it_began_with(tmp_path):
    before = {"loss": 0.0, "val_loss": 0.0}
    state = TrainingState(stage="fine_tune", finished_stages=["frozen"], history=[Epoch(0, "frozen", before)])
    model = fit(tmp_path, state, [0.1])
    model.load_weights(tmp_path / "checkpoints" / state.best_weights)
    assert float(model.layers[-1].kernel[0, 0]) == 1.0


def test_a_loss_that_is_no_number_ends_training(tmp_path):
    with pytest.raises(VidmodelError, match=r"loss became (inf|nan) in epoch .: try a lower train\.learning_rate"):
        fit(tmp_path, TrainingState(stage="scratch"), [1e30, 1e30])
