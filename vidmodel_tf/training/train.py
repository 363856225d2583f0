"""A prepared data set -> a run folder, by plain `compile` and `fit`, in one or two stages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.clip_seconds import ClipSeconds
from vidmodel_tf.run_folder.run import (
    Run,
    RunConfig,
    load_run,
    read_settings_of_run,
    settings_of,
    thresholds_of,
    write_settings,
    write_weights,
)
from vidmodel_tf.training.examples import write_examples
from vidmodel_tf.training.stage_progress import TrainingState
from vidmodel_tf.training.stages import Job, check_cut, run_stages

_DIFFERENCES_NAMED = 4
_OWN_STEMS = tuple(Path(name).stem for name in layout.FILES)


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
    data, run_dir = open_data_set(data_dir).with_fold(fold), Path(run_dir)
    run = plan_run(data, run_dir, model_config or ModelConfig(), train_config or TrainConfig(), fold)
    _check_folder(run_dir)
    if _is_finished(run):
        return load_run(run_dir)
    job = begin_job(run, data, verbose="auto" if sys.stdout.isatty() else 2)
    run_stages(job)
    write_examples(run, job.model, data)
    write_weights(run_dir, job.model)
    return load_run(run_dir)


def plan_run(
    data: DataSet,
    run_dir: Path,
    model_config: ModelConfig,
    train_config: TrainConfig,
    fold: tuple[int, int] | None = None,
) -> Run:
    """What a run folder will say; nothing is written yet.

    Args:
        data: A prepared data set, in the splits that are to be trained with.
        run_dir: The folder to be.
        model_config: What the graph is built from.
        train_config: How it is trained.
        fold: The fold that the splits come from, if any.

    Raises:
        InputError: The data set cannot be trained on with these settings.
    """
    if train_config.fine_tune_epochs and (model_config.weights == "none" or not model_config.has_frames):
        raise InputError(
            "train.fine_tune_epochs: expected 0 where no backbone is frozen (model.weights=none, model.branches=text). "
            f"Received: {train_config.fine_tune_epochs}"
        )
    labels, training = data.labels, data.in_split("train")
    _check_trainable(training, labels, data.path)
    _check_head_weights(train_config, labels)
    config = RunConfig(model_config, train_config, data.prepare)
    if model_config.has_frames:
        data.slots(model_config.num_frames)  # refuses a number of frames that does not fit
    vocabulary = Vocabulary.from_dataset(data, model_config)
    return Run(
        run_dir, config, labels, vocabulary, thresholds_of(labels), data.path, data.fingerprint, fold,
        ClipSeconds.of(clip.duration_seconds for clip in training),
    )  # fmt: skip


def begin_job(run: Run, data: DataSet, verbose: int | str) -> Job:
    """Builds the model of a run, its weights drawn by the run's seed, and writes the settings into the run folder."""
    keras.utils.set_random_seed(run.config.train.seed)
    model = build_model(run.config.model, run.labels, len(run.vocabulary))
    check_cut(run, model)  # a folder that was begun with a mistake would refuse the correction
    state = TrainingState.load(run.path)
    write_settings(run)
    _remove_leftovers(run.path)
    return Job(run, data, model, state, verbose)


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


def _remove_leftovers(run_dir: Path) -> None:
    """Files that a killed run was still writing (`atomic_write`), and no others."""
    own = [path for name in layout.FILES for path in run_dir.glob(f".{Path(name).stem}.*{Path(name).suffix}")]
    for path in [*own, *(run_dir / layout.CHECKPOINTS).glob(".*")]:
        path.unlink()


def _check_folder(run_dir: Path) -> None:
    """Refuses a folder in which something else lies."""
    if layout.is_run_folder(run_dir) or not run_dir.is_dir():
        return
    others = sorted(path.name for path in run_dir.iterdir() if path.name.lstrip(".").split(".")[0] not in _OWN_STEMS)
    if others:
        raise InputError(
            f"{run_dir}: expected a new folder, or a run folder to go on with. "
            f"Received: one with other content ({', '.join(others[:_DIFFERENCES_NAMED])}); give another --out"
        )


def _check_head_weights(config: TrainConfig, labels: Labels) -> None:
    for head in config.head_weights:
        if head not in labels:
            raise InputError(f"train.head_weights: expected heads among {', '.join(labels)}. Received: {head!r}")


def _is_finished(run: Run) -> bool:
    """Whether the run folder holds this very run, trained to the end; refuses a folder with another run."""
    if not layout.is_run_folder(run.path):
        return False
    found, wanted = settings_of(read_settings_of_run(run.path)), settings_of(run)
    sections = ("data_fingerprint", "fold", "model", "train", "prepare", "multi_label_heads")
    differences = [text for name in sections for text in _differences(name, found.get(name), wanted[name])]
    if differences:
        raise InputError(
            f"{run.path} was begun with other arguments ({', '.join(differences[:_DIFFERENCES_NAMED])}): "
            "go on with those (its config.json has them all), give another --out, or remove that folder"
        )
    return layout.is_finished(run.path)


def _differences(name: str, found: Any, wanted: Any) -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = dict.fromkeys([*wanted, *found])
        return [text for key in keys for text in _differences(f"{name}.{key}", found.get(key), wanted.get(key))]
    return [] if found == wanted else [f"{name}={found!r}, not {wanted!r}"]
