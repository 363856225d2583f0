"""Which events of a live stream are worth a notification: not too often, and only at the hours that were asked for."""

from __future__ import annotations

import collections
import dataclasses

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.hours import Hours
from vidmodel_tf.scoring.rule import Rule

_HOUR = 3600.0


@dataclasses.dataclass(frozen=True)
class Notification:
    """Whether somebody is told of an event.

    Attributes:
        event: The event.
        is_sent: Whether it is to be sent.
        reason: Why it is not sent; None where it is.
    """

    event: Event
    is_sent: bool
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """`{"sent", "reason"}`."""
        return {"sent": self.is_sent, "reason": self.reason}


class NotificationLimiter:
    """Holds the notifications of one rule to its `hours`, `cooldown_seconds` and `max_per_hour`.

    Both limits count from notifications that were sent: one that was suppressed does not prolong the silence. A clock
    that is set back does not prolong it either: what was sent "in the future" counts as sent just now.

    Args:
        rule: Whose events they are.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._hours = None if rule.hours is None else Hours.parse(rule.hours)
        self._sent: collections.deque[float] = collections.deque()

    def decide(self, event: Event, utc_seconds: float, second_of_day: float) -> Notification:
        """Decides on one event, and remembers it if it is to be sent.

        Args:
            event: Of the rule.
            utc_seconds: Now, as `time.time()` gives it.
            second_of_day: Now, in seconds since midnight by the clock that `hours` are meant for.
        """
        self._sent = collections.deque(min(sent, utc_seconds) for sent in self._sent)
        while self._sent and self._sent[0] <= utc_seconds - max(_HOUR, self._rule.cooldown_seconds):
            self._sent.popleft()
        reason = self._reason(utc_seconds, second_of_day)
        if reason is None:
            self._sent.append(utc_seconds)
        return Notification(event, reason is None, reason)

    def _reason(self, now: float, second_of_day: float) -> str | None:
        rule = self._rule
        if self._hours is not None and not self._hours.contains(second_of_day):
            return f"outside the hours {rule.hours}"
        if self._sent and now - self._sent[-1] < rule.cooldown_seconds:
            return (
                f"{now - self._sent[-1]:.0f} s after the last one sent; cooldown_seconds is {rule.cooldown_seconds:g}"
            )
        if rule.max_per_hour is not None and len(self._sent) >= rule.max_per_hour:
            return f"{len(self._sent)} sent in the last hour; max_per_hour is {rule.max_per_hour}"
        return None
