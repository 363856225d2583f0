from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.overlap import overlap_seconds, temporal_iou, united
from vidmodel_tf.scoring.truth import HeadLabel, read_truth

HEADER = "path,start_seconds,end_seconds,head,label\n"
FIGHT, GOAL = HeadLabel("label", "fight"), HeadLabel("sport", "goal")
RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda pair: (pair[0], sum(pair))), max_size=6)


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "truth.csv"
    path.write_bytes(text.encode(encoding))
    return read_truth(path)


def refused(tmp_path, text):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return "\n".join([str(caught.value), *caught.value.details])


def test_rows_become_ranges_of_videos(tmp_path):
    truth = read(
        tmp_path,
        HEADER + "a.mp4,5,7.5,label,fight\na.mp4,1,2,label,fight\nsub/b.mp4,0,3,sport,goal\na.mp4,0,9,sport,goal\n",
    )
    first, second = truth.videos
    assert first.path == tmp_path / "a.mp4" and second.path == tmp_path / "sub" / "b.mp4"
    assert first.ranges == {FIGHT: ((1.0, 2.0), (5.0, 7.5)), GOAL: ((0.0, 9.0),)}
    assert second.ranges == {GOAL: ((0.0, 3.0),)}
    assert truth.rows == {FIGHT: 2, GOAL: 4}


def test_rows_of_one_label_that_overlap_or_touch_are_united(tmp_path):
    truth = read(tmp_path, HEADER + "a.mp4,4,6,label,fight\na.mp4,5,9,label,fight\na.mp4,9,10,label,fight\n")
    assert truth.videos[0].ranges == {FIGHT: ((4.0, 10.0),)}


def test_empty_times_mean_that_nothing_happened(tmp_path):
    truth = read(tmp_path, HEADER + "a.mp4,,,,\nb.mp4,,,label,fight\n")
    assert [video.path.name for video in truth.videos] == ["a.mp4", "b.mp4"]
    assert [dict(video.ranges) for video in truth.videos] == [{}, {}]
    assert list(truth.rows) == [FIGHT]  # the second row says what was looked for


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_what_spreadsheets_write_is_read(tmp_path, encoding):
    text = HEADER.replace(",label", ",label,note") + 'ä 好.mp4,1,2,label,"打架, laut",seen twice\r\n\r\n'
    truth = read(tmp_path, text, encoding)
    assert truth.videos[0].path.name == "ä 好.mp4"
    assert list(truth.rows) == [HeadLabel("label", "打架, laut")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.mp4,x,2,label,fight", "row 3: start_seconds: expected seconds from the beginning.*'x'"),
        ("a.mp4,1,-2,label,fight", "row 3: end_seconds: expected seconds.*'-2'"),
        ("a.mp4,nan,2,label,fight", "row 3: start_seconds: expected seconds.*'nan'"),
        ("a.mp4,3,3,label,fight", "row 3: end_seconds: expected more than start_seconds=3.0. Received: 3.0"),
        ("a.mp4,3,,label,fight", "row 3: end_seconds: expected both times, or neither .* Received: 3.0 alone"),
        ("a.mp4,,3,label,fight", "row 3: start_seconds: expected both times, or neither"),
        (",1,2,label,fight", "row 3: path: expected the path of a video. Received: ''"),
        ("a.mp4,1,2,,fight", "row 3: head: expected the name of a head. Received: an empty cell"),
        ("a.mp4,1,2,label,", "row 3: label: expected the name of a class. Received: an empty cell"),
        ("a.mp4,1,2,label,fight|goal", "row 3: label: expected one class name, without '|'"),
        ("a.mp4,1,2,label,fight,7", "row 3: label: expected 5 cells as in the header. Received: 6"),
        ("ok.mp4,,,,", "row 3: start_seconds: empty times mean that there is no event, but row 2 has one"),
        ("ok.mp4,,,label,fight", "row 3: start_seconds: empty times mean that there is no event, but row 2 has one"),
    ],
)
def test_bad_cells_are_named_by_row_and_column(tmp_path, row, message):

    lines = refused(tmp_path, f"{HEADER}ok.mp4,1,2,label,fight\n{row}\n")
    assert lines.startswith("1 of 2 rows in truth.csv cannot be used")
    assert re.search(message, lines), lines


def test_no_event_of_one_class_beside_an_event_of_another(tmp_path):
    truth = read(tmp_path, HEADER + "a.mp4,1,2,label,fight\na.mp4,,,sport,goal\n")
    assert truth.videos[0].ranges == {FIGHT: ((1.0, 2.0),)}
    assert list(truth.rows) == [FIGHT, GOAL]


def test_every_fault_is_listed(tmp_path):
    lines = refused(tmp_path, HEADER + "a.mp4,x,2,label,fight\n,1,y,label,fight\n")
    assert [line.split(":")[:2] for line in lines.splitlines()[1:]] == [
        ["row 2", " start_seconds"],
        ["row 3", " path"],
        ["row 3", " end_seconds"],
    ]


def test_missing_columns_and_files_are_named(tmp_path):
    assert "expected the columns path,start_seconds,end_seconds,head,label. Missing: end_seconds, head" in refused(
        tmp_path, "path,start_seconds,label\na.mp4,1,fight\n"
    )
    with pytest.raises(InputError, match=r"cannot read .*none\.csv: No such file"):
        read_truth(tmp_path / "none.csv")


@settings(deadline=None)
@given(RANGES)
def test_united_ranges_cover_the_same_seconds_and_lie_apart(ranges):
    result = united(ranges)
    seconds = {second for start, end in ranges for second in range(start, end)}
    assert {second for start, end in result for second in range(start, end)} == seconds
    assert all(before[1] < after[0] for before, after in itertools.pairwise(result))


@settings(deadline=None)
@given(RANGES, RANGES)
def test_overlaps_are_those_of_sets_of_seconds(one, other):
    sets = [[set(range(*pair)) for pair in ranges] for ranges in (one, other)]
    shared = [[len(first & second) for second in sets[1]] for first in sets[0]]
    iou = [[len(first & second) / len(first | second) for second in sets[1]] for first in sets[0]]
    assert overlap_seconds(one, other).shape == temporal_iou(one, other).shape == (len(one), len(other))
    assert overlap_seconds(one, other).tolist() == shared
    assert temporal_iou(one, other).ravel().tolist() == pytest.approx([value for row in iou for value in row])
