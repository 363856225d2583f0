"""How results are shown: tables for people, JSON for programs."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vidmodel_tf.errors import VidmodelError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.decision import Answer, HeadAnswer


_HALVES_OF_PAIRS = re.compile("[\ud800-\udfff]")


def add_json_flag(parser: argparse.ArgumentParser, help: str = "print one JSON object, for programs") -> None:
    """Adds --json."""
    parser.add_argument("--json", action="store_true", help=help)


def print_json(value: object) -> None:
    """Prints a JSON value on a line of its own, at once.

    Raises:
        VidmodelError: A figure is NaN or infinite, which JSON does not have.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise VidmodelError(
            f"expected finite figures, as JSON has no others ({error}); without --json they are shown as they are"
        ) from None
    # A file's name that is not UTF-8 holds halves of surrogate pairs, which no output but an escape can carry.
    print(_HALVES_OF_PAIRS.sub(lambda half: f"\\u{ord(half[0]):04x}", text), flush=True)


def open_console(*, quiet: bool = False) -> Console:
    """Where tables and lines are printed: standard output, or nowhere.

    Text is printed as it is: names of classes and files may hold brackets and colons.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, quiet=quiet)
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no edge to wrap at
    return console


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table for a console; cells that are too wide are folded, not cut."""
    from rich.table import Table

    result = Table(title=title, title_justify="left")
    for column in columns:
        result.add_column(column, overflow="fold")
    for row in rows:
        result.add_row(*map(str, row))
    return result


def number(value: float | str | None) -> str:
    """A figure for a cell; "-" where there is none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def scientific(value: float | None) -> str:
    """A small difference for a cell; None stands for one that is not a number."""
    return "not a number" if value is None else f"{value:.1e}"


def interval(bounds: Sequence[float | None] | None) -> str:
    """A confidence interval for a cell; "-" where there is none."""
    if bounds is None or bounds[0] is None:
        return "-"
    low, high = bounds
    return f"{low:.3f} to {high:.3f}"


def show_answers(answers: Iterable[Answer | Refusal], options: argparse.Namespace) -> int:
    """Shows answers for videos: as they come with --json, else in one table at the end.

    Returns:
        The exit code: 2 if no video was answered.
    """
    from vidmodel_tf.decision import Answer
    from vidmodel_tf.progress import track

    any_answered = False
    if options.json:
        for answer in answers:
            any_answered |= isinstance(answer, Answer)
            print_json(answer.to_json())
    else:
        rows = list(track(answers, "predicting", total=None))
        any_answered = any(isinstance(row, Answer) for row in rows)
        print_answers(rows, open_console())
    return 0 if any_answered else 2


def print_answers(answers: Sequence[Answer | Refusal], console: Console) -> None:
    """A row a video."""
    from vidmodel_tf.decision import Answer

    heads = next((list(answer.heads) for answer in answers if isinstance(answer, Answer)), [])
    rows = [
        (_name(answer), *(_head_answer(answer.heads[head]) for head in heads))
        if isinstance(answer, Answer)
        else (_name(answer), f"error: {answer.reason}", *[""] * (len(heads) - 1))
        for answer in answers
    ]
    console.print(table("", ["video", *(heads or ["answer"])], rows))


def _name(answer: Answer | Refusal) -> str:
    name = answer.id
    if answer.seconds is not None:
        start, end = answer.seconds
        name += f", {start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"
    return f"{name}: {answer.question}" if answer.question else name


def _head_answer(answer: HeadAnswer) -> str:
    from vidmodel_tf.decision import OneLabel

    if isinstance(answer, OneLabel):
        return f"{answer.label} {answer.score:.3f}"
    scores = answer.scores if isinstance(answer.scores, dict) else {}
    return ", ".join(f"{name} {scores[name]:.3f}" if name in scores else name for name in answer.labels) or "(none)"
