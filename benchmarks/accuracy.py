"""Cross-validates every configuration in `benchmarks/accuracy/` on the data sets that are there, and compares them.

    python benchmarks/accuracy.py --fights FOLDER/clips.csv --words FOLDER/titles.csv

A configuration `NAME_WHAT.json` is run on the data set NAME: 5 folds grouped by source, 3 seeds. Interrupted, it goes
on when called again. Writes `docs/accuracy.json`: for each row the metrics and the paired difference to the first row
of its data set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIRST_ROWS = {"fights": "fights_appearance", "words": "words_lstm"}  # what the others are compared with
FREE_SOURCES = {"source08", "source23"}  # of the fights: two other data sets, nearly free to get right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fights", help="clips.csv of Surveillance Camera Fight")
    parser.add_argument("--words", help="titles.csv of the trending videos")
    parser.add_argument("--work", default="runs/accuracy", help="where data sets and folds go (default: %(default)s)")
    options = parser.parse_args()
    work, rows = Path(options.work), {}
    for name, source in (("fights", options.fights), ("words", options.words)):
        if source:
            _vidmodel("prepare", source, "--out", work / "data" / name, "--json")
            rows |= {path.stem: _row(name, path, work) for path in sorted((HERE / "accuracy").glob(f"{name}_*.json"))}
    (HERE.parent / "docs" / "accuracy.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


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
    from vidmodel_tf.evaluation.cross_metrics import pooled_metrics
    from vidmodel_tf.evaluation.crossvalidate import read_predictions

    return pooled_metrics([row for row in read_predictions(out) if row["source"] not in FREE_SOURCES], "label")


def _vidmodel(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "vidmodel_tf", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
