from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.hours import Hours
from vidmodel_tf.scoring.notifications import NotificationLimiter
from vidmodel_tf.scoring.rule import Rule

EVENT = Event("e1", "r", "h", "l", 1.0, 2.0, 1.5, 0.9, "call_guard")


def limiter(**values):
    return NotificationLimiter(Rule(name="r", head="h", label="l", **values))


def sent(limiter, times, second_of_day=0.0):
    return [limiter.decide(EVENT, time, second_of_day).is_sent for time in times]


def test_without_limits_all_are_sent():
    notification = limiter().decide(EVENT, 100.0, 0.0)
    assert (notification.event, notification.is_sent, notification.reason) == (EVENT, True, None)
    assert notification.to_json() == {"sent": True, "reason": None}
    assert sent(limiter(), [0, 0, 0.1]) == [True] * 3


def test_the_cooldown_counts_from_the_last_one_that_was_sent():
    # were it counted from those that were suppressed, nothing would be sent after the first
    assert sent(limiter(cooldown_seconds=60), [0, 40, 59.9, 60, 100, 119, 120]) == [1, 0, 0, 1, 0, 0, 1]


def test_a_suppressed_one_is_told_with_the_reason():
    limit = limiter(cooldown_seconds=60)
    limit.decide(EVENT, 1000.0, 0.0)
    assert limit.decide(EVENT, 1012.0, 0.0).to_json() == {
        "sent": False,
        "reason": "12 s after the last one sent; cooldown_seconds is 60",
    }


def test_at_most_so_many_in_any_hour():
    limit = limiter(max_per_hour=2)
    assert sent(limit, [0, 3000, 3100, 3599, 3600, 3700, 6599, 6600]) == [1, 1, 0, 0, 1, 0, 0, 1]
    assert limit.decide(EVENT, 6700, 0.0).reason == "2 sent in the last hour; max_per_hour is 2"


def test_a_cooldown_that_is_longer_than_an_hour():
    assert sent(limiter(cooldown_seconds=7200), [0, 3700, 7199, 7200]) == [1, 0, 0, 1]


def test_outside_the_hours_nothing_is_sent_and_nothing_counts():
    limit = limiter(hours="22:00-06:00", cooldown_seconds=60)
    assert limit.decide(EVENT, 0.0, 21.9 * 3600).reason == "outside the hours 22:00-06:00"
    assert limit.decide(EVENT, 10.0, 22 * 3600).is_sent


@pytest.mark.parametrize("back", [10.0, 1e6])
def test_a_clock_that_is_set_back_does_not_silence(back):
    limit = limiter(cooldown_seconds=60, max_per_hour=2)
    assert sent(limit, [2e6, 2e6 - back, 2e6 - back + 59, 2e6 - back + 60]) == [1, 0, 0, 1]


def test_a_clock_that_is_set_forward_sends():
    assert sent(limiter(cooldown_seconds=60, max_per_hour=1), [0, 1e6, 1e6 + 1]) == [1, 1, 0]


@given(
    st.lists(st.integers(0, 4000), max_size=40).map(sorted),
    st.integers(0, 5000),
    st.integers(1, 4),
)
def test_what_is_sent_keeps_both_limits_and_nothing_is_held_back_without_need(times, cooldown, per_hour):
    limit = limiter(cooldown_seconds=cooldown, max_per_hour=per_hour)
    kept = []
    for time in times:
        is_allowed = all(time - other >= cooldown for other in kept) and (
            sum(time - other < 3600 for other in kept) < per_hour
        )
        assert limit.decide(EVENT, time, 0.0).is_sent is is_allowed
        kept += [time] if is_allowed else []


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("22:00-06:00", [22, 23.99, 0, 5.99], [6, 12, 21.99]),
        ("09:00-17:30", [9, 17.49], [8.99, 17.5, 0]),
        ("00:00-24:00", [0, 12, 23.99], []),
        ("22:00-24:00", [22, 23.99], [0, 21]),
        ("22:00-00:00", [22, 23.99], [0, 21]),
    ],
)
def test_hours(hours, inside, outside):
    parsed = Hours.parse(hours)
    assert [parsed.contains(hour * 3600) for hour in inside] == [True] * len(inside)
    assert [parsed.contains(hour * 3600) for hour in outside] == [False] * len(outside)


@pytest.mark.parametrize("text", ["", "22:00", "22:00 - 06:00", "24:00-06:00", "7:00-8:00", "22:60-23:00"])
def test_hours_that_cannot_be_read(text):
    with pytest.raises(InputError, match=r"hours: expected two times such as '22:00-06:00'\. Received: "):
        Hours.parse(text)
