"""Cross-validates every configuration in `benchmarks/accuracy/` on its data set, and compares them.

    python benchmarks/accuracy.py --fights FOLDER/clips.csv --words FOLDER/titles.csv --lung FOLDER/clips.csv --drawn

A configuration `NAME_WHAT.json` is run on the data set NAME: 5 folds grouped by source, 3 seeds. The clips of "drawn"
are drawn here (`benchmarks/evidence.py`). Those of "lung" are held out by patient, and once more by the site that
published them ("lung_sites"). Interrupted, it goes on when called again. Writes `docs/accuracy.json`: for each row the
metrics, the paired differences to the first row of its data set and to the row that `PAIRS` names, and, where it was
not interrupted, the seconds that it took, with the backbone's pass if it was the first to need it. Rows of a data set
that is not named stay as they are. Beside the fights stands one row with folds that tear sources apart, beside the
words what TF-IDF with logistic regression gives in the same folds, trained on all clips not held out.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from evidence import draw
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.evaluation.compare import compare
from vidmodel_tf.evaluation.cross_metrics import pooled_metrics
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction, read_predictions, write_predictions
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.storage import read_json, write_json

HERE = Path(__file__).parent
RESULTS = HERE.parent / "docs" / "accuracy.json"
FIRST_ROWS = {  # what others are held to
    "fights": "fights_appearance",
    "words": "words_lstm",
    "drawn": "drawn_both",
    "lung": "lung_both",
    "lung_sites": "lung_sites_both",
}
SAME_SETTINGS = {"lung_sites": "lung"}  # a data set whose settings are those of another one
PAIRS = {  # rows that one setting tells apart, or some that were chosen together
    "fights_motion_both": "fights_motion",
    "fights_recipe": "fights_motion",
    "fights_recipe_16": "fights_recipe",
    "fights_recipe_16_two_streams": "fights_recipe_16",
    "fights_recipe_attention": "fights_recipe",
    "fights_recipe_fine_tune": "fights_recipe",
    "fights_recipe_gru": "fights_recipe",
    "fights_recipe_last": "fights_recipe",
    "fights_recipe_nets": "fights_recipe",
    "fights_recipe_refit": "fights_recipe",
    "fights_recipe_transformer": "fights_recipe",
    "fights_recipe_undropped": "fights_recipe",
    "fights_recipe_unmirrored": "fights_recipe",
    "words_mean_linear": "words_mean",
    "words_mean_linear_refit": "words_mean_linear",
    "words_mean_linear_vectors": "words_mean_linear_refit",
    "words_tfidf": "words_mean_linear_refit",
}
RANDOM_SPLIT = "fights_recipe"  # shown with folds that tear sources apart, too
FREE_SOURCES = {"source08", "source23"}  # of the fights: two other data sets, nearly free to get right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fights", help="clips.csv of Surveillance Camera Fight")
    parser.add_argument("--words", help="titles.csv of the trending videos")
    parser.add_argument("--lung", help="clips.csv of the lung ultrasound clips")
    parser.add_argument("--drawn", action="store_true", help="the drawn clips too")
    parser.add_argument("--work", default="runs/accuracy", help="where data sets and folds go (default: %(default)s)")
    options = parser.parse_args()
    work = Path(options.work)
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    sources = {
        "words": options.words,
        "drawn": options.drawn and draw(work / "drawn"),
        "fights": options.fights,
        "lung": options.lung and _lung(Path(options.lung), work / "lung_patients.csv", group="source"),
        "lung_sites": options.lung and _lung(Path(options.lung), work / "lung_sites.csv", group="site"),
    }
    for name, source in sources.items():
        if source:
            rows = {row: values for row, values in rows.items() if not row.startswith(f"{name}_")}
            rows |= _rows(name, source, work)
            write_json(RESULTS, dict(sorted(rows.items())))


def _rows(name: str, source: str | Path, work: Path) -> dict[str, Any]:
    _vidmodel("prepare", source, "--out", work / "data" / name, "--json")
    prefix = SAME_SETTINGS.get(name, name)
    configs = {name + path.stem.removeprefix(prefix): path for path in (HERE / "accuracy").glob(f"{prefix}_*.json")}
    rows = sorted(configs, key=lambda row: (row != FIRST_ROWS[name], row))
    folders = {row: _run(name, configs[row], work / row) for row in rows}
    if name == "words":
        folders["words_tfidf"] = _tfidf(work / "data" / name, work / "words_tfidf")
    if name == "fights":
        config = HERE / "accuracy" / f"{RANDOM_SPLIT}.json"
        row = f"{RANDOM_SPLIT}_random_split"
        folders[row] = _run(name, config, work / row, "--random-split")
    return {row: _measure(name, out) for row, out in folders.items()}


def _lung(source: Path, out: Path, *, group: str) -> Path:
    """The clips without a class that has only a few, to be held out by patient or by site."""
    with source.open(encoding="utf-8", newline="") as file:
        clips = [clip for clip in csv.DictReader(file) if clip["label"] != "viral"]
    rows = [(source.parent.resolve() / clip["path"], clip["label"], clip[group], clip["description"]) for clip in clips]
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label", "source", "description"), *rows])
    return out


def _run(name: str, config: Path, out: Path, *flags: str) -> Path:
    is_new, start = not out.exists(), time.monotonic()
    _vidmodel("crossvalidate", out.parent / "data" / name, "--out", out, "--config", config, "--json", *flags)
    if is_new:
        write_json(out / "seconds.json", round(time.monotonic() - start))
    return out


def _measure(name: str, out: Path) -> dict[str, Any]:
    predictions = read_predictions(out)
    row = pooled_metrics(predictions, "label").to_json()
    if (out / "seconds.json").exists():
        row["seconds"] = read_json(out / "seconds.json")
    if name == "fights":
        rest = [prediction for prediction in predictions if prediction.source not in FREE_SOURCES]
        row["without_free_sources"] = pooled_metrics(rest, "label").to_json()
    first = out.parent / FIRST_ROWS[name]
    if out != first and not out.name.endswith("random_split"):
        row["against"] = {"row": first.name, **compare(out, first).heads["label"].to_json()}
    if out.name in PAIRS:
        other = out.parent / PAIRS[out.name]
        row["beside"] = {"row": other.name, **compare(out, other).heads["label"].to_json()}
    return row


def _tfidf(data: Path, out: Path) -> Path:
    clips = open_data_set(data).clips
    texts = {clip.id: f"{clip.text['title']} {clip.text['tags']}" for clip in clips}
    predictions = []
    partitions = {seed: assign_folds(clips, num_folds=5, seed=seed) for seed in range(3)}
    for seed, fold in itertools.product(range(3), range(5)):
        splits = partitions[seed][fold]
        held_out = [clip for clip in clips if splits[clip.id] == "test"]
        rest = [clip for clip in clips if splits[clip.id] != "test"]
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
        )
        model.fit([texts[clip.id] for clip in rest], [clip.labels["label"] for clip in rest])
        for clip, answer in zip(held_out, model.predict([texts[clip.id] for clip in held_out]), strict=True):
            heads = {"label": HeadPrediction(clip.labels["label"], answer)}
            predictions.append(Prediction(seed, fold + 1, clip.id, clip.source, heads))
    write_predictions(out, predictions)
    return out


def _vidmodel(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "vidmodel_tf", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
