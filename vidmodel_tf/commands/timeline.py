"""`vidmodel timeline`: scores over time and events of long videos."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import check_model_path

if TYPE_CHECKING:
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.timelines.make_timelines import MadeTimeline

HELP = "scores over time and events of long videos"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    parser.add_argument("files", nargs="+", metavar="VIDEO", help="videos, folders and globs")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the files of each video go")
    parser.add_argument(
        "--window", type=float, metavar="SECONDS", help="length of a window (default: as the training clips)"
    )
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="to the next window (default: a quarter of one)")
    parser.add_argument(
        "--windows", choices=("shots", "fixed"), default="shots", help="whether cuts end windows (default: %(default)s)"
    )
    parser.add_argument("--text", metavar="WORDS", help="words for all videos (default: those beside and in each)")
    parser.add_argument("--policy", metavar="FILE", help="what is an event, and what is decided (default: each class)")
    parser.add_argument("--audit", metavar="FILE", help="add each decision to this log (`vidmodel audit` checks it)")
    parser.add_argument("--truth", metavar="FILE", help="what happened, CSV: measures the scores and events")
    parser.add_argument("--clips", action="store_true", help="cut the events out as videos")
    parser.add_argument(
        "--copy", action="store_true", help="with --clips: do not encode anew; each begins at the key frame before"
    )
    parser.add_argument("--annotate", action="store_true", help="write each video with its scores drawn in")
    show.add_json_flag(parser, "print one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Makes timelines, and shows a row for each video."""
    _check_options(options)
    check_model_path(options.model)
    from vidmodel_tf.scoring.policy import load_policy
    from vidmodel_tf.scoring.truth import read_truth
    from vidmodel_tf.timelines.record_decisions import open_audit
    from vidmodel_tf.video.names import expand_videos

    # What is wrong with these shows before the long work.
    policy = load_policy(options.policy) if options.policy else None
    truth = read_truth(options.truth) if options.truth else None
    videos = expand_videos(options.files)
    audit = open_audit(options.audit, policy) if options.audit and policy is not None else None
    import_keras()
    from vidmodel_tf.forms.open_model import open_model
    from vidmodel_tf.scoring.repeated_work import explain_repeated_work
    from vidmodel_tf.timelines.make_timelines import make_timelines
    from vidmodel_tf.timelines.timeline import plan_for, policy_for

    form = open_model(options.model)
    plan = plan_for(form.run, options.window, options.hop)
    policy = policy or policy_for(form.run)
    policy.check_against(form.run.labels)
    if truth is not None:
        truth.check_against(form.run.labels)
    if (note := explain_repeated_work(form, plan)) is not None:
        _note(note)
    made = make_timelines(
        form,
        videos,
        options.out,
        plan,
        policy,
        windows=options.windows,
        text=options.text,
        clips=options.clips,
        copy=options.copy,
        annotated=options.annotate,
        audit=audit,
    )
    timelines = _show(made, options)
    if truth is not None and timelines:
        from vidmodel_tf.commands.timed_metrics_table import print_timed_metrics
        from vidmodel_tf.timelines.measure_timelines import measure_timelines

        metrics = measure_timelines([timeline.document for timeline in timelines], truth, policy)
        if options.json:
            show.print_json(metrics.to_json())
        else:
            print_timed_metrics(metrics, show.open_console())
    return 0 if timelines else 2


def _check_options(options: argparse.Namespace) -> None:
    if options.copy and not options.clips:
        raise InputError("--copy says how --clips cuts the events out: expected both. Received: --copy alone")
    if options.audit is not None and options.policy is None:
        raise InputError(
            "--audit records what a policy decides: expected --policy too. Received: --audit alone, with which nothing "
            "is decided"
        )


def _show(made: Iterable[MadeTimeline | Refusal], options: argparse.Namespace) -> list[MadeTimeline]:
    """As they come with --json, else in one table at the end."""
    from vidmodel_tf.timelines.clock_text import clock_text
    from vidmodel_tf.timelines.make_timelines import MadeTimeline

    timelines, rows, notes = [], [], []
    for item in made:
        if options.json:
            show.print_json(item.to_json())
        if isinstance(item, MadeTimeline):
            timelines.append(item)
            notes += [f"{item.name}: {warning}" for warning in item.warnings]
            document = item.document
            page = f"{options.out}/{item.name}.html"
            rows.append(
                (item.name, clock_text(document.video.duration_seconds), len(document.events), document.decision, page)
            )
        else:
            rows.append((item.id, "", "", "", f"error: {item.reason}"))
    if not options.json:
        columns = ["video", "length", "events", "decision", "page"]
        show.open_console().print(show.table("", columns, [[show.number(cell) for cell in row] for row in rows]))
        for note in notes:
            _note(note)
    return timelines


def _note(text: str) -> None:
    print(f"vidmodel timeline: {text}", file=sys.stderr, flush=True)
