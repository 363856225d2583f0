"""Runs the stages of a plan, one after the other, by plain `compile` and `fit`."""

from __future__ import annotations

import dataclasses
import itertools

import keras

from vidmodel_tf.backend.fused import fused_training
from vidmodel_tf.records.damaged import reading_records
from vidmodel_tf.run_folder import layout
from vidmodel_tf.training.build_stage import BuiltStage, build_stage
from vidmodel_tf.training.compile_model import compile_model
from vidmodel_tf.training.full_batches import fill_last_batch
from vidmodel_tf.training.history import result_of
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.plan import Stage, plan_stages
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.state import TrainingState


def run_stages(job: Job, model: keras.Model) -> BuiltStage:
    """Trains a model, going on from where the run folder says that its training stands.

    Args:
        job: The run and its data.
        model: The run's model with its initial weights; it gets the best weights of all stages.

    Returns:
        The last stage.
    """
    with job.devices.scope():
        return _run_stages(job, model)


def _run_stages(job: Job, model: keras.Model) -> BuiltStage:
    state, last = TrainingState.load(job.run.path), None
    initial_weights = model.get_weights()
    plan = plan_stages(job.run.config, refit=job.run.config.train.refit and job.num_validation_clips > 0)
    for is_refit, stages in itertools.groupby(plan, key=lambda stage: stage.is_refit):
        if is_refit:
            job = job.with_validation_as_training()
            model.set_weights(initial_weights)
        for stage in stages:
            stage = _as_long_as_was_best(stage, state) if is_refit else stage
            # A later stage's weights contain those of an earlier one; a stage that gained nothing is not repeated.
            if stage.num_epochs and not state.has_passed(stage.name):
                last = build_stage(stage, job, model)
                with reading_records(job.data.path):
                    _run(stage, last, job, state)
    if last is None:
        raise ValueError("a plan has at least one stage that is trained")
    return last


def _as_long_as_was_best(stage: Stage, state: TrainingState) -> Stage:
    return dataclasses.replace(stage, num_epochs=result_of(state.history, stage.repeats).best_epoch)


def _run(stage: Stage, built: BuiltStage, job: Job, state: TrainingState) -> None:
    if state.stage != stage.name:
        state.stage, state.last_weights = stage.name, ""
    model = job.objective.model_to_fit(built.model)
    if stage.name not in state.finished_stages:
        _fit(model, stage, built, job, state)
        state.finished_stages.append(stage.name)
        if job.devices.hosts.is_first:
            state.save(job.run.path)
        job.devices.hosts.wait_for_all()
    _compile(stage, model, job, keras.optimizers.AdamW)  # which is saved with the model, whatever has trained it
    with job.devices.apart():
        model.load_weights(job.run.path / layout.CHECKPOINTS / state.best_weights)


def _compile(stage: Stage, model: keras.Model, job: Job, optimizer: type[keras.optimizers.AdamW]) -> None:
    weight_decay, losses = job.run.config.train.weight_decay, job.objective.compile_arguments()
    compile_model(model, stage.learning_rate, weight_decay, losses, optimizer=optimizer)


def _fit(model: keras.Model, stage: Stage, built: BuiltStage, job: Job, state: TrainingState) -> None:
    run, train = job.run, job.run.config.train
    done = state.result
    if done.epochs_without_gain >= train.patience or done.num_epochs >= stage.num_epochs:
        return  # killed between the last epoch and the end of the stage
    validation = None
    if job.num_validation_clips:
        validation = built.inference("validation")
        if job.devices.are_several:
            validation = fill_last_batch(validation, job.batch_size, job.num_validation_clips)
            validation = job.share.of_batches(validation, job.batch_size)
    _compile(stage, model, job, job.devices.adam_w)
    # In this order: a BatchNorm that is synchronized over devices must not be fused.
    with job.devices.training(model), fused_training(model):
        model.fit(
            built.training(state.next_epoch),
            validation_data=validation,
            initial_epoch=state.next_epoch,
            epochs=state.next_epoch + stage.num_epochs - done.num_epochs,
            steps_per_epoch=job.num_training_clips // job.batch_size,
            shuffle=False,  # the pipeline has shuffled
            verbose=job.verbose,
            callbacks=[
                StageProgress(run.path, state, train.patience, train.seed, job.devices),
                *_loggers(stage, job),
            ],
        )


def _loggers(stage: Stage, job: Job) -> list[keras.callbacks.Callback]:
    if not job.devices.hosts.is_first:
        return []
    return [keras.callbacks.TensorBoard(job.run.path / layout.LOGS / stage.name, write_graph=False)]
