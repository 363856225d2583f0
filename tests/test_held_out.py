from __future__ import annotations

from collections import Counter

import pytest

from tests.stub_clips import StubClip, draw_clips, make_clips
from vidmodel_tf.clips.splits.groups import group_by_source
from vidmodel_tf.clips.splits.held_out import choose_held_out
from vidmodel_tf.errors import InputError


def choose(
    clips: list[StubClip], staying: list[StubClip] = (), *, fraction: float = 0.2, later: int = 1, seed: int = 0
):
    pool, staying = group_by_source(clips), group_by_source(staying)
    return choose_held_out(pool, staying, fraction=fraction, num_later_splits=later, seed=seed, purpose="validation")


@pytest.mark.parametrize(("shape", "fraction"), [((400, 150, 2), 0.2), ((600, 200, 6), 0.1), ((600, 200, 12), 0.15)])
def test_fraction_is_met_by_whole_sources(shape, fraction):
    clips = draw_clips(*shape)
    chosen = choose(clips, fraction=fraction)
    names = {source.name for source in chosen}
    num_chosen = sum(source.num_clips for source in chosen)
    assert num_chosen == sum(clip.source in names for clip in clips)
    assert num_chosen / len(clips) == pytest.approx(fraction, abs=0.03)


@pytest.mark.parametrize("later", [1, 2])
def test_every_class_is_left_for_the_later_splits(later):
    clips = make_clips([*"a" * 30, *"b" * (later + 1), *"c" * later])
    for seed in range(10):
        chosen = Counter(
            clip.labels["label"] for source in choose(clips, later=later, seed=seed) for clip in source.clips
        )
        assert chosen["b"] == 1
        assert chosen["c"] <= later - 1  # one is left for training in any case


def test_sources_that_stay_serve_the_later_splits():
    staying = [StubClip("stays", "stays", {"label": "b"})]
    clips = make_clips([*"a" * 30, "b"])
    assert not any("b" in source.clips[0].labels["label"] for source in choose(clips))
    assert any("b" in source.clips[0].labels["label"] for source in choose(clips, staying))


def test_nothing_to_spare_is_refused_by_the_name_of_the_split():
    with pytest.raises(InputError, match=r"to spare for validation, .*Received: 2 clips from 2 sources to choose from"):
        choose(make_clips("ab"))
