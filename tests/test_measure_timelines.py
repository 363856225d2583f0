from __future__ import annotations

import dataclasses
import hashlib
import io

import pytest
from rich.console import Console

from tests.labelled_videos import FIGHT, perfect_track, timed_scores
from vidmodel_tf.commands.timed_metrics_table import print_timed_metrics
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.truth import read_truth
from vidmodel_tf.timelines.document import Document, ModelFacts, TimelineSettings, VideoFacts
from vidmodel_tf.timelines.match_truth import match_truth
from vidmodel_tf.timelines.measure_timelines import measure_timelines

POLICY = Policy((Rule(name="fight", head="label", label="fight"),))
RANGES = [(2.0, 5.0)]


def document(path, content=b"", ranges=RANGES, model="m1"):
    scores = timed_scores(perfect_track(10, ranges))
    return Document(
        video=VideoFacts(str(path), hashlib.sha256(content or str(path).encode()).hexdigest(), 10.0, 100, 64, 48),
        model=ModelFacts(f"runs/{model}", model),
        settings=TimelineSettings(2.0, 1.0, 1.0, "fixed"),
        scores=scores,
    )


def truth(tmp_path, *rows):
    path = tmp_path / "truth.csv"
    path.write_text("\n".join(["path,start_seconds,end_seconds,head,label", *rows]) + "\n", encoding="utf-8")
    return read_truth(path)


def file(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_video_is_known_by_its_content_whatever_its_name(tmp_path):
    file(tmp_path, "a.mp4", b"one")
    file(tmp_path, "b.mp4", b"two")
    # The names are the wrong way round; the contents tell.
    documents = [document("/elsewhere/a.mp4", b"two"), document("/elsewhere/b.mp4", b"one")]
    matched = match_truth(documents, truth(tmp_path, "a.mp4,1,2,label,fight", "b.mp4,3,4,label,fight"))
    assert [video.name for video in matched.videos] == ["a.mp4", "b.mp4"]
    assert [video.true_ranges(FIGHT) for video in matched.videos] == [((3.0, 4.0),), ((1.0, 2.0),)]
    assert matched.warnings == ()


def test_a_video_is_known_by_its_name_where_the_file_is_not_there(tmp_path):
    documents = [document("/elsewhere/a.mp4"), document("/elsewhere/b.mp4")]
    matched = match_truth(documents, truth(tmp_path, "old/b.mp4,,,,", "old/c.mp4,1,2,label,fight"))
    assert [video.name for video in matched.videos] == ["b.mp4"]
    assert matched.videos[0].true_ranges(FIGHT) == ()
    assert matched.warnings == (
        "not scored, as truth.csv has no rows of them: a.mp4",
        "no timeline was given of: c.mp4",
    )


def test_another_content_under_the_same_name_is_not_scored_and_that_is_said(tmp_path):
    file(tmp_path, "a.mp4", b"new version")
    documents = [document("/x/a.mp4", b"old version"), document("/x/b.mp4")]
    matched = match_truth(documents, truth(tmp_path, "a.mp4,1,2,label,fight", "b.mp4,1,2,label,fight"))
    assert [video.name for video in matched.videos] == ["b.mp4"]
    assert "of these it has the name, but the file there has another content: a.mp4" in matched.warnings


@pytest.mark.parametrize(
    ("paths", "rows"),
    [
        (["/x/a.mp4", "/y/a.mp4"], ["a.mp4,1,2,label,fight"]),
        (["/x/a.mp4"], ["one/a.mp4,1,2,label,fight", "two/a.mp4,3,4,label,fight"]),
    ],
)
def test_a_name_that_could_mean_several_videos_is_refused(tmp_path, paths, rows):
    with pytest.raises(InputError, match=r"truth\.csv: expected one video called 'a\.mp4'.*correct the path"):
        match_truth([document(path) for path in paths], truth(tmp_path, *rows))


def test_the_same_name_elsewhere_is_no_matter_where_the_content_is_known(tmp_path):
    file(tmp_path, "a.mp4", b"one")
    documents = [document("/x/a.mp4", b"one"), document("/y/a.mp4", b"two")]
    matched = match_truth(documents, truth(tmp_path, "a.mp4,1,2,label,fight"))
    assert len(matched.videos) == 1 and matched.videos[0].scores is documents[0].scores


def test_what_does_not_fit_is_refused(tmp_path):
    one = document("/x/a.mp4", b"one")
    rows = truth(tmp_path, "a.mp4,1,2,label,fight")
    with pytest.raises(InputError, match=r"expected rows of some of the videos b\.mp4\. Received: rows of a\.mp4"):
        match_truth([document("/x/b.mp4")], rows)
    with pytest.raises(InputError, match=r"expected one timeline a video\. Received: /x/a\.mp4 and /y/c\.mp4"):
        match_truth([one, document("/y/c.mp4", b"one")], rows)
    with pytest.raises(InputError, match=r"expected one timeline a video"):
        match_truth([one, one], rows)
    with pytest.raises(InputError, match=r"expected timelines of one model\. Received: 2, runs/m1, runs/m2"):
        match_truth([one, document("/x/b.mp4", model="m2")], rows)
    with pytest.raises(InputError, match=r"a\.mp4: expected times in seconds before its end at 10\. Received: .* 7000"):
        match_truth([one], truth(tmp_path, "a.mp4,7000,9000,label,fight"))
    file(tmp_path, "a.mp4", b"one")
    file(tmp_path, "copy.mp4", b"one")
    with pytest.raises(
        InputError, match=r"expected rows of one file for a video\. Received: .*a\.mp4 and of .*copy\.mp4"
    ):
        match_truth([one, document("/x/b.mp4")], truth(tmp_path, "a.mp4,1,2,label,fight", "copy.mp4,1,2,label,fight"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "a.mp4,1,2,label,goal",
            r"truth\.csv: row 3: label: expected one of the classes calm, fight\. Received: 'goal'",
        ),
        ("a.mp4,1,2,mood,fight", r"truth\.csv: row 3: head: expected one of the heads label\. Received: 'mood'"),
        ("b.mp4,,,label,goal", r"truth\.csv: row 3: label: expected one of"),  # although no video of it is scored
    ],
)
def test_classes_that_the_model_lacks_are_refused_by_name(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        match_truth([document("/x/a.mp4")], truth(tmp_path, "a.mp4,3,4,label,fight", row))


def test_an_event_beyond_the_end_is_cut_and_that_is_said_from_a_second_on(tmp_path):
    (video,) = (matched := match_truth([document("/x/a.mp4")], truth(tmp_path, "a.mp4,8,12,label,fight"))).videos
    assert video.true_ranges(FIGHT) == ((8.0, 10.0),)
    assert matched.warnings == ("a.mp4: an event ends at 12 seconds, but the video at 10; it was cut there",)
    assert match_truth([document("/x/a.mp4")], truth(tmp_path, "a.mp4,8,10.9,label,fight")).warnings == ()


def test_timelines_are_measured_by_the_policy_and_not_by_the_events_that_they_hold(tmp_path):
    rows = truth(tmp_path, "a.mp4,2,5,label,fight")
    metrics = measure_timelines([dataclasses.replace(document("/x/a.mp4"), events=())], rows, POLICY)
    assert metrics.labels[0].rules["fight"].f1[0.7] == 1.0
    assert metrics.num_videos == 1


def test_the_tables_show_every_figure(tmp_path):
    rows = truth(tmp_path, "a.mp4,2,5,label,fight", "b.mp4,,,label,calm", "c.mp4,1,2,label,fight")
    documents = [document("/x/a.mp4"), document("/x/b.mp4", ranges=[(7, 9)])]
    metrics = measure_timelines(documents, rows, POLICY)
    output = io.StringIO()
    print_timed_metrics(metrics, Console(file=output, width=250))
    printed = output.getvalue()
    for text in (
        "2 videos, 0.01 hours",
        "│ label │ fight │ 20    │ 0.150     │ 0.941 │ 0.600 │",  # 15 of 17 other steps are lower, 2 are equal
        "label / calm: no AUC and AP, as no step is true",
        "label / calm: no figures of events, as no rule of the policy watches it",
        "│ 0.500 / 0.500 / 0.500 │ 0.667 / 0.667 / 0.667 │ 1            │ 180.0   │ 1.0 s ",  # a false alarm in 20 s
        "mAP at tIoU 0.3 / 0.5 / 0.7: 0.500 / 0.500 / 0.500",
        "warning: no timeline was given of: c.mp4",
    ):
        assert text in printed, printed
