"""A model's scores of all clips of a split."""

from __future__ import annotations

import itertools

import numpy as np

from vidmodel_tf.forms.encoded_once import EncodedOnce
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet

_CLIPS_AT_ONCE = 4  # more would not be faster on a CPU and take more memory


def score_split(form: Form, data: DataSet, split: str, description: str) -> Scores:
    """Asks a model about each clip of a split once.

    Args:
        form: The model.
        data: A prepared data set.
        split: Its name.
        description: Of the progress bar.

    Returns:
        `{head: float32 [n, K]}`, in the order of `data.in_split(split)`.

    Raises:
        InputError: The split has no clips, or its frames do not fit the model.
    """
    row_of = {clip.id: row for row, clip in enumerate(data.in_split(split))}
    scores = {head: np.full((len(row_of), len(names)), np.nan, np.float32) for head, names in form.run.labels.items()}
    encoded = EncodedOnce(form)
    questions = (question for _, question in data.questions(split, form.run.config.model))
    batches = iter(lambda: list(itertools.islice(questions, _CLIPS_AT_ONCE)), [])
    for batch in track(batches, description, -(-len(row_of) // _CLIPS_AT_ONCE)):
        answers = form.classify(encoded.encode(batch), [question.words for question in batch])
        for head, values in answers.items():
            scores[head][[row_of[question.id] for question in batch]] = values
    return scores
