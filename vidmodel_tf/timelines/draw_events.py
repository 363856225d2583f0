"""Events and the decision of a policy, into a document that has scores."""

from __future__ import annotations

import dataclasses

from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.judge import Judgement, judge
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.timelines.document import Document


def draw_events(document: Document, policy: Policy) -> tuple[Document, Judgement]:
    """The same video with the events and the decision of a policy, and why it is decided so.

    Raises:
        InputError: A rule's head or class is not in the scores.
    """
    events, judgement = find_events(document.scores, policy), judge(document.scores, policy)
    return dataclasses.replace(document, events=events, decision=judgement.decision), judgement
