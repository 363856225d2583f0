from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.scoring.event_matching import average_precision, match_events

IOUS = st.sampled_from([0.3, 0.5, 0.7])


PAIR = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair)))
# For each video events with scores, and true ranges.
VIDEOS = st.lists(
    st.tuples(st.lists(st.tuples(PAIR, st.integers(1, 1000)), max_size=6), st.lists(PAIR, max_size=4)),
    min_size=1,
    max_size=3,
)


def reference_average_precision(videos, least_iou):
    """Average precision in the way of ActivityNet's evaluation, written again: one ranked list over all videos.

    Args:
        videos: A list of (events, true ranges); an event is (start, end, score).
    """
    ranked = sorted(((score, v, start, end) for v, (found, _) in enumerate(videos) for start, end, score in found))[
        ::-1
    ]
    taken, num_true = set(), sum(len(true) for _, true in videos)
    points = []
    for rank, (_, v, start, end) in enumerate(ranked, 1):
        candidates = []
        for t, (low, high) in enumerate(videos[v][1]):
            shared = max(0, min(end, high) - max(start, low))
            candidates.append((shared / ((end - start) + (high - low) - shared), -t))
        for iou, minus_t in sorted(candidates, reverse=True):
            if iou < least_iou:
                break
            if (v, -minus_t) not in taken:
                taken.add((v, -minus_t))
                break
        points.append((len(taken) / num_true, len(taken) / rank))
    area, last_recall = 0.0, 0.0
    for i, (recall, _) in enumerate(points):
        area += (recall - last_recall) * max(precision for _, precision in points[i:])
        last_recall = recall
    return area


def measured(videos, least_iou):
    scores = [score for found, _ in videos for *_, score in found]
    matched = [
        match_events([event[:2] for event in found], [event[2] for event in found], true, least_iou)
        for found, true in videos
    ]
    return average_precision(scores, np.concatenate(matched), sum(len(true) for _, true in videos))


def distinct(videos):
    """The drawn events with scores that differ: with equal ones ActivityNet's figure depends on the order."""
    offset = 0
    for found, true in videos:
        yield [(*event, score + (offset := offset + 1) / 1000) for event, score in found], true


@settings(deadline=None, max_examples=200)
@given(VIDEOS, IOUS)
def test_the_average_precision_is_that_of_another_implementation(videos, least_iou):
    videos = list(distinct(videos))
    if not sum(len(true) for _, true in videos):
        assert measured(videos, least_iou) is None
    else:
        assert measured(videos, least_iou) == pytest.approx(reference_average_precision(videos, least_iou))


@settings(deadline=None)
@given(VIDEOS, IOUS)
def test_the_order_of_videos_does_not_matter(videos, least_iou):
    # Scores as they are drawn: many are equal.
    videos = [([(*event, score % 3) for event, score in found], true) for found, true in videos]
    assert measured(videos, least_iou) == pytest.approx(measured(videos[::-1], least_iou))


def test_each_true_event_is_taken_once_by_the_highest_score():
    found, true = [(0, 10), (1, 10), (0, 9)], [(0, 10)]
    assert match_events(found, [0.5, 0.9, 0.7], true, 0.5).tolist() == [False, True, False]


def test_an_event_takes_the_next_best_where_the_best_is_taken():
    # (0, 10) overlaps the first by 1.0 and the second by 0.8; the higher score has taken the first.
    found, true = [(0, 10), (0, 10)], [(0, 10), (0, 8)]
    assert match_events(found, [0.9, 0.8], true, 0.7).tolist() == [True, True]
    assert match_events(found, [0.9, 0.8], true, 0.9).tolist() == [True, False]


def test_the_overlap_that_is_asked_for_is_enough():
    assert match_events([(0, 7)], [1.0], [(0, 10)], 0.7).tolist() == [True]
    assert match_events([(0.2, 0.3)], [1.0], [(0.2, 0.4)], 0.5).tolist() == [True]  # 0.4999999999999999 by computer
    assert match_events([(0, 6.99)], [1.0], [(0, 10)], 0.7).tolist() == [False]
    assert match_events([(0, 5)], [1.0], [(5, 10)], 0.3).tolist() == [False]  # they only touch


def test_average_precision_by_hand():
    # Ranked: right, wrong, right, wrong; 4 true. Precision 1, 1/2, 2/3, 2/4 at recall 1/4, 1/4, 2/4, 2/4.
    assert average_precision([0.9, 0.8, 0.7, 0.6], [True, False, True, False], 4) == pytest.approx((1 + 2 / 3) / 4)
    # A later, better precision counts for the earlier recall: 1/2 and 2/3, both 2/3 after interpolation.
    assert average_precision([0.9, 0.8, 0.7], [False, True, True], 2) == pytest.approx(2 / 3)
    # Equal scores are one point: 1 of 2 right.
    assert average_precision([0.5, 0.5], [True, False], 1) == average_precision([0.5, 0.5], [False, True], 1) == 0.5
    assert average_precision([], [], 3) == 0.0
    assert average_precision([0.5], [False], 0) is None
