"""The run folder is the model: all that training decided, from which every later step rebuilds it.

`config.json` rebuilds the graph, `model.keras` supplies the weights, `labels.json` names the classes by id,
`vocabulary.txt` the words, and `thresholds.json` the lowest score at which a class of a multi-label head counts as
given.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig, from_mapping, to_mapping, without_machine
from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import check_sums, write_sums
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.clip_seconds import ClipSeconds
from vidmodel_tf.run_folder.distillation import Distillation
from vidmodel_tf.run_folder.formats import FORMAT, Settings, read_config
from vidmodel_tf.run_folder.thresholds import read_thresholds
from vidmodel_tf.storage import atomic_write, read_json, write_json
from vidmodel_tf.text.vectors.coverage import Coverage
from vidmodel_tf.text.vectors.word_vectors import WordVectors
from vidmodel_tf.text.vectors.write_vectors import write_word_vectors
from vidmodel_tf.version import __version__

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Every setting of a run, as resolved.

    Attributes:
        model: Settings of the graph.
        train: Settings of training.
        prepare: Settings by which clips were stored, and by which new clips are read.
    """

    model: ModelConfig
    train: TrainConfig
    prepare: PrepareConfig

    @classmethod
    def from_json(cls, settings: Settings) -> RunConfig:
        """Reads the three sections of `config.json`."""
        return cls(
            model=from_mapping(ModelConfig, settings["model"], "model"),
            train=from_mapping(TrainConfig, settings["train"], "train"),
            prepare=from_mapping(PrepareConfig, settings["prepare"], "prepare"),
        )

    def to_json(self) -> Settings:
        """The inverse of `from_json`, but for the settings that are chosen for a machine."""
        return {
            "model": to_mapping(self.model),
            "train": without_machine(self.train),
            "prepare": to_mapping(self.prepare),
        }


@dataclasses.dataclass(frozen=True)
class Run:
    """The content of a run folder, all but the weights.

    Attributes:
        path: The folder.
        config: Every setting.
        labels: Heads and class names.
        vocabulary: Words by id.
        thresholds: `{head: [K]}` for multi-label heads.
        data: The prepared data set that it was trained on, if known.
        data_fingerprint: Of that data set, which identifies it wherever it lies.
        fold: `(k, n)` if it was trained on all but the k-th (from 1) of n folds.
        clip_seconds: How long its training clips were; None where there were no videos, and in older runs.
        most_frequent: `{head: class}`, the most frequent class of its training clips, of the heads with one class a
            clip; empty in older runs.
        coverage: How many of its words have word vectors; None without `model.embeddings`.
        word_vectors: What its embeddings begin as. None without `model.embeddings`, and in a run that was read: its
            model has them.
        distillation: What it was taught by; None where it was trained on labels alone.
    """

    path: Path
    config: RunConfig
    labels: Labels
    vocabulary: Vocabulary
    thresholds: dict[str, list[float]]
    data: Path | None = None
    data_fingerprint: str | None = None
    fold: tuple[int, int] | None = None
    clip_seconds: ClipSeconds | None = None
    most_frequent: dict[str, str] = dataclasses.field(default_factory=dict)
    coverage: Coverage | None = None
    word_vectors: WordVectors | None = None
    distillation: Distillation | None = None

    def load_model(self) -> keras.Model:
        """Rebuilds the trained model from the settings and gives it the weights of `model.keras`.

        Raises:
            InputError: The weights are missing or belong to another graph, or a backbone that the user brought
                cannot be rebuilt.
        """
        from vidmodel_tf.model.weights import load_weights

        model = self.build_model()
        load_weights(model, self.path / layout.WEIGHTS)
        return model

    def build_model(self) -> keras.Model:
        """Rebuilds the model from the settings, with random weights.

        Raises:
            InputError: A backbone that the user brought cannot be rebuilt.
        """
        from vidmodel_tf.model.build import build_model
        from vidmodel_tf.run_folder.own_backbone import read_own_backbone

        return build_model(
            self.config.model,
            self.labels,
            len(self.vocabulary),
            load_backbone_weights=False,
            own_backbone=read_own_backbone(self.path, self.config.model),
        )


def settings_of(run: Run) -> Settings:
    """The content of `config.json`."""
    return {
        "format": FORMAT,
        **run.config.to_json(),
        "multi_label_heads": sorted(run.labels.multi_label),
        "data": None if run.data is None else str(run.data.resolve()),
        "data_fingerprint": run.data_fingerprint,
        "fold": list(run.fold) if run.fold else None,
        "clip_seconds": dataclasses.asdict(run.clip_seconds) if run.clip_seconds else None,
        "most_frequent": run.most_frequent,
        "coverage": dataclasses.asdict(run.coverage) if run.coverage else None,
        **(run.distillation.to_json() if run.distillation else {}),
        "vidmodel_version": __version__,
    }


def write_settings(run: Run) -> None:
    """Writes all but the weights.

    Raises:
        InputError: A file stands where the word vectors belong, and no run wrote it.
    """
    vectors_path = run.path / layout.WORD_VECTORS
    if run.word_vectors is not None and vectors_path.exists() and not layout.is_run_folder(run.path):
        raise InputError(
            f"{vectors_path}: expected no file of that name, for the run keeps its word vectors in it. "
            "Received: one that no run wrote; move it elsewhere"
        )
    run.path.mkdir(parents=True, exist_ok=True)
    run.vocabulary.save(run.path / layout.VOCABULARY)
    write_json(run.path / layout.LABELS, dict(run.labels))
    write_json(run.path / layout.THRESHOLDS, run.thresholds)
    write_json(run.path / layout.CONFIG, settings_of(run))
    if run.word_vectors is not None:  # behind the file that says that they are of this run
        write_word_vectors(vectors_path, run.word_vectors.words, run.word_vectors.values)


def write_weights(path: str | Path, model: keras.Model) -> None:
    """Writes `model.keras`, and before it takes its place, the sums of all files of the run."""
    path = Path(path)
    with atomic_write(path / layout.WEIGHTS) as beside:
        model.save(beside)
        write_sums(path, layout.CONTENT, {layout.WEIGHTS: beside})


def load_run(path: str | Path) -> Run:
    """Reads a run folder.

    Raises:
        InputError: It is no run folder, training has not finished, or a file in it was damaged.
    """
    path = Path(path)
    layout.check_finished(path)
    check_sums(path, layout.CONTENT)
    return read_settings_of_run(path)


def read_settings_of_run(path: Path) -> Run:
    """Reads all but the weights of a run, which may be unfinished or part of an export.

    Raises:
        InputError: A file is missing or damaged, or a newer version wrote it.
    """
    settings, names = read_config(path / layout.CONFIG), read_json(path / layout.LABELS)
    vocabulary = Vocabulary.load(path / layout.VOCABULARY)
    try:
        labels = Labels(names, settings["multi_label_heads"])
        run = Run(
            path=path,
            config=RunConfig.from_json(settings),
            labels=labels,
            vocabulary=vocabulary,
            thresholds={},
            data=Path(settings["data"]) if settings["data"] else None,
            data_fingerprint=settings["data_fingerprint"],
            fold=tuple(settings["fold"]) if settings["fold"] else None,
            clip_seconds=ClipSeconds(**settings["clip_seconds"]) if settings.get("clip_seconds") else None,
            most_frequent=settings.get("most_frequent", {}),
            coverage=Coverage(**settings["coverage"]) if settings.get("coverage") else None,
            distillation=Distillation.from_json(settings),
        )
    except (KeyError, TypeError, ValueError) as error:
        writer = settings.get("vidmodel_version")
        versions = "" if writer == __version__ else f" (vidmodel {writer} wrote it, this is {__version__})"
        raise InputError(f"{path}: config.json or labels.json was damaged{versions}: {error}") from None
    return dataclasses.replace(run, thresholds=read_thresholds(path / layout.THRESHOLDS, run.labels))
