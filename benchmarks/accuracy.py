"""Cross-validates every configuration in `benchmarks/accuracy/` on the data sets that are there, and compares them.

    python benchmarks/accuracy.py --fights FOLDER/clips.csv --words FOLDER/titles.csv

A configuration `NAME_WHAT.json` is run on the data set NAME: 5 folds grouped by source, 3 seeds. Interrupted, it goes
on when called again. Writes `docs/accuracy.json`: for each row the metrics and the paired difference to the first row
of its data set. Rows of a data set that is not given stay as they are. Beside the words stands what TF-IDF with
logistic regression gives in the same folds, trained on all clips that are not held out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from vidmodel_tf.atomic import write_json
from vidmodel_tf.clips.splits import assign_folds
from vidmodel_tf.evaluation.compare import read_predictions
from vidmodel_tf.evaluation.cross_metrics import pooled_metrics
from vidmodel_tf.records.index import read_index

HERE = Path(__file__).parent
RESULTS = HERE.parent / "docs" / "accuracy.json"
FIRST_ROWS = {"fights": "fights_appearance", "words": "words_lstm"}  # what the others are compared with
FREE_SOURCES = {"source08", "source23"}  # of the fights: two other data sets, nearly free to get right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fights", help="clips.csv of Surveillance Camera Fight")
    parser.add_argument("--words", help="titles.csv of the trending videos")
    parser.add_argument("--work", default="runs/accuracy", help="where data sets and folds go (default: %(default)s)")
    options = parser.parse_args()
    work = Path(options.work)
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name, source in (("fights", options.fights), ("words", options.words)):
        if source:
            _vidmodel("prepare", source, "--out", work / "data" / name, "--json")
            rows |= {path.stem: _row(name, path, work) for path in sorted((HERE / "accuracy").glob(f"{name}_*.json"))}
    if options.words:
        rows["words_tfidf"] = _tfidf(work / "data" / "words")
    write_json(RESULTS, rows)


def _row(name: str, config: Path, work: Path) -> dict[str, Any]:
    out = work / config.stem
    result = _vidmodel("crossvalidate", work / "data" / name, "--out", out, "--config", config, "--json")
    row = dict(result["heads"]["label"])
    if name == "fights":
        row["without_free_sources"] = _without_free_sources(out)
    first = work / FIRST_ROWS[name]
    if out != first:
        row["against"] = {"row": first.name, **_vidmodel("compare", out, first, "--json")["label"]}
    print(config.stem, json.dumps(row), flush=True)
    return row


def _without_free_sources(out: Path) -> dict[str, Any] | None:
    return pooled_metrics([row for row in read_predictions(out) if row["source"] not in FREE_SOURCES], "label")


def _tfidf(data: Path) -> dict[str, Any] | None:
    clips = read_index(data)
    texts = {clip.id: f"{clip.text['title']} {clip.text['tags']}" for clip in clips}
    predictions = []
    for seed, fold in itertools.product(range(3), range(5)):
        splits = assign_folds(clips, num_folds=5, seed=seed)[fold]
        held_out = [clip for clip in clips if splits[clip.id] == "test"]
        rest = [clip for clip in clips if splits[clip.id] != "test"]
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
        )
        model.fit([texts[clip.id] for clip in rest], [clip.labels["label"] for clip in rest])
        for clip, answer in zip(held_out, model.predict([texts[clip.id] for clip in held_out]), strict=True):
            heads = {"label": {"truth": clip.labels["label"], "answer": answer}}
            predictions.append({"seed": seed, "fold": fold, "id": clip.id, "source": clip.source, "heads": heads})
    return pooled_metrics(predictions, "label")


def _vidmodel(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "vidmodel_tf", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
