"""The clips from which int8 files learn how large the numbers in a model get."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.examples import read_examples
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.run_folder.run import Run

NUM_CALIBRATION_CLIPS = 24


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Clips, kept as JPEGs and decoded each time they are gone through.

    Attributes:
        run: The run whose model they are for.
        questions: The clips; none where there is nothing to learn from.
        notes: How they differ from the usual training clips, a sentence each.
    """

    run: Run
    questions: tuple[Question, ...]
    notes: tuple[str, ...] = ()

    def clips(self) -> Iterator[dict[str, np.ndarray]]:
        """One by one as the model takes them: `frames` uint8 [1, T, H, W, 3] and `token_ids` int32 [1, L]."""
        config = self.run.config.model
        for question in self.questions:
            yield {
                "frames": decode_questions([question], config),
                "token_ids": encode_texts([question.words], self.run),
            }

    def frame_pairs(self) -> Iterator[dict[str, np.ndarray]]:
        """Every frame beside the one before it: `frame` and `previous_frame`, uint8 [1, H, W, 3]."""
        for clip in self.clips():
            frames = clip["frames"]
            for slot in range(frames.shape[1]):
                yield {"frame": frames[:, slot], "previous_frame": frames[:, max(slot - 1, 0)]}


def choose_calibration(run: Run, data: DataSet | None) -> Calibration:
    """Training clips; where the data set is gone, the examples that the run folder keeps, if it keeps any."""
    if data is not None:
        asked = itertools.islice(data.one_question_a_clip("train", run.config.model), NUM_CALIBRATION_CLIPS)
        return Calibration(run, tuple(question for _, question in asked))
    try:
        questions = tuple(example.question for example in read_examples(run))
    except InputError:  # it keeps none
        left_out = "there were no clips to calibrate with: int8 files were left out, and dynamic has no bias correction"
        return Calibration(run, (), (left_out,))
    note = f"int8 and dynamic were calibrated with {len(questions)} examples of the run folder, not with training clips"
    return Calibration(run, questions, (note,))
