"""The values that all stages of a run share, computed once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vidmodel_tf.backend.devices import Devices, find_devices
from vidmodel_tf.records.batch_share import BatchShare
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.training.losses import balanced_class_weights
from vidmodel_tf.training.objective import DistilledObjective, Objective
from vidmodel_tf.training.teacher_scores import TeacherScores


@dataclasses.dataclass(frozen=True)
class Job:
    """A run that is to be trained on a data set.

    Attributes:
        run: Its settings, labels and vocabulary.
        data: The data set, in the splits that it is trained with.
        num_training_clips: Clips in the split "train".
        num_validation_clips: Clips in the split "validation".
        batch_size: As in the settings, but at most all training clips.
        objective: What the model learns from, and how far its answers are from that.
        verbose: How much `fit` prints, as Keras counts it.
        devices: What shares each batch.
        teacher_scores: What the teacher of a distilled run says of the clips.
    """

    run: Run
    data: DataSet
    num_training_clips: int
    num_validation_clips: int
    batch_size: int
    objective: Objective
    verbose: int | str
    devices: Devices
    teacher_scores: TeacherScores | None = None

    @property
    def share(self) -> BatchShare:
        """The part of each training batch that this machine computes."""
        return BatchShare(self.devices.hosts.number, self.devices.hosts.count)

    @classmethod
    def of(
        cls,
        run: Run,
        data: DataSet,
        *,
        verbose: int | str,
        devices: Devices | None = None,
        teacher_scores: TeacherScores | None = None,
    ) -> Job:
        """The job of training a run on a data set.

        Args:
            run: Its settings, labels and vocabulary.
            data: The data set, in the splits that it is trained with.
            verbose: How much `fit` prints, as Keras counts it.
            devices: What shares each batch; None: the first of the machine computes alone.
            teacher_scores: What the teacher says of the training and validation clips; needed for a distilled run.
        """
        training = data.in_split("train")
        return cls(
            run=run,
            data=data,
            num_training_clips=len(training),
            num_validation_clips=data.count("validation"),
            batch_size=min(run.config.train.batch_size, len(training)),
            objective=_objective(run, training, teacher_scores),
            verbose=verbose,
            devices=devices or find_devices(1),
            teacher_scores=teacher_scores,
        )

    def with_validation_as_training(self) -> Job:
        """The same run on the training and validation clips together."""
        splits = {clip.id: "train" if clip.split == "validation" else clip.split for clip in self.data.clips}
        data = self.data.with_splits(splits)
        return Job.of(self.run, data, verbose=self.verbose, devices=self.devices, teacher_scores=self.teacher_scores)


def _objective(run: Run, training: Sequence[StoredClip], teacher_scores: TeacherScores | None) -> Objective:
    train = run.config.train
    objective = Objective(
        labels=run.labels,
        class_weights=balanced_class_weights(training, run.labels) if train.class_balance else {},
        label_smoothing=train.label_smoothing,
        head_weights=train.head_weights,
    )
    if run.distillation is None:
        return objective
    if teacher_scores is None:
        raise ValueError("a distilled run needs the scores of its teacher")
    return DistilledObjective(**vars(objective), teacher_scores=teacher_scores, config=run.distillation.config)
