"""`vidmodel decide`: events and decisions again by a policy, from kept scores."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show

if TYPE_CHECKING:
    from vidmodel_tf.timelines.decide import Decided

HELP = "events and decisions again from the scores that timeline kept, without the model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("folder", metavar="FOLDER", help="with NAME.timeline.json files; their events are replaced")
    parser.add_argument("--policy", required=True, metavar="FILE", help="what to look for and to decide, JSON")
    parser.add_argument("--audit", metavar="FILE", help="add each decision to this log (`vidmodel audit` checks it)")
    show.add_json_flag(parser, "print one JSON object a line")


def run(options: argparse.Namespace) -> None:
    """Decides, and shows a row for each video."""
    from vidmodel_tf.scoring.audit import AuditLog
    from vidmodel_tf.scoring.policy import load_policy
    from vidmodel_tf.timelines.decide import decide_folder

    audit = None if options.audit is None else AuditLog(options.audit)
    decided = decide_folder(options.folder, load_policy(options.policy), audit)
    if options.json:
        for video in decided:
            show.print_json(video.to_json())
    else:
        rows = [_row(video) for video in decided]
        show.open_console().print(show.table("", ["video", "decision", "events", "why"], rows))


def _row(video: Decided) -> tuple[str, str, int, str]:
    judgement = video.judgement
    why = "; ".join(map(str, judgement.reasons))
    return video.name, judgement.decision or "-", len(video.document.events), why
