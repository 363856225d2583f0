"""`vidmodel decide`: events and decisions again by a policy, from kept scores."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show

if TYPE_CHECKING:
    from vidmodel_tf.scoring.judge import Reason
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
    from vidmodel_tf.scoring.policy import load_policy
    from vidmodel_tf.timelines.decide import decide_folder
    from vidmodel_tf.timelines.record_decisions import open_audit

    policy = load_policy(options.policy)
    audit = None if options.audit is None else open_audit(options.audit, policy)
    decided = decide_folder(options.folder, policy, audit)
    if options.json:
        for video in decided:
            show.print_json(video.to_json())
    else:
        rows = [_row(video) for video in decided]
        show.open_console().print(show.table("", ["video", "decision", "events", "why"], rows))


def _row(video: Decided) -> tuple[str, str, int, str]:
    reasons = video.judgement.reasons
    names = dict.fromkeys(reason.rule for reason in reasons)
    by_rule = [[reason for reason in reasons if reason.rule == name] for name in names]
    why = "; ".join(map(_strongest, by_rule))
    return video.name, video.judgement.decision or "-", len(video.document.events), why


def _strongest(reasons: Sequence[Reason]) -> str:
    """The reason with the highest score among those of one rule, and how many more there are."""
    more = f" ({len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{max(reasons, key=lambda reason: reason.score)}{more}"
