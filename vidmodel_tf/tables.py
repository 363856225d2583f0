"""What the commands print for people."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.decision import Answer, HeadAnswer, OneLabel
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no edge to wrap at
    return console


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    return table


def print_prepare_report(report: dict[str, Any]) -> None:
    """Counts per split and class, then what was refused, and warnings."""
    console, splits = _console(), report["counts"]
    rows = [
        (head, name, *(splits[split]["labels"][head][name] for split in splits))
        for head in next(iter(splits.values()))["labels"]
        for name in next(iter(splits.values()))["labels"][head]
    ]
    console.print(_table(f"{report['num_clips']} clips stored", ["head", "class", *splits], rows))
    for clip_id, reason in report["refused"].items():
        console.print(f"refused: {escape(clip_id)}: {escape(reason)}")
    for warning in report["warnings"]:
        console.print(f"warning: {escape(warning)}")
    if report["ignored_columns"]:
        console.print(f"ignored columns: {escape(', '.join(report['ignored_columns']))}")


def print_inspection(found: dict[str, Any]) -> None:
    """What `inspect` found."""
    console, splits = _console(), found["splits"]
    rows = [(split, *(values[key] for key in ("clips", "sources", "seconds"))) for split, values in splits.items()]
    console.print(_table(found["data"], ["split", "clips", "sources", "seconds"], rows))
    rows = [
        (head, name or "(not labelled)", *(splits[split]["labels"][head].get(name, 0) for split in splits))
        for head in found["balance"]
        for name in dict.fromkeys(name for values in splits.values() for name in values["labels"][head])
    ]
    console.print(_table("classes", ["head", "class", *splits], rows))
    rows = [(field, *values.values()) for field, values in found["words"].items()]
    console.print(_table("words", ["field", "clips with words", "median tokens", "most tokens"], rows))
    for source in found["leaks"]["sources_in_two_splits"]:
        console.print(f"leak: the source {escape(source)} is in two splits")
    for ids in found["leaks"]["same_frames"]:
        console.print(f"the same frames: {escape(', '.join(ids))}")
    if found["contact_sheet"]:
        console.print(f"to look at: {escape(found['contact_sheet'])}")


def print_training(run: Run, was_finished: bool) -> None:
    """How long each stage went on, and where the result is."""
    console = _console()
    for line in describe_stages(run):
        console.print(line)
    state = "already trained with these arguments, nothing was done" if was_finished else "trained"
    console.print(f"{state}: {escape(str(run.path))}")
    console.print(f"watch: tensorboard --logdir {escape(str(run.path / layout.LOGS))}")
    console.print(f"next: vidmodel evaluate {escape(str(run.path))}")


def describe_stages(run: Run) -> list[str]:
    """A line for each stage of `history.csv`: its epochs, why it ended, and which epoch's weights it left."""
    path = run.path / layout.HISTORY
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines, lowest = [], math.inf
    for stage, group in itertools.groupby(rows, key=lambda row: row["stage"]):
        epochs = list(group)
        if stage.endswith("_refit"):
            lines.append(f"{stage}: {len(epochs)} epochs, as many as were best before")
            continue
        monitor = "val_loss" if epochs[0].get("val_loss") else "loss"
        lowest = lowest if monitor == "val_loss" else math.inf  # as training compares
        best = 0
        for number, row in enumerate(epochs, 1):
            if float(row[monitor]) < lowest:
                best, lowest = number, float(row[monitor])
        waited = len(epochs) - best >= run.config.train.patience
        ended = f"ended by patience {run.config.train.patience}" if waited else "as many as were allowed"
        kept = f"kept epoch {best}, {monitor} {lowest:.4f}" if best else f"none kept, {monitor} was {lowest:.4f} before"
        lines.append(f"{stage}: {len(epochs)} epochs, {ended}; {kept}")
    return lines


def print_evaluation(result: dict[str, Any]) -> None:
    """Accuracy with its interval beside the baseline and the ablations, then each class."""
    console = _console()
    rows = [
        (head, metrics["num_clips"], _number(metrics["accuracy"]), _interval(metrics["interval_95"]),
         _number(metrics["baseline"]), *(_number(values[head]) for values in result["ablations"].values()))
        for head, metrics in result["heads"].items()
    ]  # fmt: skip
    columns = ["head", "clips", "accuracy", "95 % interval", "majority class"]
    names = [name.replace("_", " ") for name in result["ablations"]]
    console.print(_table(f"split {result['split']}", [*columns, *names], rows))
    for head, metrics in result["heads"].items():
        per_class = metrics["per_class"] or {}
        rows = [(name, *(_number(value) for value in row.values())) for name, row in per_class.items()]
        keys = next(iter(per_class.values()), {})
        console.print(_table(head, ["class", *(key.replace("_", " ") for key in keys)], rows))


def print_crossvalidation(result: dict[str, Any]) -> None:
    """Pooled accuracy with its interval and spread, a row a head."""
    keys = ("num_clips", "num_sources", "pooled_accuracy", "interval_95", "sd_over_seeds", "sd_over_folds")
    rows = [
        (head, *(_interval(metrics[key]) if key == "interval_95" else _number(metrics[key]) for key in keys))
        for head, metrics in result["heads"].items()
        if metrics
    ]
    kind = "random split (flatters)" if result["random_split"] else "grouped by source"
    title = f"{result['folds']} folds, {result['seeds']} seeds, {kind}"
    columns = ["head", "clips", "sources", "accuracy", "95 % interval", "sd over seeds", "sd over folds"]
    _console().print(_table(title, columns, rows))
    _console().print(f"predictions: {escape(result['predictions'])}")


def print_comparison(result: dict[str, Any]) -> None:
    """The paired difference, a row a head."""
    rows = [
        (head, f"{found['difference']:+.3f}", _interval(found["interval_95"]), found["verdict"])
        for head, found in result.items()
    ]
    _console().print(_table("first minus second", ["head", "accuracy", "95 % interval", "the first is"], rows))


def print_predictions(answers: Sequence[Answer | Refusal]) -> None:
    """A row a video."""
    heads = next((list(answer.heads) for answer in answers if isinstance(answer, Answer)), [])
    rows = [
        (answer.id, *(_head_answer(answer.heads[head]) for head in heads))
        if isinstance(answer, Answer)
        else (answer.id, f"error: {answer.reason}", *[""] * (len(heads) - 1))
        for answer in answers
    ]
    _console().print(_table("", ["video", *(heads or ["answer"])], rows))


def print_export(exported: dict[str, str], run_dir: str) -> None:
    """Where each form is, how good, and how to check it."""
    console = _console()
    for path in exported.values():
        console.print(f"exported: {escape(path)}")
    if "saved_model" in exported:
        console.print(f"check: vidmodel verify {escape(exported['saved_model'])} {escape(run_dir)}")
    if "onnx" in exported:
        console.print(f"check: vidmodel verify {escape(exported['onnx'])}/model.onnx {escape(run_dir)}")
    if "tflite" in exported:
        folder = Path(exported["tflite"])
        _print_lite_report(json.loads((folder / "report.json").read_text(encoding="utf-8")), console)
        console.print(f"check: vidmodel verify {escape(str(folder / 'float16.tflite'))} {escape(run_dir)}")


def _print_lite_report(report: dict[str, Any], console: Console) -> None:
    rows = [
        (
            name,
            f"{values['bytes'] / 1e6:.2f}",
            sum(values["ops"].values()),
            *map(_number, values["milliseconds"].values()),
        )
        for name, values in report["files"].items()
    ]
    console.print(_table("files", ["file", "MB", "ops", "ms, 1 thread", "ms, 2 threads"], rows))
    rows = [
        (
            name,
            head,
            _scientific(found["max_difference"]),
            *(_number(found[key]) for key in ("label_agreement", "accuracy")),
        )
        for name, heads in report["models"].items()
        for head, found in heads.items()
    ]
    rows += [("keras", head, "", "", _number(accuracy)) for head, accuracy in report["keras"].items()]
    title = f"{report['num_clips']} clips of the split {report['split']}"
    columns = ["model", "head", "largest difference", "equal labels", "accuracy"]
    console.print(_table(title, columns, rows))


def print_verification(result: dict[str, Any]) -> None:
    """The largest difference and the share of equal labels, a row for each head and way of asking."""
    rows = [
        (way, head, _scientific(found["max_difference"]), _number(found["label_agreement"]))
        for way, heads in result["answers"].items()
        for head, found in heads.items()
    ]
    verdict = "the same" if result["passed"] else "NOT the same"
    title = f"{result['num_examples']} examples: {verdict}, with a tolerance of {result['tolerance']:.0e}"
    _console().print(_table(title, ["asked", "head", "largest difference", "equal labels"], rows))


def _head_answer(answer: HeadAnswer) -> str:
    if isinstance(answer, OneLabel):
        return f"{answer.label} {answer.score:.3f}"
    return ", ".join(f"{name} {answer.scores[name]:.3f}" for name in answer.labels) or "(none)"


def _scientific(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.1e}"


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _interval(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None or bounds[0] is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
