"""One fold of one seed of a cross-validation, as everything that is needed to train it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.training.train import plan_run


@dataclasses.dataclass(frozen=True)
class FoldTask:
    """A fold to train. Whoever has it and can read the data set makes the same model.

    Attributes:
        data: The path of the prepared data set.
        split_of_clip: The split of each clip by id; the fold is the test split.
        folder: Where the fold leaves `scores.json`, `history.csv` and `logs/`.
        model: Settings of the graph.
        train: Settings of training; the seed decides the partition too.
        fold: From 1.
        backbone_source: Where a backbone that the user brings is read from.
        word_vectors: A file with the word vectors of all clips, where the embeddings begin as such.
    """

    data: Path
    split_of_clip: Mapping[str, str]
    folder: Path
    model: ModelConfig
    train: TrainConfig
    fold: int
    backbone_source: str
    word_vectors: Path | None = None

    @property
    def scores(self) -> Path:
        """`{clip id: {head: scores [K]}}` of the held-out clips; the fold is finished when it is there."""
        return self.folder / "scores.json"

    @property
    def reads(self) -> list[Path]:
        """Files and folders that the training of the fold reads."""
        named = [Path(name) for name in (self.backbone_source, self.model.weights)]
        return [self.data, *(path for path in (*named, self.word_vectors) if path is not None and path.exists())]

    def with_absolute_paths(self) -> FoldTask:
        """The same task for a process that may have another working folder."""
        source, weights = (_absolute(name) for name in (self.backbone_source, self.model.weights))
        return dataclasses.replace(self, backbone_source=source, model=dataclasses.replace(self.model, weights=weights))

    def plan(self, data: DataSet) -> Run:
        """The run of this fold.

        Args:
            data: The data set, in the splits of the fold.

        Raises:
            InputError: It cannot be trained on with these settings.
        """
        return plan_run(data, self.folder, self.model, self.train, kept_vectors=self.word_vectors)


def _absolute(name: str) -> str:
    """A path from the root; a name that stands for no file as it is."""
    return str(Path(name).absolute()) if Path(name).is_file() else name


def plan_folds(
    data: DataSet,
    out: Path,
    model: ModelConfig,
    train: TrainConfig,
    *,
    num_folds: int,
    num_seeds: int,
    whole: bool,
    backbone_source: str,
) -> list[FoldTask]:
    """Plans every fold of every seed.

    Args:
        data: A prepared data set; its splits are ignored.
        out: The folder of the cross-validation.
        model: Settings of the graph.
        train: Settings of training; seeds count from its seed.
        num_folds: At least 2.
        num_seeds: At least 1.
        whole: Whether all clips of a source are in the same fold; else only questions about one clip are.
        backbone_source: Where a backbone that the user brings is read from.

    Raises:
        InputError: There are too few sources.
    """
    path, folder = data.path.resolve(), out.resolve() / "folds"
    clips = data.clips if whole else [dataclasses.replace(clip, source=clip.footage) for clip in data.clips]
    return [
        FoldTask(
            data=path,
            split_of_clip=split_of_clip,
            folder=folder / f"seed-{seed}-fold-{fold}",
            model=model,
            train=dataclasses.replace(train, seed=seed),
            fold=fold,
            backbone_source=backbone_source,
        )
        for seed in range(train.seed, train.seed + num_seeds)
        for fold, split_of_clip in enumerate(assign_folds(clips, num_folds=num_folds, seed=seed), start=1)
    ]
