"""Events and decisions of kept timelines, drawn again by a policy, without the model. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.audit import AuditLog
from vidmodel_tf.scoring.judge import Judgement
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.timelines.document import SUFFIX, Document, read_document
from vidmodel_tf.timelines.draw_events import draw_events
from vidmodel_tf.timelines.folder import timeline_paths
from vidmodel_tf.timelines.outputs import write_outputs
from vidmodel_tf.timelines.record_decisions import record_decisions


@dataclasses.dataclass(frozen=True, eq=False)
class Decided:
    """A video that was decided on.

    Attributes:
        name: Of its files in the folder.
        document: As it is now.
        judgement: The decision, and why.
    """

    name: str
    document: Document
    judgement: Judgement

    def to_json(self) -> dict[str, object]:
        """`{"name", "video", "decision", "reasons", "events"}`."""
        return {
            "name": self.name,
            "video": self.document.video.path,
            **self.judgement.to_json(),
            "events": [event.to_json() for event in self.document.events],
        }


def decide_folder(folder: str | Path, policy: Policy, audit: AuditLog | None = None) -> Iterator[Decided]:
    """Draws the events and the decision of every timeline in a folder again, and writes its files anew.

    Args:
        folder: With `NAME.timeline.json` files, as `timeline` leaves them.
        policy: What to look for, and what to decide.
        audit: Gets the decisions of a video before its files are written.

    Returns:
        The videos, one by one, by name. Nothing is written before the policy was found to fit all of them.

    Raises:
        InputError: There is no timeline, one is damaged, or a rule's head or class is not in one.
    """
    paths = timeline_paths(folder)
    for path in paths:
        _check_policy(policy, path)
    return (_decide(path, policy, audit) for path in paths)


def _check_policy(policy: Policy, path: Path) -> None:
    heads = read_document(path).scores.heads
    try:
        policy.check_against({name: head.labels for name, head in heads.items()})
    except InputError as error:
        raise InputError(error.reason, subject=path) from None


def _decide(path: Path, policy: Policy, audit: AuditLog | None) -> Decided:
    document, judgement = draw_events(read_document(path), policy)
    if audit is not None:
        record_decisions(audit, document, judgement, policy)
    name = path.name.removesuffix(SUFFIX)
    write_outputs(path.parent, name, document, policy=policy)
    return Decided(name, document, judgement)
