import dataclasses

import pytest

from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.run_folder.run import RunConfig
from vidmodel_tf.training.plan import is_refit, plan_stages

TRAIN = TrainConfig(epochs=7, learning_rate=0.5, fine_tune_learning_rate=0.25)
FINE_TUNED = dataclasses.replace(TRAIN, fine_tune_epochs=3)


@pytest.mark.parametrize(
    ("model", "train", "expected"),
    [
        (ModelConfig(branches="text"), TRAIN, [("scratch", "words", 7, 0.5)]),
        (ModelConfig(backbone="small_cnn", weights="none"), TRAIN, [("scratch", "pixels", 7, 0.5)]),
        (ModelConfig(), TRAIN, [("frozen", "encodings", 7, 0.5)]),
        (
            ModelConfig(),
            FINE_TUNED,
            [("frozen", "encodings", 7, 0.5), ("fine_tune", "activations", 3, 0.25)],
        ),
    ],
)
def test_stages_by_settings(model, train, expected):
    stages = plan_stages(RunConfig(model, train, PrepareConfig()), refit=False)
    found = [(stage.name, stage.inputs, stage.num_epochs, stage.learning_rate) for stage in stages]
    assert found == expected
    assert not any(stage.is_refit or is_refit(stage.name) for stage in stages)


def test_a_refit_repeats_all_stages_after_them():
    stages = plan_stages(RunConfig(ModelConfig(), FINE_TUNED, PrepareConfig()), refit=True)
    assert [stage.name for stage in stages] == ["frozen", "fine_tune", "frozen_refit", "fine_tune_refit"]
    for first, again in zip(stages[:2], stages[2:], strict=True):
        assert again.repeats == first.name
        assert again.is_refit and is_refit(again.name)
        assert (again.inputs, again.learning_rate) == (first.inputs, first.learning_rate)
