"""How far the answers of exported models are from Keras's, and how often they are right, on clips of the data set."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.forms.agreement import compare_scores, share_alike
from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.forms.open_model import ModelForm
from vidmodel_tf.progress import track
from vidmodel_tf.records.folds import fold_splits
from vidmodel_tf.records.index import clips_of, read_index
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.fields import join_fields

MAX_CLIPS = 200


def report_agreement(models: Mapping[str, ModelForm], run: Run) -> dict[str, Any]:
    """Asks all forms of a model the same questions.

    Args:
        models: By name; "keras" is what the others are held against.
        run: The run that they were made from, its data set still there.

    Returns:
        `{"split", "num_clips", "keras": {HEAD: accuracy}, "models": {NAME: {HEAD: {"max_difference",
        "label_agreement", "accuracy"}}}}`, measured on the test clips (validation or training clips where there are
        none), at most 200.
    """
    clips = read_index(run.data)
    splits = fold_splits(clips, run.fold)
    split = next(name for name in ("test", "validation", "train") if clips_of(clips, name, splits))
    words = [join_fields(clip.text, run.config.model.text_fields) for clip in clips_of(clips, split, splits)]
    batches = for_inference(run.data, split, run.config.model, run.vocabulary, batch_size=1, splits=splits)
    answers, truths = _answers(models, batches.as_numpy_iterator(), words, run)
    expected = answers.pop("keras")
    return {
        "split": split,
        "num_clips": len(next(iter(truths.values()))),
        "keras": {head: _accuracy(expected[head], truths[head], head, run) for head in run.labels},
        "models": {
            name: {
                head: {
                    **compare_scores(scores[head], expected[head], head, run),
                    "accuracy": _accuracy(scores[head], truths[head], head, run),
                }
                for head in run.labels
            }
            for name, scores in answers.items()
        },
    }


def _answers(
    models: Mapping[str, ModelForm], batches: Iterable[Any], words: Sequence[str], run: Run
) -> tuple[dict[str, Scores], dict[str, list[Any]]]:
    """The scores of each model, and what is true by head, None where that is not known."""
    rows: dict[str, list[Scores]] = {name: [] for name in models}
    truths: dict[str, list[Any]] = {head: [] for head in run.labels}
    total = min(MAX_CLIPS, len(words))
    pairs = itertools.islice(zip(batches, words, strict=True), total)
    for (inputs, values, weights), text in track(pairs, "measuring", total):
        for name, model in models.items():
            rows[name] += model.scores(inputs["frames"], [[text]])
        for head in run.labels:
            truths[head].append(values[head][0] if weights[head][0] else None)
    joined = {
        name: {head: np.concatenate([row[head] for row in answers]) for head in run.labels}
        for name, answers in rows.items()
    }
    return joined, truths


def _accuracy(scores: np.ndarray, truths: list[Any], head: str, run: Run) -> float | None:
    labelled = [row for row, truth in enumerate(truths) if truth is not None]
    if not labelled:
        return None
    return share_alike(decide(scores[labelled], run.thresholds.get(head)), np.array([truths[row] for row in labelled]))
