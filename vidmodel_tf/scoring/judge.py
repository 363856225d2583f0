"""What a policy decides on a whole video, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import RANKED, VideoRule
from vidmodel_tf.scoring.timed_scores import TimedScores

_TOLERANCE = 1e-9  # seconds: 3 * 0.1 is not more than 0.3


@dataclasses.dataclass(frozen=True)
class Reason:
    """One decision of one rule.

    Attributes:
        rule: The name of the rule.
        head: The head and
        label: the class whose scores it watches.
        decision: What it decides.
        score: The highest score, of the event or of the video, 0 to 1.
        threshold: What that score has reached.
        seconds: How long the event lasts, with its padding, or how long the video's scores are at least `threshold`.
        event: The id of the event; None for a rule on the whole video.
    """

    rule: str
    head: str
    label: str
    decision: str
    score: float
    threshold: float
    seconds: float
    event: str | None = None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        where = "" if self.event is None else f" in {self.event}"
        return (
            f"{self.decision} by {self.rule}: {self.label} {self.score:.4g} >= {self.threshold:.4g}{where}, "
            f"{self.seconds:.4g} s"
        )


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What is decided on a video.

    Attributes:
        decision: "accept", "review" or "reject"; None where the policy has no rule that says any of them.
        reasons: The worst first, alarms last.
    """

    decision: str | None
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, object]:
        """`{"decision", "reasons": [...]}`, each reason with its fields by name."""
        return {"decision": self.decision, "reasons": [reason.to_json() for reason in self.reasons]}


def judge(scores: TimedScores, policy: Policy) -> Judgement:
    """Decides on a video. The worst decision wins, and without a reason the video is accepted.

    - Each event whose rule has a decision is a reason for it. Its threshold is the rule's `on`.
    - A rule on the whole video rejects it if the steps whose score is at least `reject_score` last longer than
      `reject_over_seconds`, all of them together, whether or not they are neighbours. Otherwise it asks for a review
      if the highest score is at least `review_score`. A step lasts `step_seconds`; the last one ends with the video.
    - A decision that is none of "accept", "review" and "reject" is an alarm: it is among the reasons and has no
      influence on the decision. A policy that has nothing but alarms, or no decisions at all, decides nothing (None).

    Raises:
        InputError: A rule's head or class is not in the scores.
    """
    reasons = [*_reasons_of_events(scores, policy), *_reasons_of_video(scores, policy)]
    reasons.sort(key=lambda reason: -_rank(reason.decision))
    if not policy.ranks_videos:
        return Judgement(None, tuple(reasons))
    worst = max((_rank(reason.decision) for reason in reasons), default=0)
    return Judgement(RANKED[max(worst, 0)], tuple(reasons))


def _reasons_of_events(scores: TimedScores, policy: Policy) -> Iterator[Reason]:
    thresholds = {rule.name: rule.on for rule in policy.rules}
    for event in find_events(scores, policy):
        if event.decision is not None:
            yield Reason(
                rule=event.rule,
                head=event.head,
                label=event.label,
                decision=event.decision,
                score=event.score,
                threshold=thresholds[event.rule],
                seconds=round(event.end_seconds - event.start_seconds, 3),
                event=event.id,
            )


def _reasons_of_video(scores: TimedScores, policy: Policy) -> Iterator[Reason]:
    for rule in policy.video:
        track = scores.head(rule.head).track(rule.label)
        highest = float(track.max(initial=0.0))
        decided = _decide(rule, track, highest, scores)
        if decided is not None:
            decision, threshold = decided
            seconds = round(_seconds_at_least(threshold, track, scores), 3)
            yield Reason(rule.name, rule.head, rule.label, decision, highest, threshold, seconds)


def _decide(rule: VideoRule, track: np.ndarray, highest: float, scores: TimedScores) -> tuple[str, float] | None:
    """The decision and the threshold that led to it."""
    if rule.reject_score is not None:
        seconds = _seconds_at_least(rule.reject_score, track, scores)
        if seconds > rule.reject_over_seconds + _TOLERANCE:
            return "reject", rule.reject_score
    if rule.review_score is not None and len(track) and highest >= rule.review_score:
        return "review", rule.review_score
    return None


def _seconds_at_least(threshold: float, track: np.ndarray, scores: TimedScores) -> float:
    is_reached = track >= threshold
    # Not a sum of lengths: thousands of tenths of a second do not add up to whole ones.
    seconds = int(is_reached.sum()) * scores.step_seconds
    if len(track) and is_reached[-1]:  # the video may end inside the last step
        seconds -= len(track) * scores.step_seconds - scores.end_seconds
    return seconds


def _rank(decision: str) -> int:
    return RANKED.index(decision) if decision in RANKED else -1
