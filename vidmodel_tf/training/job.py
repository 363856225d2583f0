"""The values that all stages of a run share, computed once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.training.losses import balanced_class_weights


@dataclasses.dataclass(frozen=True)
class Job:
    """A run that is to be trained on a data set.

    Attributes:
        run: Its settings, labels and vocabulary.
        data: The data set, in the splits that it is trained with.
        num_training_clips: Clips in the split "train".
        num_validation_clips: Clips in the split "validation".
        batch_size: As in the settings, but at most all training clips.
        class_weights: `{head: [K]}`, the weight of a training clip by its class; empty where all count the same.
        verbose: How much `fit` prints, as Keras counts it.
    """

    run: Run
    data: DataSet
    num_training_clips: int
    num_validation_clips: int
    batch_size: int
    class_weights: Mapping[str, Sequence[float]]
    verbose: int | str

    @classmethod
    def of(cls, run: Run, data: DataSet, *, verbose: int | str) -> Job:
        """The job of training a run on a data set."""
        training = data.in_split("train")
        return cls(
            run=run,
            data=data,
            num_training_clips=len(training),
            num_validation_clips=data.count("validation"),
            batch_size=min(run.config.train.batch_size, len(training)),
            class_weights=balanced_class_weights(training, run.labels) if run.config.train.class_balance else {},
            verbose=verbose,
        )

    def with_validation_as_training(self) -> Job:
        """The same run on the training and validation clips together."""
        splits = {clip.id: "train" if clip.split == "validation" else clip.split for clip in self.data.clips}
        return Job.of(self.run, self.data.with_splits(splits), verbose=self.verbose)
