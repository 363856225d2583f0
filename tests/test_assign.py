from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.real_data import FIGHTS, needs
from tests.stub_clips import StubClip, draw_clips, make_clips
from vidmodel_tf.clips.clip import Label
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.clips.splits.assign import SPLITS, assign_folds, assign_splits
from vidmodel_tf.errors import InputError

CLIPS_120 = make_clips("ab" * 60)


def split(
    clips: Iterable[StubClip], validation: float = 0.15, test: float = 0.15, seed: int = 0
) -> tuple[dict[str, str], list[str]]:
    return assign_splits(clips, validation_fraction=validation, test_fraction=test, seed=seed)


def splits_of_sources(clips: Iterable[StubClip], split_of: Mapping[str, str]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for clip in clips:
        found[clip.source].add(split_of[clip.id])
    return found


def splits_of_classes(clips: Iterable[StubClip], split_of: Mapping[str, str]) -> dict[object, set[str]]:
    found = defaultdict(set)
    for clip in clips:
        for head, label in clip.labels.items():
            for name in (label,) if isinstance(label, str) else label or ():
                found[head, name].add(split_of[clip.id])
    return found


labels = st.fixed_dictionaries(
    {
        "label": st.sampled_from([None, "a", "b", "c"]),
        "things": st.none() | st.lists(st.sampled_from("xyz"), max_size=3, unique=True).map(tuple),
    }
)
clip_lists = st.lists(st.tuples(st.integers(0, 25), labels), min_size=1, max_size=80).map(
    lambda rows: [StubClip(f"{index}", f"s{source}", labels) for index, (source, labels) in enumerate(rows)]
)


@settings(max_examples=150, deadline=None)
@given(clips=clip_lists, seed=st.integers(0, 2**31 - 1))
def test_any_clips_are_split_by_source_or_refused_in_words(clips: list[StubClip], seed: int) -> None:
    try:
        split_of, warnings = split(clips, seed=seed)
    except InputError as error:
        assert "expected" in str(error) and "Received" in str(error)
        return
    assert set(split_of) == {clip.id for clip in clips}
    assert set(split_of.values()) == set(SPLITS)
    assert all(len(splits) == 1 for splits in splits_of_sources(clips, split_of).values())
    for (head, name), splits in splits_of_classes(clips, split_of).items():
        assert "train" in splits
        named = any(f"head '{head}': class '{name}'" in line for line in warnings)
        assert named == (splits != set(SPLITS))


@settings(max_examples=100, deadline=None)
@given(clips=clip_lists, num_folds=st.integers(2, 6), seed=st.integers(0, 2**31 - 1))
def test_any_clips_are_folded_by_source_or_refused_in_words(clips: list[StubClip], num_folds: int, seed: int) -> None:
    try:
        folds = assign_folds(clips, num_folds=num_folds, seed=seed)
    except InputError as error:
        assert "expected" in str(error) and "Received" in str(error)
        return
    assert len(folds) == num_folds
    for fold in folds:
        assert set(fold) == {clip.id for clip in clips}
        assert set(fold.values()) == set(SPLITS)
        assert all(len(splits) == 1 for splits in splits_of_sources(clips, fold).values())
    tested = Counter(clip for fold in folds for clip, name in fold.items() if name == "test")
    assert tested == Counter(clip.id for clip in clips)


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(30, 120), min_size=2, max_size=4),
    validation=st.floats(0.05, 0.3),
    test=st.floats(0.05, 0.3),
    seed=st.integers(0, 1000),
)
def test_fractions_and_classes_for_many_small_sources(
    counts: list[int], validation: float, test: float, seed: int
) -> None:
    names = [name for name, count in zip("abcd", counts, strict=False) for _ in range(count)]
    clips = make_clips(names)
    split_of, warnings = split(clips, validation, test, seed)
    total = Counter(split_of.values())
    of_class = Counter((clip.labels["label"], split_of[clip.id]) for clip in clips)
    for name, fraction in (("validation", validation), ("test", test)):
        # Folds approximate the fraction to 0.01 (and validation inherits test's error); a clip is not divided.
        assert abs(total[name] / len(clips) - fraction) <= 0.02 + len(counts) / len(clips)
        for label, count in zip("abcd", counts, strict=False):
            assert abs(of_class[label, name] / count - fraction) <= 0.02 + 2 / count
    assert warnings == []


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(3, 9), min_size=2, max_size=5), size=st.integers(1, 3), seed=st.integers(0, 1000))
def test_classes_with_three_sources_are_in_every_split(counts: list[int], size: int, seed: int) -> None:
    clips = make_clips((name for name, count in zip("abcde", counts, strict=False) for _ in range(count)), size)
    split_of, warnings = split(clips, seed=seed)
    assert all(splits == set(SPLITS) for splits in splits_of_classes(clips, split_of).values())
    assert warnings == []


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(labels, min_size=30, max_size=60), seed=st.integers(0, 1000))
def test_order_of_the_clips_does_not_matter(rows: list[dict[str, Label]], seed: int) -> None:
    clips = [StubClip(f"{index}", f"s{index // 2}", row) for index, row in enumerate(rows)]
    shuffled = random.Random(seed).sample(clips, len(clips))
    assert split(clips, seed=seed) == split(shuffled, seed=seed)
    assert assign_folds(clips, num_folds=3, seed=seed) == assign_folds(shuffled, num_folds=3, seed=seed)


def letters(split_of: Mapping[str, str], clips: Iterable[StubClip]) -> str:
    return "".join({"train": ".", "validation": "v", "test": "T"}[split_of[clip.id]] for clip in clips)


def digest(split_of: object) -> str:
    return hashlib.sha256(json.dumps(split_of, sort_keys=True).encode()).hexdigest()[:16]


def test_folds_stay_as_they_were() -> None:
    # Runs and cross-validations that were begun long ago must be able to go on: equal seeds give equal folds for ever.
    clips = draw_clips(60, 30, 3)
    assert [letters(fold, clips) for fold in assign_folds(clips, num_folds=3, seed=5)] == [
        "v..T..v.TT.T..v....T.Tv...TT.T..vTTT.v...T.vT...T..TT.T.vTT.",
        ".TT.vT......TT.vTvT......T..T.v.v...T..TT..v.TT..TT.vT.TT..v",
        "T...T.TT..T..vTTvT..T.TTT.....TTT....TT.v.TT...T.v..v...v..T",
    ]
    found = {
        shape: [
            digest(assign_folds(draw_clips(*shape), num_folds=n, seed=seed)) for n, seed in ((2, 0), (5, 1), (10, 3))
        ]
        for shape in ((300, 300, 2), (600, 200, 12), (400, 40, 5))
    }
    assert found == {
        (300, 300, 2): ["a188ab410244316d", "8074ba069583cbef", "2af7116d026d8b8c"],
        (600, 200, 12): ["64337ae097b752de", "96a3bd820c79cf8a", "ce397bd061e4c64c"],
        (400, 40, 5): ["f662a13463bc1916", "2da6017ed42664b4", "b587a6913d3e27b4"],
    }


def test_splits_stay_as_they_were() -> None:
    clips = draw_clips(60, 30, 3)
    assert letters(split(clips, seed=5)[0], clips) == "T...v.T.v....Tvv.v....T.T............T.v.........T..T..v...v"
    found = {
        shape: [
            digest(split(draw_clips(*shape), validation, test, seed)[0])
            for validation, test, seed in ((0.15, 0.15, 0), (0.1, 0.2, 1), (0.03, 0.17, 2), (0.02, 0, 3))
        ]
        for shape in ((300, 300, 2), (600, 200, 12), (400, 40, 5))
    }
    assert found == {
        (300, 300, 2): ["bb96bdad537e141d", "7b3e81885b5901fd", "6e0b0f428b02b5cb", "f4f42a63a53caafe"],
        (600, 200, 12): ["f7dd676feaab572b", "d64d6eddb34b00d2", "87b3be7648800cb2", "9fd6c067bd8c22dd"],
        (400, 40, 5): ["a3e77b8da1455715", "b4e2bbd3624ed31c", "36eaa8df6b471d1c", "33b3011ef4cf991a"],
    }


def test_seeds_give_different_splits() -> None:
    clips = make_clips("ab" * 30)
    tests = {
        frozenset(clip for clip, name in split(clips, seed=seed)[0].items() if name == "test") for seed in range(6)
    }
    assert len(tests) == 6
    folds = {tuple(sorted(assign_folds(clips, num_folds=3, seed=seed)[0].items())) for seed in range(6)}
    assert len(folds) == 6


def test_rare_classes_are_in_every_split_without_spoiling_the_fractions() -> None:
    rare = [f"rare{index}" for index in range(40) for _ in range(3)]
    clips = make_clips([*"ab" * 150, *rare])
    split_of, warnings = split(clips)
    assert warnings == []
    assert all(splits == set(SPLITS) for splits in splits_of_classes(clips, split_of).values())
    share = Counter(split_of.values())["test"] / len(clips)
    assert share == pytest.approx(0.15, abs=0.02)  # what was added for rare classes is given back of frequent ones


def test_seed_chooses_among_the_sources_of_rare_classes() -> None:
    clips = make_clips([f"rare{index:02}" for index in range(40) for _ in range(3)])
    times_in_test = Counter(
        clip for seed in range(12) for clip, name in split(clips, seed=seed)[0].items() if name == "test"
    )
    # One source of each class is in test each time. By chance alone the first of three is in 4 of 12, 160 of 480 in
    # all, with a standard deviation of 10.
    firsts = sum(times_in_test[clip.id] for clip in clips[::3])
    assert sum(times_in_test.values()) == 480
    assert 120 <= firsts <= 200


def test_class_with_one_source_is_for_training_and_named() -> None:
    clips = make_clips([*"ab" * 10, "c", "d", "d"], clips_a_source=3)
    split_of, warnings = split(clips)
    splits = splits_of_classes(clips, split_of)
    assert splits["label", "c"] == {"train"}
    assert "train" in splits["label", "d"]
    assert len(warnings) == 2
    assert warnings[0] == (
        "head 'label': class 'c' has 1 source, too few for train, validation, test: none in validation and test; "
        "add clips of it from other sources, or merge it with another class"
    )
    assert "class 'd' has 2 sources, too few" in warnings[1]


def test_large_sources_do_not_swallow_the_test_split() -> None:
    clips = [
        StubClip(f"{source}-{index}", f"s{source}", {"label": "ab"[index % 2]})
        for source, size in enumerate([100, *[10] * 12])
        for index in range(size)
    ]
    counts = Counter(split(clips)[0].values())
    assert 20 <= counts["test"] <= 50 and 20 <= counts["validation"] <= 50  # asked for 33 of 220, in steps of 10


@pytest.mark.parametrize("names", ["a", "ab"])
def test_tiny_sets_are_refused_in_words(names: str) -> None:
    with pytest.raises(
        InputError, match=rf"expected .*sources.* Received: {len(names)} clips? from {len(names)} source"
    ):
        split(make_clips(names))


@pytest.mark.parametrize("names", ["abc", "aab", "aabcd"])
def test_sets_without_a_source_to_spare_are_refused_in_words(names: str) -> None:
    with pytest.raises(
        InputError, match=r"sources of clips to spare for (test|validation), besides one of every class"
    ):
        split(make_clips(names))


def test_no_clips_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="Received: 0 clips from 0 sources"):
        split([])
    with pytest.raises(InputError, match="Received: 3 folds"):
        assign_folds([], num_folds=3, seed=0)


def test_smallest_set_that_can_be_split() -> None:
    clips = make_clips("aabb")
    for seed in range(10):
        split_of, _ = split(clips, seed=seed)
        assert Counter(split_of.values()) == {"train": 2, "validation": 1, "test": 1}
        assert all("train" in splits for splits in splits_of_classes(clips, split_of).values())


def test_two_sources_serve_where_no_test_is_asked_for() -> None:
    clips = make_clips("aabb")
    split_of, warnings = split(clips, test=0.0)
    assert "test" not in split_of.values()
    assert not any("test" in line for line in warnings)
    assert set(split(clips, validation=0.0, test=0.0)[0].values()) == {"train"}


def test_given_splits_are_kept_and_hold_for_their_source() -> None:
    clips = make_clips("ab" * 20, clips_a_source=2)
    named = {0: "test", 2: "train", 4: "validation"}
    clips = [dataclasses.replace(clip, split=named.get(index)) for index, clip in enumerate(clips)]
    split_of, _ = split(clips)
    for index, name in named.items():
        assert split_of[clips[index].id] == split_of[clips[index + 1].id] == name
    # Test and validation are named, so they are what was named; all others train.
    assert Counter(split_of.values()) == {"test": 2, "validation": 2, "train": 76}


def test_free_clips_fill_the_splits_that_no_clip_names() -> None:
    clips = [dataclasses.replace(clip, split="test" if number < 20 else None) for number, clip in enumerate(CLIPS_120)]
    split_of, _ = split(clips)
    assert {clip.id for clip in clips[:20]} == {clip for clip, name in split_of.items() if name == "test"}
    # 0.15 of all are 0.15 / 0.85 of what is not test: 17.6 of 100 clips, in folds of some.
    assert 15 <= Counter(split_of.values())["validation"] <= 20


def test_free_clips_beside_named_training_clips() -> None:
    clips = [dataclasses.replace(clip, split="train" if number < 20 else None) for number, clip in enumerate(CLIPS_120)]
    split_of, _ = split(clips)
    assert all(split_of[clip.id] == "train" for clip in clips[:20])
    assert set(split_of.values()) == set(SPLITS)


def test_validation_is_taken_out_of_train_where_train_and_test_are_named() -> None:
    clips = [
        dataclasses.replace(clip, split="test" if number % 6 < 2 else "train") for number, clip in enumerate(CLIPS_120)
    ]
    split_of, warnings = split(clips)
    assert all((split_of[clip.id] == "test") == (clip.split == "test") for clip in clips)
    assert 12 <= Counter(split_of.values())["validation"] <= 16  # 0.15 / 0.85 of 80 are 14.1
    assert warnings == []


def test_validation_comes_out_of_named_train_where_test_needs_all_free_clips() -> None:
    free = StubClip("free", "free", {"label": "a"})
    clips = [*(dataclasses.replace(clip, split="train") for clip in CLIPS_120), free]
    split_of, _ = split(clips)
    assert split_of["free"] == "test"
    assert 16 <= Counter(split_of.values())["validation"] <= 24  # 0.15 / 0.85 of 120 are 21.2


def test_two_named_training_sources_give_validation_without_test() -> None:
    clips = [StubClip(f"{source}{name}", source, {"label": name}, "train") for source in "xy" for name in "ab"]
    assert Counter(split(clips)[0].values()) == {"train": 2, "validation": 2}


def test_missing_test_split_is_told() -> None:
    clips = [dataclasses.replace(clip, split="train") for clip in make_clips("ab" * 10)]
    split_of, warnings = split(clips)
    assert set(split_of.values()) == {"train", "validation"}
    assert warnings == ["no clip is in test: name some in a column 'split'"]


def test_class_that_the_given_splits_leave_out_of_train_is_named() -> None:
    clips = [
        dataclasses.replace(clip, split=name)
        for clip, name in zip(
            make_clips("abcabcabc"), [*["train"] * 2, "test", *["train", "validation", "test"] * 2], strict=True
        )
    ]
    _, warnings = split(clips)
    assert any("class 'c' has 3 sources: none in train and validation" in line for line in warnings)


def test_source_in_two_given_splits_is_refused() -> None:
    clips = [
        StubClip("1", "cam", {"label": "a"}, "train"),
        StubClip("2", "cam", {"label": "b"}, "test"),
        StubClip("3", "hall", {"label": "b"}, "test"),
        StubClip("4", "hall", {"label": "b"}, "validation"),
    ]
    with pytest.raises(
        InputError, match=r"source 'cam': expected one split. Received: test \(2\) and train \(1\).*1 more"
    ) as caught:
        split(clips)
    assert "source 'hall'" in caught.value.details[0]


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.1), (math.nan, 0.1)])
def test_fractions_out_of_range_are_refused(validation: float, test: float) -> None:
    with pytest.raises(InputError, match="expected validation_fraction and test_fraction >= 0 with a sum below 1"):
        split(make_clips("ab" * 10), validation, test)


@pytest.mark.parametrize("num_folds", [-1, 0, 1, 7])
def test_numbers_of_folds_out_of_range_are_refused(num_folds: int) -> None:
    with pytest.raises(InputError, match=rf"at most one for each of 6 sources of clips. Received: {num_folds} folds"):
        assign_folds(make_clips("ababab"), num_folds=num_folds, seed=0)


def test_folds_ignore_given_splits() -> None:
    clips = make_clips("ab" * 10)
    named = [dataclasses.replace(clip, split="train") for clip in clips]
    assert assign_folds(named, num_folds=4, seed=1) == assign_folds(clips, num_folds=4, seed=1)


def test_folds_are_of_equal_size_and_classes() -> None:
    clips = make_clips("aab" * 20)
    for fold in assign_folds(clips, num_folds=5, seed=3):
        counts = Counter((clip.labels["label"], fold[clip.id]) for clip in clips)
        # A fifth of 40 and of 20; and a fifth of what is left, give or take one source.
        assert (counts["a", "test"], counts["b", "test"]) == (8, 4)
        assert abs(counts["a", "validation"] - 6.4) <= 1 and abs(counts["b", "validation"] - 3.2) <= 1


@needs(FIGHTS)
def test_real_clips_in_five_folds() -> None:
    clips = read_manifest(FIGHTS).clips
    folds = assign_folds(clips, num_folds=5, seed=0)
    for fold in folds:
        assert all(len(splits) == 1 for splits in splits_of_sources(clips, fold).values())
        counts = Counter((clip.labels["label"], fold[clip.id]) for clip in clips)
        # 48 of 240 on average; sources of up to 20 clips cannot be dealt out evenly.
        assert 36 <= counts["fight", "test"] + counts["noFight", "test"] <= 60
        assert min(counts.values()) >= 12
