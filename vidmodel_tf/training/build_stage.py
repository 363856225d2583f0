"""A stage of the plan -> the model that it trains and the batches that it trains on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.model.backbones import find_backbone
from vidmodel_tf.model.build import build_encoded_model
from vidmodel_tf.model.cut import build_cut_model, split_backbone
from vidmodel_tf.model.own_backbone import is_own_backbone
from vidmodel_tf.model.trainable import adapt_standardisation, backbone_of, set_trainable
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.pipeline import for_inference, for_training
from vidmodel_tf.run_folder.run import Run, RunConfig
from vidmodel_tf.training.encode_shards import View
from vidmodel_tf.training.encoded_files import EncodedFiles, encoded_files, stored_files
from vidmodel_tf.training.encoded_pipeline import encoded_for_inference, encoded_for_training
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.plan import Inputs, Stage, plan_stages


@dataclasses.dataclass(frozen=True)
class BuiltStage:
    """The model that a stage trains, and its batches.

    Attributes:
        model: Shares its layers with the whole model: training one trains the other.
        training: The batches of all epochs from a given one on.
        inference: Every clip of a split once, as `model` takes it.
    """

    model: keras.Model
    training: Callable[[int], tf.data.Dataset]
    inference: Callable[[str], tf.data.Dataset]


def build_stage(stage: Stage, job: Job, model: keras.Model) -> BuiltStage:
    """Builds the model and the batches of a stage, and makes trainable only the layers that the stage trains.

    Args:
        stage: One of the plan.
        job: The run and its data.
        model: The whole model.
    """
    builders = {"pixels": _on_pixels, "words": _on_words, "encodings": _on_encodings, "activations": _on_activations}
    return builders[stage.inputs](job, model)


def _on_pixels(job: Job, model: keras.Model) -> BuiltStage:
    run, backbone = job.run, backbone_of(model)
    set_trainable(backbone, backbone)

    def training(first_epoch: int) -> tf.data.Dataset:
        return for_training(
            job.data, run.config.model, run.vocabulary, run.config.train,
            to_targets=job.objective.training_targets, first_epoch=first_epoch, share=job.share,
        )  # fmt: skip

    def inference(split: str) -> tf.data.Dataset:
        return for_inference(
            job.data, split, run.config.model, run.vocabulary,
            batch_size=job.batch_size, to_targets=job.objective.targets,
        )  # fmt: skip

    return BuiltStage(model, training, inference)


def _on_words(job: Job, model: keras.Model) -> BuiltStage:
    words_model = build_encoded_model(model, job.run.config.model)
    return _on_files(job, words_model, "words", lambda split, views: stored_files(job.data, split))


def _on_encodings(job: Job, model: keras.Model) -> BuiltStage:
    backbone = backbone_of(model)
    set_trainable(backbone, None)
    built = _on_cnn(job, build_encoded_model(model, job.run.config.model), "encodings", backbone)
    adapt_standardisation(model, (inputs["encodings"].numpy() for inputs, _, _ in built.inference("train")))
    return built


def _on_activations(job: Job, model: keras.Model) -> BuiltStage:
    lower, upper = cut_backbone(job.run.config, model)
    set_trainable(backbone_of(model), upper)
    return _on_cnn(job, build_cut_model(model, job.run.config.model, upper), "activations", lower)


def _on_cnn(job: Job, model: keras.Model, inputs: Inputs, cnn: keras.Model) -> BuiltStage:
    return _on_files(
        job, model, inputs,
        lambda split, views: encoded_files(job.data, split, cnn, job.run.config.model, views=views),
    )  # fmt: skip


def _on_files(
    job: Job, model: keras.Model, inputs: Inputs, files: Callable[[str, tuple[View, ...]], EncodedFiles]
) -> BuiltStage:
    def training(first_epoch: int) -> tf.data.Dataset:
        clips = files("train", _training_views(job.run.config))
        return encoded_for_training(clips, job, inputs, first_epoch=first_epoch)

    def inference(split: str) -> tf.data.Dataset:
        return encoded_for_inference(files(split, ("plain",)), job, inputs)

    return BuiltStage(model, training, inference)


def cut_backbone(config: RunConfig, model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The lower and the upper part of the backbone, cut where fine-tuning begins.

    Raises:
        InputError: `train.fine_tune_from` names no layer that the backbone can be cut at.
    """
    first_layer, name = config.train.fine_tune_from, config.model.backbone
    if not first_layer and not is_own_backbone(name):
        first_layer = find_backbone(name).last_block
    return split_backbone(backbone_of(model), first_layer)


def check_cut(config: RunConfig, model: keras.Model) -> None:
    """Refuses a `train.fine_tune_from` that the backbone cannot be cut at.

    Raises:
        InputError: There is no such layer, or a connection leads past it.
    """
    if any(stage.inputs == "activations" for stage in plan_stages(config, refit=False)):
        cut_backbone(config, model)


def fill_caches(run: Run, data: DataSet, model: keras.Model, splits: Sequence[str], *, hosts: Hosts = ALONE) -> None:
    """Encodes clips of a data set for all stages of a run that read encoded clips.

    Args:
        run: The run that is to be trained.
        data: Its data set.
        model: Its model, with the pretrained weights.
        splits: Names of splits that have clips.
        hosts: The machines that share the work; this one encodes its part.
    """
    cnns = {"encodings": lambda: backbone_of(model), "activations": lambda: cut_backbone(run.config, model)[0]}
    for stage in plan_stages(run.config, refit=False):
        if stage.is_on_cnn:
            cnn, views = cnns[stage.inputs](), _training_views(run.config)
            for split in splits:
                encoded_files(data, split, cnn, run.config.model, views=views, hosts=hosts)


def _training_views(config: RunConfig) -> tuple[View, ...]:
    return ("plain", "mirrored") if config.train.mirror else ("plain",)
