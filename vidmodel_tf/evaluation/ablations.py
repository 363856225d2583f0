"""Scores a split as it is, and again with a part of the input taken away: what do the answers rest on?

Legend: n clips of the split, B clips of a batch, T frames of a clip, K classes of a head.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.labels import Labels
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.text.fields import join_fields

FULL = "full"
ABLATIONS = ("without_text", "without_frames", "shuffled_frames")

_CLIPS_AT_ONCE = 4
_SEED = 0  # of the derangement and of the permutations


def score_variants(form: Form, data: DataSet, split: str) -> dict[str, Scores]:
    """Scores every clip of a split as it is, and with every ablation that makes sense for the model.

    Args:
        form: The model.
        data: A prepared data set.
        split: Its name.

    Returns:
        `{"full" or an ablation: {head: float32 [n, K]}}`, clips in the order of `data.in_split(split)`. An ablation is
        left out if the model lacks the branch that it is about; `without_frames` also if there is only one clip.

    Raises:
        InputError: The split has no clips, or its frames do not fit the model.
    """
    config, clips = form.run.config.model, data.in_split(split)
    row_of = {clip.id: row for row, clip in enumerate(clips)}
    words = [join_fields(clip.text, config.text_fields) for clip in clips]
    # In `without_frames`, clip j is scored on the frames of clip donor[j]. Frames are read in the order of the clips,
    # so we need the inverse permutation: receiver[i] is the clip whose words go with the frames of clip i.
    receiver = np.argsort(derangement(len(clips), _SEED))
    scores = {variant: _empty_scores(form.run.labels, len(clips)) for variant in _variants(config, len(clips))}
    batches = _batches(question for _, question in data.questions(split, config))
    for batch in track(batches, "evaluating", -(-len(clips) // _CLIPS_AT_ONCE)):
        rows = [row_of[question.id] for question in batch]
        words_to_receive = [words[receiver[row]] for row in rows]
        for variant, batch_scores in _score_batch(form, batch, rows, words_to_receive, list(scores)):
            _store(batch_scores, scores[variant], receiver[rows].tolist() if variant == "without_frames" else rows)
    return scores


def derangement(n: int, seed: int) -> np.ndarray:
    """A random permutation of 0..n-1 without a fixed point (n = 1 has none: 0 stays)."""
    order = np.random.default_rng(seed).permutation(n)
    result = np.empty(n, int)
    result[order] = np.roll(order, 1)  # one cycle through all
    return result


def _variants(config: ModelConfig, num_clips: int) -> list[str]:
    possible = {
        FULL: True,
        "without_text": config.has_text,
        "without_frames": config.has_frames and num_clips > 1,
        "shuffled_frames": config.has_frames,
    }
    return [variant for variant, is_possible in possible.items() if is_possible]


def _score_batch(
    form: Form,
    batch: Sequence[Question],
    rows: Sequence[int],
    words_to_receive: Sequence[str],
    variants: Sequence[str],
) -> Iterator[tuple[str, Scores]]:
    """Encodes the frames of a batch once for all variants that leave them in order."""
    words = [question.words for question in batch]
    frames_BxTxHxWxC = decode_questions(batch, form.run.config.model) if form.run.config.model.has_frames else None
    features = None if frames_BxTxHxWxC is None else form.encode(frames_BxTxHxWxC)
    words_of = {FULL: words, "without_text": [""] * len(words), "without_frames": words_to_receive}
    for variant in variants:
        if variant in words_of:
            yield variant, form.classify(features, words_of[variant])
        elif frames_BxTxHxWxC is not None:  # motion depends on the order of the frames: they are encoded anew
            yield variant, form.scores(_shuffle_frames(frames_BxTxHxWxC, rows), words)


def _shuffle_frames(frames_BxTxHxWxC: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    return np.stack(
        [
            clip[np.random.default_rng(_SEED + row).permutation(len(clip))]
            for clip, row in zip(frames_BxTxHxWxC, rows, strict=True)
        ]
    )


def _batches(questions: Iterator[Question]) -> Iterator[list[Question]]:
    return iter(lambda: list(itertools.islice(questions, _CLIPS_AT_ONCE)), [])


def _empty_scores(labels: Labels, num_clips: int) -> Scores:
    return {head: np.empty((num_clips, len(names)), np.float32) for head, names in labels.items()}


def _store(batch_scores: Scores, scores: Scores, rows: Sequence[int]) -> None:
    for head, values in batch_scores.items():
        scores[head][rows] = values
