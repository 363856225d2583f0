"""A prepared data set -> a run folder, by plain `compile` and `fit`, in one or two stages."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from vidmodel_tf.clips.sampling import slots_for_inference
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_feature_model, build_model
from vidmodel_tf.model.trainable import adapt_standardisation, set_trainable
from vidmodel_tf.records.folds import fold_splits
from vidmodel_tf.records.index import StoredClip, read_index
from vidmodel_tf.records.pipeline import Splits, count_clips, for_inference, for_training, load_labels
from vidmodel_tf.records.report import fingerprint_of, prepare_config_of
from vidmodel_tf.records.schema import open_data_set
from vidmodel_tf.run_folder import Run, load_run, settings_of, thresholds_of, write_settings, write_weights
from vidmodel_tf.text.vocabulary import MIN_COUNT, Vocabulary
from vidmodel_tf.training.examples import write_examples
from vidmodel_tf.training.feature_pipeline import features_for_inference, features_for_training
from vidmodel_tf.training.features import cached_features, feature_schema
from vidmodel_tf.training.losses import compile_arguments
from vidmodel_tf.training.stage_progress import StageProgress, TrainingState

_DIFFERENCES_NAMED = 4


@dataclasses.dataclass(frozen=True)
class _Job:
    """What all stages of one run share."""

    run: Run
    splits: Splits | None
    model: keras.Model
    class_weights: dict[str, list[float]]
    state: TrainingState
    batch_size: int
    has_validation: bool

    @property
    def steps_per_epoch(self) -> int:
        return count_clips(self.run.data, "train", self.splits) // self.batch_size


def train(
    data_dir: str | Path,
    run_dir: str | Path,
    model_config: ModelConfig | None = None,
    train_config: TrainConfig | None = None,
    *,
    fold: tuple[int, int] | None = None,
) -> Run:
    """Trains a model and writes its run folder.

    Killed at any moment, it goes on from the last finished epoch when called again with the same arguments.

    Args:
        data_dir: A prepared data set.
        run_dir: The run folder to make.
        model_config: What the graph is built from.
        train_config: How it is trained.
        fold: `(k, n)`: hold out the k-th (from 1) of n folds grouped by source, instead of the stored test split.

    Raises:
        InputError: The data set cannot be trained on, or the run folder was begun with other arguments.
    """
    data_dir, run_dir = Path(data_dir), Path(run_dir)
    clips, labels = read_index(data_dir), load_labels(data_dir)
    splits = fold_splits(clips, fold)
    training = [clip for clip in clips if (splits or {}).get(clip.id, clip.split) == "train"]
    _check_trainable(training, labels, data_dir)
    model_config, train_config = model_config or ModelConfig(), train_config or TrainConfig()
    _check_head_weights(train_config, labels)
    vocabulary = Vocabulary.from_texts(
        (clip.text for clip in training), model_config.text_fields, model_config.vocabulary_size, MIN_COUNT
    )
    run = Run(
        run_dir, model_config, train_config, prepare_config_of(data_dir), labels, vocabulary,
        thresholds_of(labels), data_dir, fingerprint_of(data_dir), fold,
    )  # fmt: skip
    if _is_finished(run):
        return load_run(run_dir)
    keras.utils.set_random_seed(train_config.seed)
    model = build_model(model_config, labels, len(vocabulary))
    _check_before_anything_is_written(run, model)
    write_settings(run)
    _remove_leftovers(run_dir)
    job = _Job(
        run=run,
        splits=splits,
        model=model,
        class_weights=balanced_class_weights(training, labels) if train_config.class_balance else {},
        state=TrainingState.load(run_dir),
        batch_size=min(train_config.batch_size, len(training)),
        has_validation=count_clips(data_dir, "validation", splits) > 0,
    )
    _run_stages(job)
    write_examples(run, model, splits)
    write_weights(run_dir, model)
    return load_run(run_dir)


def balanced_class_weights(clips: Sequence[StoredClip], labels: Labels) -> dict[str, list[float]]:
    """Weights by which every class of a single-label head counts the same: n / (K * n_c) over the labelled clips."""
    weights = {}
    for head, names in labels.items():
        if head not in labels.multi_label:
            counts = Counter(clip.labels[head] for clip in clips if clip.labels[head] is not None)
            present = sum(counts[name] > 0 for name in names)
            total = sum(counts.values())
            weights[head] = [total / (present * counts[name]) if counts[name] else 0.0 for name in names]
    return weights


def _check_trainable(clips: Sequence[StoredClip], labels: Labels, data_dir: Path) -> None:
    if not clips:
        raise InputError(f"{data_dir} has no clips in the split 'train': prepare it with more clips or other splits")
    for head in labels:
        given = {clip.labels[head] for clip in clips if clip.labels[head] is not None}
        if len(given) < 2:
            raise InputError(
                f"{data_dir}: the training clips have {len(given)} different answer(s) for the head {head!r}, "
                "at least 2 are needed: label more clips"
            )


def _check_before_anything_is_written(run: Run, model: keras.Model) -> None:
    """A folder that was begun with a mistake would refuse the correction."""
    slots_for_inference(run.prepare.num_stored_frames, run.model.num_frames)
    if run.train.fine_tune_epochs and run.model.weights != "none":
        set_trainable(model, run.model, "fine_tune", run.train.fine_tune_from)


def _remove_leftovers(run_dir: Path) -> None:
    """Files that a killed run was still writing."""
    for path in run_dir.rglob(".*"):
        if path.is_file():
            path.unlink()


def _check_head_weights(config: TrainConfig, labels: Labels) -> None:
    for head in config.head_weights:
        if head not in labels:
            raise InputError(f"train.head_weights: expected heads among {', '.join(labels)}. Received: {head!r}")


def _is_finished(run: Run) -> bool:
    """Whether the run folder holds this very run, trained to the end; refuses a folder with another run."""
    path = run.path / "config.json"
    if not path.exists():
        return False
    found, wanted = json.loads(path.read_text(encoding="utf-8")), settings_of(run)
    sections = ("data", "data_fingerprint", "fold", "model", "train", "prepare", "multi_label_heads")
    differences = [text for name in sections for text in _differences(name, found.get(name), wanted[name])]
    if differences:
        raise InputError(
            f"{run.path} was begun with other arguments ({', '.join(differences[:_DIFFERENCES_NAMED])}): "
            "go on with those (its config.json has them all), give another --out, or remove that folder"
        )
    return (run.path / "model.keras").exists()


def _differences(name: str, found: Any, wanted: Any) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [text for key in wanted for text in _differences(f"{name}.{key}", found.get(key), wanted[key])]
    return [] if found == wanted else [f"{name}={found!r}, not {wanted!r}"]


def _run_stages(job: _Job) -> None:
    config = job.run.train
    if job.run.model.weights == "none":
        _run_stage(job, "scratch", config.epochs, config.learning_rate, _pixel_stage)
        return
    _run_stage(job, "frozen", config.epochs, config.learning_rate, _feature_stage)
    if config.fine_tune_epochs:
        _run_stage(job, "fine_tune", config.fine_tune_epochs, config.fine_tune_learning_rate, _pixel_stage)


@dataclasses.dataclass(frozen=True)
class _StageInputs:
    model: keras.Model  # shares its layers with the whole model
    training: tf.data.Dataset
    validation: tf.data.Dataset | None


def _run_stage(
    job: _Job, stage: str, num_epochs: int, learning_rate: float, prepare_stage: Callable[[_Job, int], _StageInputs]
) -> None:
    state, run = job.state, job.run
    finished = stage in state.finished_stages
    if finished and state.stage != stage:
        return  # a later stage's weights hold this one's
    if state.stage != stage:
        state.stage, state.epochs_without_gain, state.last_weights = stage, 0, ""
        if not job.has_validation:
            state.best_loss = None  # the training losses of two stages are of different inputs
    set_trainable(job.model, run.model, stage, run.train.fine_tune_from)
    inputs = prepare_stage(job, state.next_epoch)
    if not finished:
        first_epoch = next((row["epoch"] for row in state.history if row["stage"] == stage), state.next_epoch)
        _fit(job, inputs, first_epoch + num_epochs, learning_rate)
        state.finished_stages.append(stage)
        state.save(run.path)
    inputs.model.load_weights(run.path / "checkpoints" / state.best_weights)


def _fit(job: _Job, inputs: _StageInputs, last_epoch: int, learning_rate: float) -> None:
    run, state = job.run, job.state
    inputs.model.compile(
        keras.optimizers.AdamW(learning_rate, weight_decay=run.train.weight_decay, clipnorm=1.0),
        jit_compile=False,  # XLA's compilation costs more than it saves on a CPU
        **compile_arguments(run.labels, label_smoothing=run.train.label_smoothing, head_weights=run.train.head_weights),
    )
    if state.epochs_without_gain >= run.train.patience or state.next_epoch >= last_epoch:
        return  # killed between the last epoch and the end of the stage
    monitor = "val_loss" if job.has_validation else "loss"
    inputs.model.fit(
        inputs.training,
        validation_data=inputs.validation,
        initial_epoch=state.next_epoch,
        epochs=last_epoch,
        steps_per_epoch=job.steps_per_epoch,
        shuffle=False,  # the pipeline has shuffled
        verbose="auto" if sys.stdout.isatty() else 2,
        callbacks=[
            StageProgress(run.path, state, monitor, run.train.patience, run.train.seed),
            keras.callbacks.TensorBoard(run.path / "logs" / state.stage, write_graph=False),
        ],
    )


def _pixel_stage(job: _Job, first_epoch: int) -> _StageInputs:
    run = job.run
    training = for_training(
        run.data, run.model, run.vocabulary, run.train,
        splits=job.splits, class_weights=job.class_weights, first_epoch=first_epoch,
    )  # fmt: skip
    validation = None
    if job.has_validation:
        validation = for_inference(
            run.data, "validation", run.model, run.vocabulary, batch_size=job.batch_size, splits=job.splits
        )
    return _StageInputs(job.model, training, validation)


def _feature_stage(job: _Job, first_epoch: int) -> _StageInputs:
    run, encoder = job.run, job.model.get_layer("frame_encoder")
    schema = feature_schema(open_data_set(run.data).info.features, run.model.num_frames, encoder.output_shape[-1])
    views = ("plain", "mirrored") if run.train.mirror else ("plain",)
    files = cached_features(run.data, "train", encoder, run.model, views=views, splits=job.splits)
    common = (schema, run.labels, run.model, run.vocabulary)
    num_clips = count_clips(run.data, "train", job.splits)
    in_order = features_for_inference(files, *common, num_clips=num_clips, batch_size=job.batch_size)
    adapt_standardisation(job.model, (inputs["backbone_output"].numpy() for inputs, _, _ in in_order))
    training = features_for_training(
        files, *common, run.train,
        num_clips=num_clips, batch_size=job.batch_size, class_weights=job.class_weights, first_epoch=first_epoch,
    )  # fmt: skip
    validation = None
    if job.has_validation:
        files = cached_features(run.data, "validation", encoder, run.model, views=("plain",), splits=job.splits)
        num_clips = count_clips(run.data, "validation", job.splits)
        validation = features_for_inference(files, *common, num_clips=num_clips, batch_size=job.batch_size)
    return _StageInputs(build_feature_model(job.model, run.model), training, validation)
