"""The run folder is the model: what training decided, from which everything that follows is rebuilt.

`config.json` rebuilds the graph, `model.keras` supplies the weights, `labels.json` names the classes by id,
`vocabulary.txt` the words, `thresholds.json` says from which score on a multi-label class counts as given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig, from_mapping, to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.clip_seconds import ClipSeconds
from vidmodel_tf.run_folder.formats import FORMAT, Settings, read_config
from vidmodel_tf.storage import atomic_write, read_json, write_json
from vidmodel_tf.version import __version__

if TYPE_CHECKING:
    import keras

    from vidmodel_tf.records.data_set import DataSet

DEFAULT_THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Every setting of a run, as resolved.

    Attributes:
        model: What the graph is built from.
        train: How it was trained.
        prepare: How clips were stored, and so how new ones are to be read.
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
        """The inverse of `from_json`."""
        return {name: to_mapping(getattr(self, name)) for name in ("model", "train", "prepare")}


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run folder says, all but the weights.

    Attributes:
        path: The folder.
        config: Every setting.
        labels: Heads and class names.
        vocabulary: Words by id.
        thresholds: `{head: [K]}` for multi-label heads.
        data: The prepared data set that it was trained on, if known.
        data_fingerprint: Of that data set, by which it is known again wherever it lies.
        fold: `(k, n)` if it was trained on all but the k-th (from 1) of n folds.
        clip_seconds: How long its training clips were; None where there were no videos, and in older runs.
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

    def load_model(self) -> keras.Model:
        """The trained model, rebuilt from the settings, with the weights of `model.keras`.

        Raises:
            InputError: The weights are missing or belong to another graph.
        """
        from vidmodel_tf.model.build import build_model
        from vidmodel_tf.model.weights import load_weights

        model = build_model(self.config.model, self.labels, len(self.vocabulary), load_backbone_weights=False)
        load_weights(model, self.path / layout.WEIGHTS)
        return model


def save_run(
    path: str | Path,
    model: keras.Model,
    config: ModelConfig,
    labels: Mapping[str, Sequence[str]],
    vocabulary: Vocabulary,
    *,
    data: str | Path | None = None,
) -> None:
    """Makes a run folder of a model that was trained by hand, for all that takes one.

    Args:
        path: The folder, made if missing.
        model: A model of `build_model(config, labels, len(vocabulary))`.
        config: Its settings.
        labels: Heads and class names.
        vocabulary: Words by id.
        data: The prepared data set that it was trained on: new clips are then read as those were. Without it a clip
            is read as by default, or as T frames where T does not fit that.
    """
    from vidmodel_tf.records.data_set import open_data_set

    labels, prepare = Labels(labels), PrepareConfig()
    stored = open_data_set(data) if data is not None else None
    if stored is not None:
        prepare = stored.prepare
    elif prepare.num_stored_frames % config.num_frames:
        prepare = PrepareConfig(num_stored_frames=config.num_frames)
    run = Run(Path(path), RunConfig(config, TrainConfig(), prepare), labels, vocabulary, thresholds_of(labels))
    if stored is not None:
        run = dataclasses.replace(run, data=stored.path, data_fingerprint=stored.fingerprint)
    write_settings(run)
    write_weights(path, model)


def thresholds_of(labels: Labels) -> dict[str, list[float]]:
    """The thresholds that a run begins with."""
    return {head: [DEFAULT_THRESHOLD] * len(labels[head]) for head in labels if head in labels.multi_label}


def settings_of(run: Run) -> Settings:
    """What `config.json` holds."""
    return {
        "format": FORMAT,
        **run.config.to_json(),
        "multi_label_heads": sorted(run.labels.multi_label),
        "data": None if run.data is None else str(run.data.resolve()),
        "data_fingerprint": run.data_fingerprint,
        "fold": list(run.fold) if run.fold else None,
        "clip_seconds": dataclasses.asdict(run.clip_seconds) if run.clip_seconds else None,
        "vidmodel_version": __version__,
    }


def open_own_data(run: Run, data: str | Path | None = None) -> DataSet | None:
    """Opens the data set that the run was trained on, in the splits that it was trained with.

    Args:
        run: The run.
        data: Where the data set lies now; None: where it lay when the run was trained.

    Returns:
        None where the run does not know its data set, or another one or none lies there.

    Raises:
        InputError: `data` is not the data set that it was trained on, or was prepared anew since.
    """
    from vidmodel_tf.records.data_set import open_data_set  # needs TensorFlow, which clients of a server do without

    path = run.data if data is None else Path(data)
    found = open_data_set(path) if path is not None and path.is_dir() else None
    if found is not None and is_own_data(found, run):
        return found.with_fold(run.fold)
    if data is not None:
        received = "none there" if found is None else "another one"
        raise InputError(f"{data}: expected the data set that {run.path} was trained on. Received: {received}")
    return None


def is_own_data(data: DataSet, run: Run) -> bool:
    """Whether the data set is the one that the run was trained on; known by its content, for it may have moved.

    Raises:
        InputError: It lies where that did, but was prepared anew.
    """
    if run.data_fingerprint is not None and data.fingerprint == run.data_fingerprint:
        return True
    if run.data is not None and data.path.resolve() == run.data.resolve():
        raise InputError(
            f"{data.path} was prepared anew since {run.path} was trained on it, so that its splits may hold "
            "training clips: train again, or give --data another data set"
        )
    return False


def write_settings(run: Run) -> None:
    """Writes all but the weights."""
    run.path.mkdir(parents=True, exist_ok=True)
    run.vocabulary.save(run.path / layout.VOCABULARY)
    write_json(run.path / layout.LABELS, dict(run.labels))
    write_json(run.path / layout.THRESHOLDS, run.thresholds)
    write_json(run.path / layout.CONFIG, settings_of(run))


def write_weights(path: str | Path, model: keras.Model) -> None:
    """Writes `model.keras`."""
    with atomic_write(Path(path) / layout.WEIGHTS) as beside:
        model.save(beside)


def load_run(path: str | Path) -> Run:
    """Reads a run folder.

    Raises:
        InputError: It is no run folder, training has not finished, or a file in it was damaged.
    """
    path = Path(path)
    if not layout.is_run_folder(path):
        raise InputError(f"{path} is not a run folder (no config.json in it): expected one made by `vidmodel train`")
    if not layout.is_finished(path):
        raise InputError(f"{path}: training has not finished; call `vidmodel train` again with the same arguments")
    return read_settings_of_run(path)


def read_settings_of_run(path: Path) -> Run:
    """Reads all but the weights, of a run that may not have finished."""
    settings, names = read_config(path / layout.CONFIG), read_json(path / layout.LABELS)
    try:
        labels = Labels(names, settings["multi_label_heads"])
        return Run(
            path=path,
            config=RunConfig.from_json(settings),
            labels=labels,
            vocabulary=Vocabulary.load(path / layout.VOCABULARY),
            thresholds=_read_thresholds(path / layout.THRESHOLDS, labels),
            data=Path(settings["data"]) if settings["data"] else None,
            data_fingerprint=settings["data_fingerprint"],
            fold=tuple(settings["fold"]) if settings["fold"] else None,
            clip_seconds=ClipSeconds(**settings["clip_seconds"]) if settings.get("clip_seconds") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        writer = settings.get("vidmodel_version")
        versions = "" if writer == __version__ else f" (vidmodel {writer} wrote it, this is {__version__})"
        raise InputError(f"{path}: config.json or labels.json was damaged{versions}: {error}") from None


def _read_thresholds(path: Path, labels: Labels) -> dict[str, list[float]]:
    """The thresholds, which users may edit."""
    found = read_json(path)
    wanted = {head: len(names) for head, names in labels.items() if head in labels.multi_label}
    heads = found if isinstance(found, dict) else {}
    fits = heads.keys() == wanted.keys() and all(_are_thresholds(heads[head], n) for head, n in wanted.items())
    if not fits:
        counts = ", ".join(f"{n} for {head}" for head, n in wanted.items()) or "none, as no head has several labels"
        raise InputError(f"{path}: expected numbers from 0 to 1 by head, one a class ({counts}). Received: {found}")
    return {head: [float(value) for value in heads[head]] for head in wanted}


def _are_thresholds(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 for value in values)
    )
