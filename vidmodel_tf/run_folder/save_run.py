"""A run folder for a model that was trained without `train`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.own_backbone import identify_backbone, is_identified
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.clip_seconds import ClipSeconds
from vidmodel_tf.run_folder.most_frequent import most_frequent_classes
from vidmodel_tf.run_folder.own_backbone import write_own_backbone
from vidmodel_tf.run_folder.run import Run, RunConfig, write_settings, write_weights
from vidmodel_tf.run_folder.thresholds import thresholds_of
from vidmodel_tf.text.vectors.embeddings import is_vector_file, read_embeddings, resolve_embeddings


def save_run(
    path: str | Path,
    model: keras.Model,
    config: ModelConfig,
    labels: Mapping[str, Sequence[str]],
    vocabulary: Vocabulary,
    *,
    data: str | Path | None = None,
) -> None:
    """Makes the run folder of a model that was trained by hand, so that every command can read it.

    Args:
        path: The folder, made if missing.
        model: A model of `build_model(config, labels, len(vocabulary))`.
        config: Its settings. What they name by a path, a backbone or word vectors, must still be there; settings of
            another run name nothing so.
        labels: Heads and class names.
        vocabulary: Words by id.
        data: The prepared data set that it was trained on: new clips are read as those of the data set were. Without
            it a clip is read by the default settings, or as T frames where these do not fit T.

    Raises:
        InputError: `data` is no prepared data set, or what `config` names cannot be read.
    """
    labels, prepare = Labels(labels), PrepareConfig()
    stored = open_data_set(data) if data is not None else None
    if stored is not None:
        prepare = stored.prepare
    elif prepare.num_stored_frames % config.num_frames:
        prepare = PrepareConfig(num_stored_frames=config.num_frames)
    vectors = None
    if is_vector_file(config.embeddings):
        vectors = read_embeddings(config, vocabulary.words, Path(path) / layout.WORD_VECTORS)
    if not is_identified(config):
        config, _ = identify_backbone(config)
    config = resolve_embeddings(config, vectors)
    settings = RunConfig(config, TrainConfig(), prepare)
    run = Run(Path(path), settings, labels, vocabulary, thresholds_of(labels), word_vectors=vectors)
    if stored is not None:
        training = stored.in_split("train")
        run = dataclasses.replace(
            run,
            data=stored.path,
            data_fingerprint=stored.fingerprint,
            clip_seconds=ClipSeconds.of(clip.duration_seconds for clip in training),
            most_frequent=most_frequent_classes(training, labels),
        )
    write_settings(run)
    write_own_backbone(run, model)
    write_weights(path, model)
