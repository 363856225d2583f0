"""The recipe of long videos with known truth: its times must be those of the frames."""

from __future__ import annotations

import csv
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.videos import read_frame_number, write_video
from vidmodel_tf.scoring.truth import HeadLabel, read_truth
from vidmodel_tf.video.file import VideoFile

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "joined_videos.py"


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """Two joined videos of twelve clips; the frames of clip i show i * 100 and above."""
    folder = tmp_path_factory.mktemp("joined")
    rows = ["path,label,source"]
    for index in range(14):
        label = "fight" if index < 7 else "calm"
        # Rates and sizes differ, as those of real clips do.
        fps, size = [(25.0, (96, 72)), (12.5, (128, 96)), (30.0, (80, 80))][index % 3]
        write_video(folder / f"{index}.avi", 6 + index, fps, size, first_number=index * 100)
        rows.append(f"{index}.avi,{label},{'other' if index in (6, 13) else f'source{index // 4}'}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "allowed.txt").write_text("source0\nsource1\nsource2\nsource3\n", encoding="utf-8")
    arguments = [
        str(folder),
        "--event",
        "fight",
        "--sources",
        "@" + str(folder / "allowed.txt"),
        "--out",
        folder / "out",
    ]
    subprocess.run([sys.executable, SCRIPT, *arguments], check=True, capture_output=True, cwd=SCRIPT.parents[1])
    return folder / "out"


@functools.cache
def numbers_of(path):
    with VideoFile(path) as video:
        return [read_frame_number(frame.pixels) for frame in video]


@pytest.mark.parametrize("name", ["joined0.mp4", "joined1.mp4"])
def test_every_frame_inside_an_event_is_of_a_clip_of_its_class(joined, name):
    truth = next(video for video in read_truth(joined / "truth.csv").videos if video.path.name == name)
    events = truth.ranges[HeadLabel("label", "fight")]
    numbers = numbers_of(joined / name)
    is_event = [any(start <= i / 25 < end for start, end in events) for i in range(len(numbers))]
    assert is_event == [number < 700 for number in numbers]
    assert len(events) >= 2


def test_the_cuts_are_where_the_clips_change(joined):
    with (joined / "cuts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"] == "joined0.mp4"]
    numbers = numbers_of(joined / "joined0.mp4")
    starts = [round(float(row["start_seconds"]) * 25) for row in rows]
    changes = [i for i in range(1, len(numbers)) if numbers[i] // 100 != numbers[i - 1] // 100]
    assert starts == [0, *changes]
    assert [numbers[start] // 100 for start in starts] == [int(row["clip"].removesuffix(".avi")) for row in rows]
    assert sorted(numbers[start] // 100 for start in starts) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]  # of 14
    for row in rows:  # a clip of n frames at its rate is as long as before, to the nearest frame
        index = int(row["clip"].removesuffix(".avi"))
        seconds = float(row["end_seconds"]) - float(row["start_seconds"])
        assert seconds == pytest.approx((6 + index) / [25.0, 12.5, 30.0][index % 3], abs=0.021)


def test_the_two_videos_are_in_different_orders(joined):
    assert numbers_of(joined / "joined0.mp4") != numbers_of(joined / "joined1.mp4")
