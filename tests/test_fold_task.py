from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

from tests.conftest import MODEL, TRAIN
from tests.stub_clips import StubClip, draw_clips
from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation import fold_task
from vidmodel_tf.evaluation.fold_task import plan_folds


class StubData:
    path = Path("data")
    clips = tuple(draw_clips(120, 40, 3))


def plan(**options):
    options = {"num_folds": 3, "num_seeds": 2, "whole": True, "backbone_source": "resnet50", **options}
    return plan_folds(StubData(), Path("out"), MODEL, TRAIN, **options)


def test_every_fold_of_every_seed_is_planned():
    tasks = plan()
    assert [(task.train.seed, task.fold) for task in tasks] == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    for task in tasks:
        assert task.folder == Path("out").resolve() / "folds" / f"seed-{task.train.seed}-fold-{task.fold}"
        expected = assign_folds(StubData.clips, num_folds=3, seed=task.train.seed)[task.fold - 1]
        assert task.split_of_clip == expected


def test_folds_are_made_once_a_seed(monkeypatch):
    seeds = []

    def count(clips, *, num_folds, seed):
        seeds.append(seed)
        return assign_folds(clips, num_folds=num_folds, seed=seed)

    monkeypatch.setattr(fold_task, "assign_folds", count)
    plan(num_folds=5, num_seeds=3)
    assert seeds == [0, 1, 2]


def test_sources_are_kept_whole_or_not():
    def num_torn(tasks):
        folds_of = {clip.source: set() for clip in StubData.clips}
        for task in tasks:
            for clip in StubData.clips:
                if task.split_of_clip[clip.id] == "test":
                    folds_of[clip.source].add(task.fold)
        return sum(len(folds) > 1 for folds in folds_of.values())

    assert num_torn(plan(num_seeds=1)) == 0
    assert num_torn(plan(num_seeds=1, whole=False)) > 0


@dataclasses.dataclass(frozen=True)
class AskedClip(StubClip):
    @property
    def footage(self):
        return self.id.partition("?")[0]


def test_questions_about_one_clip_stay_together_even_where_sources_do_not(monkeypatch):
    clips = [AskedClip(f"c{i}?{q}", f"s{i % 4}", {"label": "ab"[q % 2]}) for i in range(12) for q in range(3)]
    monkeypatch.setattr(StubData, "clips", tuple(clips))
    for task in plan(num_seeds=1, whole=False):
        assert len({(clip.footage, task.split_of_clip[clip.id]) for clip in clips}) == 12


def test_a_task_is_small_enough_to_be_sent():
    assert len(pickle.dumps(plan()[0])) < 100 * len(StubData.clips)  # ids and splits, no words


def test_too_few_sources_are_refused():
    with pytest.raises(InputError, match="at most one for each of"):
        plan(num_folds=100)
