"""Models of folds, and what they answer about the clips that were held out."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction
from vidmodel_tf.forms.form import Form
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.run_folder.run import Run

NUM_FOLDS = 5
HEAD = "label"


def parse_options(description: str, work: str) -> argparse.Namespace:
    """The options of a script: `clips`, and `work`, the folder for all but the result.

    Args:
        description: What the script is for.
        work: The default folder.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", help="clips.csv of Surveillance Camera Fight")
    parser.add_argument("--work", type=Path, default=work, help="where all else goes (default: %(default)s)")
    return parser.parse_args()


def vidmodel(*arguments: Any) -> None:
    """Runs a command; what it says is shown."""
    subprocess.run([sys.executable, "-m", "vidmodel_tf", *map(str, arguments)], check=True)


def predict(form: Form, run: Run, data: DataSet, fold: int) -> Iterator[Prediction]:
    """The answer of a model to each clip that its fold held out.

    Args:
        form: A model in one of its forms.
        run: The run folder that it is from.
        data: Its data set, in the splits of the fold.
        fold: From 1.
    """
    for clip, question in data.questions("test", run.config.model):
        scores = form.scores(decode_questions([question], run.config.model), [""])
        (answer,) = decide(scores[HEAD], run.thresholds.get(HEAD))
        heads = {HEAD: HeadPrediction(clip.labels[HEAD], run.labels[HEAD][answer])}
        yield Prediction(run.config.train.seed, fold, clip.id, clip.source, heads)


def label_agreement(rows: Sequence[Prediction], reference: Sequence[Prediction]) -> float:
    """The share of clips with the same answer."""
    expected = {row.id: row.heads[HEAD].answer for row in reference}
    return float(np.mean([row.heads[HEAD].answer == expected[row.id] for row in rows]))
