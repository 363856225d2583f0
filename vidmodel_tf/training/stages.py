"""The stages that a model is trained in, by plain `compile` and `fit`.

- "scratch": everything, on pixels (`weights="none"`) or on words alone.
- "frozen": all but a pretrained backbone, on its cached outputs.
- "fine_tune": the upper part of the backbone too, on the cached activations below it.

With `TrainConfig.refit` they follow once more ("scratch_refit", ...), from the initial weights, on the training and
validation clips together, each for as many epochs as were best.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import keras
import tensorflow as tf

from vidmodel_tf.model.backbones import find_backbone
from vidmodel_tf.model.build import build_feature_model
from vidmodel_tf.model.cut import build_cut_model, split_backbone
from vidmodel_tf.model.trainable import adapt_standardisation, backbone_of, set_trainable
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.pipeline import for_inference, for_training
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.training.feature_pipeline import features_for_inference, features_for_training
from vidmodel_tf.training.features import FeatureFiles, View, cached_features
from vidmodel_tf.training.losses import balanced_class_weights, compile_arguments
from vidmodel_tf.training.stage_progress import StageProgress, TrainingState

_REFIT = "_refit"


@dataclasses.dataclass(frozen=True)
class Job:
    """What all stages of one run share."""

    run: Run
    data: DataSet
    model: keras.Model
    state: TrainingState
    verbose: int | str
    refit: bool = False  # the second time, without validation clips

    @property
    def batch_size(self) -> int:
        return min(self.run.config.train.batch_size, self.count("train"))

    @property
    def class_weights(self) -> dict[str, list[float]]:
        """By head, of the training clips; empty where classes count as often as they come."""
        if not self.run.config.train.class_balance:
            return {}
        return balanced_class_weights(self.data.in_split("train"), self.run.labels)

    def count(self, split: str) -> int:
        """The number of clips in a split."""
        return self.data.count(split)


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage: what is trained, on what.

    Attributes:
        name: "scratch", "frozen" or "fine_tune", with "_refit" the second time.
        num_epochs: At most.
        learning_rate: Of its optimizer.
        model: What is trained; shares its layers with the whole model.
        training: The batches of all epochs from a given one on.
        inference: Every clip of a split once, as the model takes it.
    """

    name: str
    num_epochs: int
    learning_rate: float
    model: keras.Model
    training: Callable[[int], tf.data.Dataset]
    inference: Callable[[str], tf.data.Dataset]


def run_stages(job: Job) -> Stage:
    """Trains the model, going on from where `job.state` stands.

    Args:
        job: Its model has its initial weights.

    Returns:
        The last stage; its model holds the best weights of all stages, as the whole model does.
    """
    if not (job.run.config.train.refit and job.count("validation")):
        return _run_pass(job)
    initial_weights = job.model.get_weights()
    if not job.state.stage.endswith(_REFIT):
        _run_pass(job)
    job.model.set_weights(initial_weights)
    return _run_pass(dataclasses.replace(job, data=_with_validation_as_training(job.data), refit=True))


def _run_pass(job: Job) -> Stage:
    state = job.state
    builders = {name + _REFIT * job.refit: builder for name, builder in _stage_builders(job.run).items()}
    if job.refit:
        builders = {name: builder for name, builder in builders.items() if best_num_epochs(state, name)}
    finished_before = [name for name in builders if name in state.finished_stages and name != state.stage]
    for name, build_stage in builders.items():
        if name not in finished_before:  # a later stage's weights hold an earlier one's
            stage = build_stage(job)
            if job.refit:
                stage = dataclasses.replace(stage, name=name, num_epochs=best_num_epochs(state, name))
            _run_stage(job, stage)
    return stage


def _with_validation_as_training(data: DataSet) -> DataSet:
    return data.with_splits({clip.id: "train" if clip.split == "validation" else clip.split for clip in data.clips})


def best_num_epochs(state: TrainingState, refit_stage: str) -> int:
    """After how many epochs a stage had the lowest validation loss of all stages up to it; 0: it lowered nothing."""
    best, num_epochs, lowest = 0, 0, math.inf
    name = refit_stage.removesuffix(_REFIT)
    for row in state.history:
        num_epochs += row["stage"] == name
        if row.get("val_loss", math.inf) < lowest:
            lowest = row["val_loss"]
            best = num_epochs if row["stage"] == name else best
    return best


def fill_caches(run: Run, data: DataSet, model: keras.Model) -> None:
    """Computes for all clips of a data set whatever the stages of a run will look for in the feature cache.

    Args:
        run: What is to be trained.
        data: Its data set.
        model: Its model, with the pretrained weights.
    """
    builders = _stage_builders(run)
    cnns = [backbone_of(model)] if "frozen" in builders else []
    if "fine_tune" in builders:
        cnns.append(_split_at_cut(run, model)[0])
    for cnn in cnns:
        for split in data.split_names:
            cached_features(data, split, cnn, run.config.model, views=_training_views(run))


def check_cut(run: Run, model: keras.Model) -> None:
    """Refuses a `fine_tune_from` that the backbone cannot be cut at."""
    if "fine_tune" in _stage_builders(run):
        _split_at_cut(run, model)


def _stage_builders(run: Run) -> dict[str, Callable[[Job], Stage]]:
    if not run.config.model.has_frames:
        return {"scratch": _words_stage}
    if run.config.model.weights == "none":
        return {"scratch": _pixel_stage}
    if run.config.train.fine_tune_epochs:
        return {"frozen": _frozen_stage, "fine_tune": _fine_tune_stage}
    return {"frozen": _frozen_stage}


def _run_stage(job: Job, stage: Stage) -> None:
    state, run = job.state, job.run
    if state.stage != stage.name:
        state.stage, state.epochs_without_gain, state.last_weights = stage.name, 0, ""
        if not job.count("validation"):
            state.best_loss = None  # the training losses of two stages are of different inputs
    if stage.name not in state.finished_stages:
        _fit(job, stage)
        state.finished_stages.append(stage.name)
        state.save(run.path)
    stage.model.load_weights(run.path / layout.CHECKPOINTS / state.best_weights)


def _fit(job: Job, stage: Stage) -> None:
    run, state = job.run, job.state
    stage.model.compile(
        keras.optimizers.AdamW(stage.learning_rate, weight_decay=run.config.train.weight_decay, clipnorm=1.0),
        jit_compile=False,  # XLA's compilation costs more than it saves on a CPU
        **compile_arguments(
            run.labels, label_smoothing=run.config.train.label_smoothing, head_weights=run.config.train.head_weights
        ),
    )
    stage.model.optimizer.build(stage.model.trainable_variables)  # the weights files hold its state
    first_epoch = next((row["epoch"] for row in state.history if row["stage"] == stage.name), state.next_epoch)
    last_epoch = first_epoch + stage.num_epochs
    if state.epochs_without_gain >= run.config.train.patience or state.next_epoch >= last_epoch:
        return  # killed between the last epoch and the end of the stage
    has_validation = job.count("validation") > 0
    monitor = None if job.refit else "val_loss" if has_validation else "loss"
    stage.model.fit(
        stage.training(state.next_epoch),
        validation_data=stage.inference("validation") if has_validation else None,
        initial_epoch=state.next_epoch,
        epochs=last_epoch,
        steps_per_epoch=job.count("train") // job.batch_size,
        shuffle=False,  # the pipeline has shuffled
        verbose=job.verbose,
        callbacks=[
            StageProgress(run.path, state, monitor, run.config.train.patience, run.config.train.seed),
            keras.callbacks.TensorBoard(run.path / layout.LOGS / stage.name, write_graph=False),
        ],
    )


def _pixel_stage(job: Job) -> Stage:
    run = job.run
    backbone = backbone_of(job.model)
    set_trainable(backbone, backbone)

    def training(first_epoch: int) -> tf.data.Dataset:
        return for_training(
            job.data, run.config.model, run.vocabulary, run.config.train,
            class_weights=job.class_weights, first_epoch=first_epoch,
        )  # fmt: skip

    def inference(split: str) -> tf.data.Dataset:
        return for_inference(job.data, split, run.config.model, run.vocabulary, batch_size=job.batch_size)

    return Stage("scratch", run.config.train.epochs, run.config.train.learning_rate, job.model, training, inference)


def _words_stage(job: Job) -> Stage:
    train = job.run.config.train
    return _feature_stage(
        job,
        "scratch",
        train.epochs,
        train.learning_rate,
        build_feature_model(job.model, job.run.config.model),
        cnn=None,
    )


def _frozen_stage(job: Job) -> Stage:
    run = job.run
    backbone = backbone_of(job.model)
    set_trainable(backbone, None)
    model = build_feature_model(job.model, run.config.model)
    stage = _feature_stage(job, "frozen", run.config.train.epochs, run.config.train.learning_rate, model, backbone)
    adapt_standardisation(job.model, (inputs["backbone_output"].numpy() for inputs, _, _ in stage.inference("train")))
    return stage


def _fine_tune_stage(job: Job) -> Stage:
    run = job.run
    lower, upper = _split_at_cut(run, job.model)
    set_trainable(backbone_of(job.model), upper)
    model = build_cut_model(job.model, run.config.model, upper)
    return _feature_stage(
        job, "fine_tune", run.config.train.fine_tune_epochs, run.config.train.fine_tune_learning_rate, model, cnn=lower
    )


def _split_at_cut(run: Run, model: keras.Model) -> tuple[keras.Model, keras.Model]:
    first_layer = run.config.train.fine_tune_from or find_backbone(run.config.model.backbone).last_block
    return split_backbone(backbone_of(model), first_layer)


def _training_views(run: Run) -> tuple[View, ...]:
    return ("plain", "mirrored") if run.config.train.mirror else ("plain",)


def _feature_stage(
    job: Job, name: str, num_epochs: int, learning_rate: float, model: keras.Model, cnn: keras.Model | None
) -> Stage:
    run = job.run

    def files(split: str, views: tuple[View, ...]) -> FeatureFiles:
        return cached_features(job.data, split, cnn, run.config.model, views=views)

    def training(first_epoch: int) -> tf.data.Dataset:
        return features_for_training(
            files("train", _training_views(run)), run.labels, run.config.model, run.vocabulary, run.config.train,
            num_clips=job.count("train"), batch_size=job.batch_size,
            class_weights=job.class_weights, first_epoch=first_epoch,
        )  # fmt: skip

    def inference(split: str) -> tf.data.Dataset:
        return features_for_inference(
            files(split, ("plain",)), run.labels, run.config.model, run.vocabulary,
            num_clips=job.count(split), batch_size=job.batch_size,
        )  # fmt: skip

    return Stage(name, num_epochs, learning_rate, model, training, inference)
