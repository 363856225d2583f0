"""What a policy decides on a video, into the log of decisions."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.audit import AuditLog, AuditRecord
from vidmodel_tf.scoring.judge import Judgement
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.timelines.document import Document


def open_audit(path: str | Path, policy: Policy) -> AuditLog:
    """Opens a log for what a policy decides.

    Raises:
        InputError: The policy decides nothing, or the log is damaged.
        OSError: The file cannot be written.
    """
    if not policy.video and all(rule.decision is None for rule in policy.rules):
        raise InputError(
            '--audit records decisions: expected a policy in which a rule has a "decision", or with rules for whole '
            "videos. Received: one that decides nothing"
        )
    audit = AuditLog(path)
    audit.append()
    return audit


def record_decisions(audit: AuditLog, document: Document, judgement: Judgement, policy: Policy) -> None:
    """Adds a line for each reason, then one for the decision on the whole video.

    Args:
        audit: The log.
        document: The video.
        judgement: What `policy` decides on it, now.
        policy: The policy.

    Raises:
        InputError: The log is damaged; nothing is added.
    """
    blank = AuditRecord(
        time=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        video=document.video.path,
        video_sha256=document.video.sha256,
        decision="",
        model=document.model.fingerprint,
        policy=policy.fingerprint,
    )
    records = [dataclasses.replace(blank, **reason.to_json()) for reason in judgement.reasons]
    if judgement.decision is not None:
        records.append(dataclasses.replace(blank, decision=judgement.decision))
    audit.append(*records)
