from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labelled_videos import FIGHT, labelled_video, perfect_track
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.event_metrics import event_metrics
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.step_metrics import step_metrics
from vidmodel_tf.scoring.timed_metrics import timed_metrics
from vidmodel_tf.scoring.truth import HeadLabel

RULE = Rule(name="fight", head="label", label="fight", on=0.6, off=0.4, min_seconds=1, gap_seconds=0)
# Ranges of at least a second with at least two seconds between them, from the distances and lengths that are drawn.
GAPS = st.lists(st.tuples(st.integers(2, 6), st.integers(1, 5)), min_size=1, max_size=4)


def ranges_of(gaps):
    result, now = [], 0
    for gap, length in gaps:
        result.append((float(now + gap), float(now + gap + length)))
        now += gap + length
    return result


def test_steps_by_hand():
    # Centres at 0.5, 1.5, 2.5 and, as the last step ends at 3.4, at 3.2.
    video = labelled_video([0.1, 0.4, 0.35, 0.8], [(1.6, 3.3)], duration_seconds=3.4)
    assert video.true_steps(FIGHT).tolist() == [False, False, True, True]
    figures = step_metrics([video], FIGHT)
    # Pairs of a true and another step: 0.35 > 0.1, 0.35 < 0.4, 0.8 > both: 3 of 4.
    assert (figures.num_steps, figures.base_rate, figures.auc) == (4, 0.5, 0.75)
    assert figures.average_precision == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert figures.reason is None


def test_a_step_is_true_by_its_centre():
    assert labelled_video([0.5] * 3, [(0.5, 1.5)]).true_steps(FIGHT).tolist() == [True, False, False]  # half open
    assert labelled_video([0.5] * 3, [(0.51, 1.51)]).true_steps(FIGHT).tolist() == [False, True, False]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=12), min_size=1, max_size=3)
)
def test_step_figures_are_those_of_scikit_learn_over_all_videos(drawn):
    from sklearn.metrics import average_precision_score, roc_auc_score

    videos = [
        labelled_video([score / 20 for score, _ in steps], [(i, i + 1.0) for i, (_, true) in enumerate(steps) if true])
        for steps in drawn
    ]
    truth = [true for steps in drawn for _, true in steps]
    scores = [score / 20 for steps in drawn for score, _ in steps]
    figures = step_metrics(videos, FIGHT)
    assert figures.base_rate == pytest.approx(np.mean(truth))
    if len(set(truth)) == 2:
        assert figures.auc == pytest.approx(roc_auc_score(truth, scores))
        assert figures.average_precision == pytest.approx(average_precision_score(truth, scores))
    else:
        assert (figures.auc, figures.average_precision) == (None, None)
        assert figures.reason == ("every step is true" if truth[0] else "no step is true")


def test_events_by_hand():
    first = labelled_video(
        # found: [1, 3) 0.9, [5, 6) 0.7, [8, 11) 0.8
        [0.1, 0.9, 0.9, 0.1, 0.1, 0.7, 0.1, 0.1, 0.8, 0.8, 0.8, 0.1],
        [(1.0, 3.0), (8.0, 10.0), (11.0, 12.0)],  # the last is missed; [5, 6) is a false alarm
    )
    second = labelled_video([0.65, 0.65, 0.65, 0.65], [(2.0, 4.0)], name="b.mp4")  # found: [0, 4) 0.65
    figures = event_metrics([first, second], RULE)
    assert (figures.num_true, figures.num_events, figures.found, figures.missed) == (4, 4, 3, 1)
    # tIoU: 1, 0, 2/3, 1/2
    assert figures.f1 == {0.3: pytest.approx(6 / 8), 0.5: pytest.approx(6 / 8), 0.7: pytest.approx(2 / 8)}
    # Ranked 0.9 right, 0.8 right (at 0.7: wrong), 0.7 wrong, 0.65 right (at 0.7: wrong)
    assert figures.average_precision[0.5] == pytest.approx((1 + 1 + 3 / 4) / 4)
    assert figures.average_precision[0.7] == pytest.approx(1 / 4)
    assert figures.false_alarms == 1
    assert figures.false_alarms_per_hour == pytest.approx(3600 / 16)
    # Told at 2, 9 and 1 s; the true starts are 1, 8 and 2 s: 1 s, 1 s, and before it began.
    assert figures.delay_median_seconds == pytest.approx(1.0)
    assert figures.delay_p90_seconds == pytest.approx(np.percentile([1, 1, 0], 90))


def test_the_first_overlapping_event_tells():
    video = labelled_video([0.1, 0.1, 0.7, 0.1, 0.1, 0.9, 0.9, 0.1], [(1.0, 8.0)])
    figures = event_metrics([video], RULE)
    assert (figures.num_events, figures.found, figures.false_alarms) == (2, 1, 0)
    assert figures.delay_median_seconds == pytest.approx(2 + 1 - 1)


def test_what_is_told_before_the_event_begins_has_no_delay():
    video = labelled_video([0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1], [(4.0, 6.0)])
    assert event_metrics([video], RULE).delay_median_seconds == 0.0


def test_padding_is_left_out():
    video = labelled_video([0.1, 0.1, 0.9, 0.9, 0.1, 0.1], [(2.0, 4.0)])
    padded = Rule(**{**RULE.to_json(), "pad_seconds": (2.0, 2.0)})
    assert event_metrics([video], padded) == event_metrics([video], RULE)


def test_a_video_without_events_counts_for_false_alarms_and_hours():
    quiet, noisy = labelled_video([0.1] * 10), labelled_video([0.9] * 5 + [0.1] * 5)
    figures = event_metrics([quiet, noisy], RULE)
    assert figures.false_alarms_per_hour == pytest.approx(3600 / 20)
    assert (figures.average_precision[0.5], figures.f1[0.5], figures.delay_median_seconds) == (None, 0.0, None)
    assert event_metrics([quiet], RULE).f1 == {0.3: None, 0.5: None, 0.7: None}


@settings(deadline=None, max_examples=40)
@given(st.lists(GAPS, min_size=1, max_size=3))
def test_perfect_events_have_the_highest_figures(drawn):
    videos = [labelled_video(perfect_track(60, ranges_of(gaps)), ranges_of(gaps)) for gaps in drawn]
    figures = event_metrics(videos, RULE)
    assert set(figures.f1.values()) == {1.0} and list(figures.average_precision.values()) == pytest.approx([1.0] * 3)
    assert (figures.missed, figures.false_alarms, figures.delay_p90_seconds) == (0, 0, 1.0)
    steps = step_metrics(videos, FIGHT)
    assert (steps.auc, steps.average_precision) == (1.0, 1.0)


@settings(deadline=None, max_examples=40)
@given(st.lists(GAPS, min_size=1, max_size=3))
def test_events_shifted_beyond_the_true_ones_are_all_wrong(drawn):
    videos = []
    for gaps in drawn:
        ranges = ranges_of(gaps)
        shifted = [(start + 60, end + 60) for start, end in ranges]
        videos.append(labelled_video(perfect_track(120, shifted), ranges))
    figures = event_metrics(videos, RULE)
    assert {*figures.f1.values(), *figures.average_precision.values()} == {0.0}
    assert (figures.found, figures.false_alarms) == (0, figures.num_events)
    assert figures.num_events == figures.missed == sum(map(len, drawn))


def test_each_rule_of_a_class_has_its_figures():
    video = labelled_video([0.1, 0.7, 0.9, 0.1], [(1.0, 3.0)])
    strict = Rule(name="strict", head="label", label="fight", on=0.8)
    other = Rule(name="calm", head="label", label="calm")
    result = timed_metrics([video], [FIGHT], Policy((RULE, strict, other)), ["a warning"])
    (label,) = result.labels
    assert list(label.rules) == ["fight", "strict"]
    assert label.rules["fight"].f1[0.7] == 1.0 and label.rules["strict"].f1[0.7] == 0.0
    assert result.mean_average_precision == {0.3: 1.0, 0.5: 1.0, 0.7: 0.5}
    assert (result.num_videos, result.scored_seconds) == (1, 4.0)


def test_a_class_that_no_rule_watches_has_figures_of_steps_alone():
    result = timed_metrics([labelled_video([0.1, 0.9], [(1.0, 2.0)])], [FIGHT], Policy())
    assert result.labels[0].steps.auc == 1.0 and result.labels[0].rules == {}
    assert result.mean_average_precision == {0.3: None, 0.5: None, 0.7: None}


def test_json_has_every_figure_and_survives_a_file():
    video = labelled_video([0.1, 0.9, 0.9, 0.1], [(1.0, 3.0)])
    value = timed_metrics([video], [FIGHT], Policy((RULE,)), ["w"]).to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["mean_average_precision"] == {"0.3": 1.0, "0.5": 1.0, "0.7": 1.0}
    assert value["labels"][0]["rules"]["fight"]["f1"]["0.5"] == 1.0
    assert value["labels"][0]["steps"]["base_rate"] == 0.5
    assert value["warnings"] == ["w"]


def test_scores_without_the_class_are_refused():
    with pytest.raises(InputError, match=r"expected one of the classes calm, fight\. Received: 'goal'"):
        step_metrics([labelled_video([0.1])], HeadLabel("label", "goal"))
