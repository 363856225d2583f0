"""Compares ways to lay windows over long videos: no overlap, a quarter of a window apart, and within shots.

    python benchmarks/joined_videos.py CLIPS --event fight --held-out-of fold1 --out joined1  # and so on for each fold
    python benchmarks/joined_windows.py --event fight --videos joined1 fold1 --videos joined2 fold2 --out timelines

`--videos` names a folder of joined videos and the runs that look at them: of one model and fold, trained with one seed
or several. For each run and each way, the timelines of all its videos are made; those in `timelines` already are not
made again. The AUC of a way is the mean over runs and videos of the AUC of the steps: how often a step within an event
has a higher score than another step.

Intervals (95 %) draw whole sources again, 10,000 times: a step counts as often as its source was drawn. The differences
between two ways come from the same draws. They are conditional on the trained runs.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NUM_RESAMPLES = 10_000
SEED = 0


@dataclass(frozen=True)
class Way:
    """How windows are laid: cut at shots or not, and how many of them cover a step."""

    name: str
    windows: str
    overlap: int


WAYS = (Way("no overlap", "fixed", 1), Way("overlap 4", "fixed", 4), Way("overlap 4 within shots", "shots", 4))


@dataclass(frozen=True)
class Steps:
    """The steps of one video, by falling score: whether each is true, and the number of its source."""

    is_true: np.ndarray
    sources: np.ndarray
    scores: np.ndarray

    def auc(self, weights_by_source: np.ndarray) -> np.ndarray:
        """The area under the ROC curve [R] where the steps of source s count weights [R, s] times."""
        weights = weights_by_source[:, self.sources]
        true, other = weights * self.is_true, weights * ~self.is_true
        begins = np.flatnonzero(np.r_[True, np.diff(self.scores) != 0])  # equal scores are one point of the curve
        true, other = np.add.reduceat(true, begins, axis=1), np.add.reduceat(other, begins, axis=1)
        above = np.cumsum(true, axis=1) - true / 2
        with np.errstate(invalid="ignore"):
            return (above * other).sum(axis=1) / (true.sum(axis=1) * other.sum(axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--event", required=True, metavar="LABEL")
    parser.add_argument("--head", default="label", help="of which head (default: %(default)s)")
    parser.add_argument("--videos", required=True, nargs="+", action="append", type=Path, metavar=("JOINED", "RUN"))
    parser.add_argument("--out", required=True, type=Path, help="where the timelines go")
    parser.add_argument("--figures", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()

    clips = {joined: read_rows(joined / "cuts.csv") for joined, *_ in options.videos}
    sources = sorted({row["source"] for rows in clips.values() for row in rows})
    draws = np.random.default_rng(SEED).multinomial(
        len(sources), np.full(len(sources), 1 / len(sources)), NUM_RESAMPLES
    )
    weights = np.concatenate([np.ones((1, len(sources)), int), draws])  # first the sources as they are
    aucs = {}
    for way in WAYS:
        looked_at = [
            video
            for joined, *runs in options.videos
            for run in runs
            for video in score(run, joined, way, options, clips[joined], sources)
        ]
        aucs[way.name] = np.stack([video.auc(weights) for video in looked_at])
    figures = summarize(aucs) | {"num_sources": len(sources), "num_timelines": len(looked_at)}
    print(json.dumps(figures, indent=2))
    if options.figures:
        options.figures.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def score(
    run: Path, joined: Path, way: Way, options: argparse.Namespace, clips: list[dict[str, str]], sources: list[str]
) -> Iterator[Steps]:
    """The steps of every joined video by one run and way."""
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.forms.open_model import open_model
    from vidmodel_tf.scoring.truth import HeadLabel, read_truth
    from vidmodel_tf.timelines.make_timelines import make_timelines
    from vidmodel_tf.timelines.match_truth import match_truth
    from vidmodel_tf.timelines.timeline import plan_for, policy_for

    form = open_model(run)
    window_seconds = plan_for(form.run, None, None).window_seconds
    plan = plan_for(form.run, None, window_seconds / way.overlap)
    folder = options.out / f"{run.name}-{way.windows}-{way.overlap}"
    videos = sorted(joined.glob("*.mp4"))
    documents = []
    for item in make_timelines(form, videos, folder, plan, policy_for(form.run), windows=way.windows):
        if isinstance(item, Refusal):
            raise SystemExit(f"{item.id}: {item.reason}")
        documents.append(item.document)
    truth = read_truth(joined / "truth.csv")
    what = HeadLabel(options.head, options.event)
    for video in match_truth(documents, truth).videos:
        yield sorted_steps(
            video.true_steps(what),
            video.scores.head(what.head).track(what.label),
            source_of_steps(video.scores, [row for row in clips if row["path"] == video.name], sources),
        )


def sorted_steps(is_true: np.ndarray, scores: np.ndarray, sources: np.ndarray) -> Steps:
    order = np.argsort(-scores, kind="stable")
    return Steps(is_true[order], sources[order], scores[order])


def source_of_steps(scores, clips: Sequence[dict[str, str]], sources: Sequence[str]) -> np.ndarray:
    """The number of the source of the clip in which the centre of each step lies."""
    centres = (np.arange(scores.num_steps) + 0.5) * scores.step_seconds
    ends = np.array([float(row["end_seconds"]) for row in clips])
    of_clips = np.array([sources.index(row["source"]) for row in clips])
    return of_clips[np.minimum(np.searchsorted(ends, centres, side="right"), len(clips) - 1)]


def summarize(aucs: dict[str, np.ndarray]) -> dict[str, object]:
    """The figures of every way and of every pair of ways; the first column holds the sources as they are."""
    # In some draws a video has no step of an event, or none of anything else.
    means = {name: np.nanmean(values, axis=0) for name, values in aucs.items()}
    of_each = {name: np.round(values[:, 0], 3).tolist() for name, values in aucs.items()}
    ways = {name: describe(values) | {"of_each": of_each[name]} for name, values in means.items()}
    pairs = {f"{b} - {a}": describe(means[b] - means[a]) for a, b in itertools.combinations(means, 2)}
    return {"auc": ways, "differences": pairs}


def describe(values: np.ndarray) -> dict[str, object]:
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return {"value": round(float(values[0]), 3), "interval": [round(float(low), 3), round(float(high), 3)]}


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
