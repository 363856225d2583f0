"""Folds against scikit-learn's own, and properties of them."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from tests.stub_clips import StubClip, make_clips
from vidmodel_tf.clips.splits.folds import stratified_folds
from vidmodel_tf.clips.splits.groups import Source, group_by_source


def folds_of_sklearn(sources: list[Source], num_folds: int, seed: int) -> list[list[str]]:
    classes = [clip.labels["label"] for source in sources for clip in source.clips]
    groups = [index for index, source in enumerate(sources) for _ in source.clips]
    splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = [sorted({groups[index] for index in test}) for _, test in splitter.split(groups, classes, groups)]
    return [[sources[index].name for index in part] for part in parts]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_sources=st.integers(10, 80),
    num_classes=st.sampled_from([1, 2, 3, 8]),
    clips_a_source=st.integers(1, 5),
    num_folds=st.integers(2, 10),
)
def test_folds_are_those_of_sklearn(seed, num_sources, num_classes, clips_a_source, num_folds):
    rng = np.random.default_rng(seed)
    # Each class in sources enough that it is a stratum, for every clip its own.
    first = [str(number % num_classes) for number in range(num_sources)]
    clips = [
        StubClip(f"{source}-{index}", f"s{source:03}", {"label": name if not index else str(rng.integers(num_classes))})
        for source, name in enumerate(first)
        for index in range(rng.integers(1, clips_a_source + 1))
    ]
    sources = group_by_source(clips)
    if max(Counter(clip.labels["label"] for clip in clips).values()) < num_folds:
        return  # scikit-learn refuses
    expected = folds_of_sklearn(sources, num_folds, seed)
    if all(expected):
        assert [[source.name for source in fold] for fold in stratified_folds(sources, num_folds, seed)] == expected


@pytest.mark.parametrize("num_folds", [2, 7, 8, 50])
def test_one_class_alone_is_dealt_out_as_sklearn_does(num_folds):
    # Every choice is a tie but for rounding, so folds differ where sums are made in another order.
    sources = group_by_source(
        [
            StubClip(f"{source}-{i}", f"{source:03}", {"label": "a"})
            for source in range(120)
            for i in range(source % 4 + 1)
        ]
    )
    folds = [[source.name for source in fold] for fold in stratified_folds(sources, num_folds, seed=3)]
    assert folds == folds_of_sklearn(sources, num_folds, seed=3)


def test_folds_are_by_size_alone_where_no_class_can_be_in_all():
    folds = stratified_folds(group_by_source(make_clips("abcdef")), 6, seed=0)
    assert sorted(len(fold) for fold in folds) == [1] * 6


def test_second_head_is_stratified_by_too() -> None:
    pairs = [(name, mood) for name in "ab" for mood in ("calm", "loud") for _ in range(25)]
    clips = [StubClip(f"{i:03}", f"{i:03}", {"label": name, "mood": mood}) for i, (name, mood) in enumerate(pairs)]
    for fold in stratified_folds(group_by_source(clips), 5, seed=0):
        assert set(Counter(tuple(clip.labels.values()) for source in fold for clip in source.clips).values()) == {5}


def test_rare_combinations_are_stratified_by_the_first_head() -> None:
    clips = [StubClip(f"{i:03}", f"{i:03}", {"label": "ab"[i % 2], "unique": f"u{i}"}) for i in range(50)]
    for fold in stratified_folds(group_by_source(clips), 5, seed=0):
        assert Counter(source.clips[0].labels["label"] for source in fold) == {"a": 5, "b": 5}


def test_no_fold_is_empty_where_sources_differ_much() -> None:
    # Clips of the classes a, b, c in each source: stratifying alone puts two sources into one fold, none into another.
    sizes = [(6, 0, 2), (6, 6, 2), (1, 0, 1), (6, 0, 6), (0, 6, 0)]
    clips = [
        StubClip(f"{source}{name}{index}", f"s{source}", {"label": name})
        for source, counts in enumerate(sizes)
        for name, count in zip("abc", counts, strict=True)
        for index in range(count)
    ]
    folds = stratified_folds(group_by_source(clips), 5, seed=0)
    assert [len(fold) for fold in folds] == [1] * 5
