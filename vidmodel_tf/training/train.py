"""A prepared data set -> a run folder."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import keras

from vidmodel_tf.backend.devices import find_devices
from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.folder_lock import locked
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.own_backbone import identify_backbone, is_own_backbone, load_own_backbone
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.clip_seconds import ClipSeconds
from vidmodel_tf.run_folder.most_frequent import most_frequent_classes
from vidmodel_tf.run_folder.own_backbone import write_own_backbone
from vidmodel_tf.run_folder.resume import check_folder, is_trained, remove_leftovers
from vidmodel_tf.run_folder.run import Run, RunConfig, load_run, write_settings, write_weights
from vidmodel_tf.run_folder.thresholds import thresholds_of
from vidmodel_tf.text.vectors.coverage import Coverage
from vidmodel_tf.text.vectors.embeddings import read_embeddings, read_kept_vectors, resolve_embeddings
from vidmodel_tf.text.vectors.word_vectors import WordVectors
from vidmodel_tf.text.vocabulary import count_words
from vidmodel_tf.training.build_stage import check_cut
from vidmodel_tf.training.encode_apart import encode_apart
from vidmodel_tf.training.examples import write_examples
from vidmodel_tf.training.full_batches import check_shared
from vidmodel_tf.training.hosts_alike import check_alike, check_shared_folder
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.machine import log_machine
from vidmodel_tf.training.stages import run_stages
from vidmodel_tf.training.state import TrainingState
from vidmodel_tf.training.teacher_scores import Teacher, keep_teacher_scores
from vidmodel_tf.training.unread_words import describe_unread_words


def train(
    data: str | Path | DataSet,
    run_dir: str | Path,
    model_config: ModelConfig | None = None,
    train_config: TrainConfig | None = None,
    *,
    fold: tuple[int, int] | None = None,
    teacher: Teacher | None = None,
    hosts: Hosts = ALONE,
) -> Run:
    """Trains a model and writes its run folder.

    If it is killed at any moment, a call with the same arguments goes on from the last finished epoch. Progress is
    shown on standard error.

    Several machines train together where each calls this with the same arguments, but for `hosts.number`. They share
    the file system of the data set and of the run folder, which the first one writes.

    Args:
        data: A prepared data set.
        run_dir: The run folder to make.
        model_config: Settings of the graph.
        train_config: Settings of training.
        fold: `(k, n)`: hold out the k-th (from 1) of n folds grouped by source, instead of the stored test split.
        teacher: A trained model to learn from beside the labels; one machine alone can learn from it.
        hosts: The machines that train together, in a process each in which Keras has computed nothing yet.

    Raises:
        InputError: The data set cannot be trained on, the run folder was begun with other arguments, another process
            trains into it, or the hosts differ in what they were called with.
    """
    if teacher is not None and hosts.are_several:
        raise InputError("hosts: expected one machine to learn from a teacher. Received: several")
    with hosts.joined():
        data = open_data_set(data) if isinstance(data, str | Path) else data
        data, run_dir, model_config = data.with_fold(fold), Path(run_dir), model_config or ModelConfig()
        resolved, own_backbone = identify_backbone(model_config)
        run = plan_run(data, run_dir, resolved, train_config or TrainConfig(), fold, teacher=teacher)
        check_folder(run_dir)
        check_alike(run, hosts)
        if not hosts.from_first(is_trained(run)):
            with locked(run_dir) if hosts.is_first else contextlib.nullcontext():
                check_shared_folder(run, hosts)
                if not hosts.from_first(is_trained(run)):  # another process may have trained it meanwhile
                    _train(run, data, model_config.backbone, own_backbone, teacher, hosts)
            hosts.wait_for_all()
        trained = load_run(run_dir)
        hosts.wait_for_all()  # whoever ends before would not hear that another one could not open it
        return trained


def _train(
    run: Run,
    data: DataSet,
    backbone_source: str,
    own_backbone: keras.Model | None,
    teacher: Teacher | None,
    hosts: Hosts,
) -> None:
    devices = find_devices(run.config.train.devices, hosts)
    check_shared(run, data, devices)
    if hosts.is_first:
        _print_notes(run, data)
    with contextlib.redirect_stdout(sys.stderr):  # Keras prints epochs and downloads where results belong
        if hosts.are_several:
            encode_apart(run, data, lambda: build_initial_model(run, backbone_source), hosts)
        with devices.scope():
            # A backbone that was loaded before belongs to one device; it is loaded again.
            model = begin_run(run, backbone_source, None if devices.are_several else own_backbone, hosts=hosts)
        if hosts.is_first:
            log_machine(run.path, devices)
        scores = None if teacher is None else keep_teacher_scores(teacher, data, run.path)
        verbose = ("auto" if sys.stderr.isatty() else 2) if hosts.is_first else 0
        run_stages(Job.of(run, data, verbose=verbose, devices=devices, teacher_scores=scores), model)
        if hosts.is_first:
            write_examples(run, _model_of_this_process(run, model, hosts), data)
            write_weights(run.path, model)


def _print_notes(run: Run, data: DataSet) -> None:
    if unread := describe_unread_words(data, run.config.model):
        print(f"warning: {unread}", file=sys.stderr, flush=True)
    print_coverage(run)


def _model_of_this_process(run: Run, model: keras.Model, hosts: Hosts) -> keras.Model:
    """The model, or an equal one where it can be computed by all hosts together only."""
    if not hosts.are_several:
        return model
    equal = run.build_model()
    equal.set_weights(model.get_weights())
    return equal


def plan_run(
    data: DataSet,
    run_dir: Path,
    model_config: ModelConfig,
    train_config: TrainConfig,
    fold: tuple[int, int] | None = None,
    *,
    kept_vectors: Path | None = None,
    teacher: Teacher | None = None,
) -> Run:
    """Decides the content of a run folder; nothing is written yet.

    Args:
        data: A prepared data set, in the splits that it is trained with.
        run_dir: The folder to be.
        model_config: Settings of the graph; `identify_backbone` has seen them.
        train_config: Settings of training.
        fold: The fold that the splits come from, if any.
        kept_vectors: Where the word vectors lie that `model_config` names; by default it says that itself.
        teacher: The model to learn from, if any.

    Raises:
        InputError: The data set cannot be trained on with these settings.
    """
    if train_config.fine_tune_epochs and (model_config.weights == "none" or not model_config.has_frames):
        raise InputError(
            "train.fine_tune_epochs: expected 0 where no backbone is frozen (model.weights=none, model.branches=text). "
            f"Received: {train_config.fine_tune_epochs}"
        )
    labels, training = data.labels if teacher is None else teacher.labels, data.in_split("train")
    _check_trainable(training, labels, data.path)
    _check_head_weights(train_config, labels)
    if model_config.has_frames:
        data.slots(model_config.num_frames)  # refuses a number of frames that does not fit
    vocabulary = Vocabulary.from_dataset(data, model_config)
    if kept_vectors is None:
        kept = run_dir / layout.WORD_VECTORS if teacher is None else teacher.word_vectors
        vectors = read_embeddings(model_config, vocabulary.words, kept)
    else:
        vectors = read_kept_vectors(model_config, vocabulary.words, kept_vectors)
    return Run(
        path=run_dir,
        config=RunConfig(resolve_embeddings(model_config, vectors), train_config, data.prepare),
        labels=labels,
        vocabulary=vocabulary,
        thresholds=thresholds_of(labels) if teacher is None else teacher.thresholds,
        data=data.path,
        data_fingerprint=data.fingerprint,
        fold=fold,
        clip_seconds=ClipSeconds.of(clip.duration_seconds for clip in training),
        most_frequent=most_frequent_classes(training, labels),
        coverage=_coverage(training, vocabulary, vectors),
        word_vectors=vectors,
        distillation=None if teacher is None else teacher.distillation,
    )


def build_initial_model(run: Run, backbone_source: str, own_backbone: keras.Model | None = None) -> keras.Model:
    """Builds a run's model, with the pretrained weights of its backbone, and embeddings that begin as its word vectors.

    Args:
        run: The run.
        backbone_source: Where a backbone that the user brings is read from, `FILE.keras` or `keras_hub:PRESET`; of no
            account for others.
        own_backbone: The same, if it is loaded already.
    """
    config = run.config.model
    if own_backbone is None and config.has_frames and is_own_backbone(config.backbone):
        own_backbone = load_own_backbone(backbone_source, config)
    word_vectors = None
    if (vectors := run.word_vectors) is not None:
        word_vectors = dict(zip(run.vocabulary.ids_of(vectors.words), vectors.values, strict=True))
    return build_model(config, run.labels, len(run.vocabulary), word_vectors=word_vectors, own_backbone=own_backbone)


def begin_run(
    run: Run, backbone_source: str, own_backbone: keras.Model | None = None, *, hosts: Hosts = ALONE
) -> keras.Model:
    """Writes the settings into the run folder.

    Args:
        run: The run.
        backbone_source: See `build_initial_model`.
        own_backbone: See there.
        hosts: The machines that train it together; the first one writes.

    Returns:
        The run's model, its initial weights drawn by the run's seed.

    Raises:
        InputError: The backbone cannot be cut where fine-tuning is to begin, or training cannot go on in the folder.
    """
    keras.utils.set_random_seed(run.config.train.seed)
    model = build_initial_model(run, backbone_source, own_backbone)
    # Both checks come before anything is written: a folder begun with a mistake would refuse the correction.
    check_cut(run.config, model)
    TrainingState.load(run.path)
    if hosts.is_first:
        write_settings(run)
        write_own_backbone(run, model)
        remove_leftovers(run.path)
    return model


def print_coverage(run: Run) -> None:
    """Says on standard error how many of the words have vectors, with a warning where they are few."""
    if run.coverage is not None:
        print(run.coverage.describe(), file=sys.stderr)


def _coverage(clips: Sequence[StoredClip], vocabulary: Vocabulary, vectors: WordVectors | None) -> Coverage | None:
    if vectors is None:
        return None
    counts = count_words((clip.text for clip in clips), vocabulary.fields)
    return Coverage.of({word: counts[word] for word in vocabulary.words}, frozenset(vectors.words))


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


def _check_head_weights(config: TrainConfig, labels: Labels) -> None:
    for head in config.head_weights:
        if head not in labels:
            raise InputError(f"train.head_weights: expected heads among {', '.join(labels)}. Received: {head!r}")
