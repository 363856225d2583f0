"""Scores a split as it is, and again with a part of the input taken away: what do the answers rest on?

Legend: n clips of the split, B clips of a batch, T frames of a clip, K classes of a head.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.forms.encoded_once import EncodedOnce
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.labels import Labels
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
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
        left out if the model lacks the branch that it is about; `without_frames` also if there is only one clip, or if
        more than half of the questions are about one and the same.

    Raises:
        InputError: The split has no clips, or its frames do not fit the model.
    """
    config, clips = form.run.config.model, data.in_split(split)
    row_of, footage = {clip.id: row for row, clip in enumerate(clips)}, [clip.footage for clip in clips]
    words = [join_fields(clip.text, config.text_fields) for clip in clips]
    # In `without_frames`, clip j is scored on the frames of clip donor[j]. Frames are read in the order of the clips,
    # so we need the inverse permutation: receiver[i] is the clip whose words go with the frames of clip i.
    donor = derangement(footage, _SEED)
    receiver = np.arange(len(clips)) if donor is None else np.argsort(donor)
    variants = _variants(config, can_swap=donor is not None)
    scores = {variant: _empty_scores(form.run.labels, len(clips)) for variant in variants}
    scorer = _Scorer(form, variants)
    seed_of = {footage[row]: _SEED + row for row in reversed(range(len(clips)))}  # the first row of each clip
    batches = _batches(question for _, question in data.questions(split, config))
    for batch in track(batches, "evaluating", -(-len(clips) // _CLIPS_AT_ONCE)):
        rows = [row_of[question.id] for question in batch]
        words_to_receive = [words[receiver[row]] for row in rows]
        for variant, batch_scores in scorer.score(batch, [seed_of[footage[row]] for row in rows], words_to_receive):
            _store(batch_scores, scores[variant], receiver[rows].tolist() if variant == "without_frames" else rows)
    return scores


def derangement(groups: Sequence[Hashable], seed: int) -> np.ndarray | None:
    """A random permutation that takes each place to a place of another group.

    Args:
        groups: To which group each of the places 0..n-1 belongs.
        seed: The same gives the same permutation.

    Returns:
        Integers [n]; None where there is none, because one group has more than half of the places.
    """
    largest = max(Counter(groups).values(), default=1)
    if 2 * largest > len(groups):
        return None
    order = np.random.default_rng(seed).permutation(len(groups))
    begins: dict[Hashable, int] = {}
    for place, row in enumerate(order):
        begins.setdefault(groups[row], place)
    order = np.array(sorted(order, key=lambda row: begins[groups[row]]))  # group by group
    result = np.empty(len(groups), int)
    result[order] = np.roll(order, largest)  # past the end of its group, and no further than to the begin
    return result


def _variants(config: ModelConfig, *, can_swap: bool) -> list[str]:
    possible = {
        FULL: True,
        "without_text": config.has_text,
        "without_frames": config.has_frames and can_swap,
        "shuffled_frames": config.has_frames,
    }
    return [variant for variant, is_possible in possible.items() if is_possible]


class _Scorer:
    """Scores batches, each clip encoded once for all variants and questions that leave its frames in order."""

    def __init__(self, form: Form, variants: Sequence[str]) -> None:
        self._form, self._variants = form, variants
        self._in_order, self._shuffled = EncodedOnce(form), EncodedOnce(form)

    def score(
        self, batch: Sequence[Question], seeds: Sequence[int], words_to_receive: Sequence[str]
    ) -> Iterator[tuple[str, Scores]]:
        """The scores of each variant.

        Args:
            batch: B questions.
            seeds: [B], of the shuffled order; questions about one clip have the same.
            words_to_receive: [B], what is said of the frames in `without_frames`.
        """
        words = [question.words for question in batch]
        features = self._in_order.encode(batch)
        words_of = {FULL: words, "without_text": [""] * len(words), "without_frames": words_to_receive}
        for variant in self._variants:
            if variant in words_of:
                yield variant, self._form.classify(features, words_of[variant])
            else:  # motion depends on the order of the frames: they are encoded anew
                shuffled = [_shuffle_frames(question, seed) for question, seed in zip(batch, seeds, strict=True)]
                yield variant, self._form.classify(self._shuffled.encode(shuffled), words)


def _shuffle_frames(question: Question, seed: int) -> Question:
    order = np.random.default_rng(seed).permutation(len(question.jpeg_frames))
    return dataclasses.replace(question, jpeg_frames=tuple(question.jpeg_frames[slot] for slot in order))


def _batches(questions: Iterator[Question]) -> Iterator[list[Question]]:
    return iter(lambda: list(itertools.islice(questions, _CLIPS_AT_ONCE)), [])


def _empty_scores(labels: Labels, num_clips: int) -> Scores:
    return {head: np.empty((num_clips, len(names)), np.float32) for head, names in labels.items()}


def _store(batch_scores: Scores, scores: Scores, rows: Sequence[int]) -> None:
    for head, values in batch_scores.items():
        scores[head][rows] = values
