"""What is found in a data set: where words came from by class, and clips of one picture."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from tests.conftest import NUM_CLIPS, PREPARE
from tests.videos import write_timed_video, write_video
from vidmodel_tf.records.inspect import inspect
from vidmodel_tf.records.prepare import prepare

CLIPS = 12
SRT = "1\n00:00:00,000 --> 00:00:01,000\nwords\n"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nwords\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Twelve clips, two of three with a sidecar; one is a still picture, two are the same file."""
    folder = tmp_path_factory.mktemp("clips")
    rows = ["path,label,title,start_seconds,end_seconds"]
    for i in range(CLIPS):
        write_video(folder / f"{i}.mp4", num_frames=20, first_number=i)
        if i % 3:
            (folder / f"{i}{('.en.vtt', '.srt')[i % 2]}").write_text((VTT, SRT)[i % 2])
        rows.append(f"{i}.mp4,{'ab'[i % 2]},{'a title' if i == 2 else ''},0.2,")
    still = np.full((72, 96, 3), 90, np.uint8)
    write_timed_video(folder / "4.mp4", [i / 25 for i in range(20)], frames=[still] * 20)
    (folder / "5.mp4").write_bytes((folder / "7.mp4").read_bytes())
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    report = prepare(folder / "clips.csv", folder / "data", dataclasses.replace(PREPARE, num_stored_frames=4))
    return report, inspect(folder / "data")


def test_counts(prepared):
    report, found = prepared
    assert found.num_clips == sum(split.clips for split in found.splits.values()) == CLIPS
    for name, split in found.splits.items():
        assert split.labels == report.counts[name].labels
    assert found.words["subtitles"].clips_with_words == 8
    assert found.words["title"].clips_with_words == 1
    assert found.words["title"].max_tokens == 2


def test_where_words_came_from_by_class(prepared):
    _, found = prepared
    assert found.words_from["subtitles"] == {
        "sidecar:*.en.vtt": {"label": {"a": 4, "b": 0}},
        "sidecar:*.srt": {"label": {"a": 0, "b": 4}},
    }
    assert found.words_from["title"] == {"manifest": {"label": {"a": 1, "b": 0}}}
    assert found.words_from["speech"] == {}


def test_a_still_picture_is_listed_and_prepare_warns_of_it(prepared):
    report, found = prepared
    assert found.clips_of_one_picture == ("4.mp4@0.2-",)
    assert "one and the same picture" in report.clip_warnings["4.mp4@0.2-"][-1]


def test_the_same_frames_twice(prepared):
    _, found = prepared
    assert [sorted(ids) for ids in found.leaks.same_frames] == [["5.mp4@0.2-", "7.mp4@0.2-"]]
    assert found.leaks.sources_in_two_splits == ()


def test_the_contact_sheet_has_a_row_for_each_clip(prepared):
    _, found = prepared
    assert cv2.imread(str(found.contact_sheet)).shape[0] > CLIPS * 48


def test_json(data_set):
    values = json.loads(json.dumps(inspect(data_set).to_json()))
    assert values["num_clips"] == NUM_CLIPS
    assert values["words"]["subtitles"] == {"clips_with_words": 5, "median_tokens": 3, "max_tokens": 3}
    assert sum(split["labels"]["colour"].get("", 0) for split in values["splits"].values()) == 6
    assert values["leaks"]["sources_in_two_splits"] == []
    assert values["contact_sheet"] == str(data_set / "contact_sheet.png")
