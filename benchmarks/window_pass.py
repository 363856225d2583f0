"""Processor time of the pass of `vidmodel timeline`, beside that of a model that computes each window anew.

    python benchmarks/window_pass.py RUN VIDEO [--seconds S] [--overlap N ...]

Both score the same windows of the same video one after the other in one process: the reader, the frames and the scores
are the same, and the script ends with an error where the scores are not. Processor time is that of this process and of
its reader, all threads added up, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from vidmodel_tf.quiet import import_tensorflow

import_tensorflow()

from vidmodel_tf.forms.form import Form, Scores  # noqa: E402 (TensorFlow is silenced first)
from vidmodel_tf.forms.open_model import open_model  # noqa: E402
from vidmodel_tf.scoring.windows import DEFAULT_OVERLAP  # noqa: E402
from vidmodel_tf.timelines.cut_clip import cut_clip  # noqa: E402
from vidmodel_tf.timelines.score_video import ScoredVideo, score_video  # noqa: E402
from vidmodel_tf.timelines.timeline import plan_for  # noqa: E402

TOLERANCE = 1e-4  # scores are rounded to four places


class Anew(Form):
    """A model whose features are the frames, so that it encodes them for every window."""

    def __init__(self, form: Form) -> None:
        self._form, self.path, self.run, self.tolerance = form, form.path, form.run, form.tolerance

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        return frames_BxTxHxWxC

    def classify(self, features: np.ndarray | None, words: list[str]) -> Scores:
        return self._form.scores(features, words)

    def as_clips(self, features: np.ndarray) -> np.ndarray:
        return features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder, or an exported model that is not one file")
    parser.add_argument("video")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the video (default: %(default)g)")
    parser.add_argument("--overlap", type=int, nargs="+", default=[DEFAULT_OVERLAP], help="windows that cover a step")
    options = parser.parse_args()
    form = open_model(options.run)
    with tempfile.TemporaryDirectory() as folder:
        part = cut_clip(options.video, 0.0, options.seconds, Path(folder) / "part.mp4")
        print(f"{part.end_seconds:.1f} seconds of video, {form.path}")
        print("overlap  one pass s  anew s  ratio  largest difference of scores")
        for overlap in options.overlap:
            _compare(form, part.path, overlap)


def _compare(form: Form, video: Path, overlap: int) -> None:
    _score(form, video, overlap)  # compiles
    once, once_seconds = _score(form, video, overlap)
    anew, anew_seconds = _score(Anew(form), video, overlap)
    difference = max(
        float(np.abs(scores.scores - anew.scores.heads[head].scores).max())
        for head, scores in once.scores.heads.items()
    )
    ratio = anew_seconds / once_seconds
    print(f"{overlap:7}  {once_seconds:10.1f}  {anew_seconds:6.1f}  {ratio:5.2f}  {difference:.1e}", flush=True)
    if difference > TOLERANCE + 1e-9:
        raise SystemExit(f"the scores differ by up to {difference:.1e}: expected at most {TOLERANCE:.0e}")


def _score(form: Form, video: Path, overlap: int) -> tuple[ScoredVideo, float]:
    plan = plan_for(form.run, None, None)
    plan = plan_for(form.run, plan.window_seconds, plan.window_seconds / overlap)
    start = _processor_seconds()
    scored = score_video(form, video, plan)
    return scored, _processor_seconds() - start


def _processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
