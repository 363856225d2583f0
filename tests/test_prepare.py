import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import NUM_CLIPS, PREPARE
from tests.videos import frame_numbers, write_video
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare


@pytest.mark.slow
def test_tfds_reads_it_without_this_package(data_set):
    script = f"""
import sys
sys.modules["vidmodel_tf"] = None
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory({str(data_set)!r})
names = builder.info.features["labels"]["colour"].names
for split in builder.info.splits:
    for example in tfds.as_numpy(builder.as_dataset(split)):
        label = example["labels"]["colour"]
        print(split, example["id"].decode(), names[label] if label >= 0 else "-", example["frames"].shape)
"""
    lines = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    rows = [line.split(" ", 3) for line in lines.splitlines() if line.startswith(("train", "validation", "test"))]
    manifest = read_manifest(data_set_source(data_set))
    expected = {clip.id: clip.labels["colour"] or "-" for clip in manifest.clips}
    assert {name: label for _, name, label, _ in rows} == expected
    assert {shape for *_, shape in rows} == {"(8, 48, 64, 3)"}


def data_set_source(data_set):
    return json.loads((data_set / "prepare_report.json").read_text())["source"]


def test_stored_clips_are_the_manifest_s(data_set):
    manifest = {clip.id: clip for clip in read_manifest(data_set_source(data_set)).clips}
    stored = open_data_set(data_set).clips
    assert sorted(clip.id for clip in stored) == sorted(manifest)
    for clip in stored:
        expected = manifest[clip.id]
        assert (clip.text, clip.labels, clip.source) == (expected.text, expected.labels, expected.source)
        assert {field: origin for field, origin in clip.words_from.items() if origin} == expected.words_from


def test_frames_are_uniform_over_the_clip(data_set):
    data = open_data_set(data_set)
    for split in data.split_names:
        for clip, stored in data.frames(split):
            num_frames = 16 + int(clip.id[4:6])
            expected = [(2 * slot + 1) * num_frames // 16 for slot in range(8)]  # the middle of each of 8 parts
            assert frame_numbers(stored.jpegs) == expected, split
            np.testing.assert_allclose(stored.timestamps_seconds, np.array(expected) / 25, atol=1e-3)
            assert clip.duration_seconds == pytest.approx(num_frames / 25, abs=1e-3)


def test_splits_keep_sources_whole_and_are_written_down(data_set):
    written = json.loads((data_set / "splits.json").read_text())["splits"]
    stored = open_data_set(data_set).clips
    assert {clip.id: clip.split for clip in stored} == written
    assert len({(clip.source, clip.split) for clip in stored}) == len({clip.source for clip in stored})


def test_class_ids_follow_the_code_points(data_set):
    names = open_data_set(data_set).labels["colour"]
    assert names == sorted(names) == ["red", "蓝色"]


def test_again_is_done_at_once_and_other_settings_are_refused(clips_csv, data_set):
    before = {path: path.stat().st_mtime_ns for path in data_set.iterdir()}
    assert prepare(clips_csv, data_set, PREPARE).num_clips == NUM_CLIPS
    other = dataclasses.replace(PREPARE, short_side=32)
    with pytest.raises(InputError, match=r"exists already and was made from other clips, words or settings.*--out"):
        prepare(clips_csv, data_set, other)
    assert {path: path.stat().st_mtime_ns for path in data_set.iterdir()} == before


def write_manifest(folder, rows):
    with (folder / "clips.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "label"), *rows])
    return folder / "clips.csv"


def test_a_broken_file_is_refused_by_name_and_the_others_are_stored(tmp_path):
    rows = []
    for i in range(12):
        write_video(tmp_path / f"{i}.mp4", num_frames=10)
        rows.append((f"{i}.mp4", "ab"[i % 2]))
    (tmp_path / "5.mp4").write_bytes(b"this is no video" * 100)
    report = prepare(write_manifest(tmp_path, rows), tmp_path / "out", PREPARE)
    assert list(report.refused) == ["5.mp4"]
    assert report.refused["5.mp4"].startswith("expected a video")
    assert len(open_data_set(tmp_path / "out").clips) == 11
    assert "5.mp4" not in json.loads((tmp_path / "out" / "splits.json").read_text())["splits"]


@pytest.mark.parametrize(
    ("out", "message"), [(".", "exists already"), ("x/..", "exists already"), ("/", "a new folder")]
)
def test_a_path_without_a_name_of_its_own_is_no_place(clips_csv, tmp_path, monkeypatch, out, message):
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        prepare(clips_csv, out, PREPARE)
    assert [path.name for path in tmp_path.rglob("*")] == ["x"]


def test_nothing_readable_leaves_no_data_set(tmp_path):
    rows = [(f"{i}.mp4", "ab"[i % 2]) for i in range(12)]
    for name, _ in rows:
        (tmp_path / name).write_bytes(b"no video")
    with pytest.raises(InputError, match="none of the 12 clips could be read") as caught:
        prepare(write_manifest(tmp_path, rows), tmp_path / "out", PREPARE)
    assert len(caught.value.details) == 12
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_half_way_it_goes_on(tmp_path):
    num_clips = 80  # three shards of training clips
    rows = [(f"{i:02d}.mp4", "ab"[i % 2]) for i in range(num_clips)]
    for name, _ in rows:
        write_video(tmp_path / name, num_frames=12)
    manifest, out = write_manifest(tmp_path, rows), tmp_path / "out"
    command = [
        sys.executable, "-m", "vidmodel_tf", "prepare", str(manifest), "--out", str(out),
        "--set", "prepare.num_stored_frames=8", "--set", "prepare.short_side=48", "--set", "prepare.num_workers=1",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    partial = tmp_path / "out.partial"
    deadline = time.monotonic() + 120
    while not (partial / "train-00000.json").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    first = (partial / "train-00000.tfrecord").stat()

    with pytest.raises(InputError, match=r"out\.partial was begun with other clips, words or settings"):
        prepare(manifest, out, dataclasses.replace(PREPARE, validation_fraction=0.15, test_fraction=0.15, seed=9))
    prepare(manifest, out, dataclasses.replace(PREPARE, validation_fraction=0.15, test_fraction=0.15))
    shards = sorted(out.glob("out-train*"))
    assert shards[0].stat().st_ino == first.st_ino  # the finished shard was kept, not made again
    assert shards[0].stat().st_mtime_ns == first.st_mtime_ns
    assert sorted(clip.id for clip in open_data_set(out).clips) == [name for name, _ in rows]
    assert not partial.exists()


@pytest.mark.parametrize("content", [None, "features.json"])
def test_what_is_no_data_set_is_refused(tmp_path, content):
    if content:
        (tmp_path / content).write_text("{}")
    with pytest.raises(InputError, match=r"is not a prepared data set .*vidmodel prepare SOURCE --out"):
        open_data_set(tmp_path)


def test_the_report_tells_what_the_manifest_warns_of(tmp_path):
    for name in ("x/a_1.mp4", "x/a_2.mp4", "x/b_1.mp4", "y/c.mp4"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, num_frames=4)
    (tmp_path / "source" / "y" / "c.jpg").touch()
    (tmp_path / "source" / "y" / "c.de.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nWort\n")
    settings = dataclasses.replace(PREPARE, num_stored_frames=2, validation_fraction=0.0, test_fraction=0.0)
    report = prepare(tmp_path / "source", tmp_path / "out", settings)
    assert report.passed_over == {".jpg": 1}
    assert any("1 file: 1 .de.srt" in warning for warning in report.warnings)
    assert any("no source is given" in warning for warning in report.warnings)
    settings = dataclasses.replace(settings, languages=("de",), source_pattern="^.*_")
    report = prepare(tmp_path / "source", tmp_path / "again", settings)
    assert report.settings.languages == ("de",)
    assert not any("de.srt" in warning or "no source is given" in warning for warning in report.warnings)
    clips = {clip.id: clip for clip in open_data_set(tmp_path / "again").clips}
    assert clips["y/c.mp4"].text["subtitles"] == "Wort"
    assert clips["x/a_1.mp4"].source == clips["x/a_2.mp4"].source == "x/a_"


def test_words_without_videos(tmp_path):
    rows = "\n".join(
        f"c{i},{'red car' if i % 2 else 'blue sea'} {i},{'r' if i % 2 else 'b'},s{i // 2}" for i in range(30)
    )
    (tmp_path / "titles.csv").write_text(f"id,title,label,source\n{rows}\n", encoding="utf-8")
    report = prepare(tmp_path / "titles.csv", tmp_path / "words")
    assert report.num_clips == 30
    assert any("words without videos" in warning for warning in report.warnings)
    clips = open_data_set(tmp_path / "words").clips
    assert {clip.id for clip in clips} == {f"c{i}" for i in range(30)}
    assert {clip.text["title"] for clip in clips} >= {"red car 1", "blue sea 2"}
    (tmp_path / "again.csv").write_text("id,title,label\na,x,1\na,y,2\nb,,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 bad rows of 3") as caught:
        prepare(tmp_path / "again.csv", tmp_path / "other")
    assert "row 3: id: the same clip as row 2; remove one, or give another id" in caught.value.details
    assert any("row 4: title: expected words in a row without a video" in fault for fault in caught.value.details)
    assert not (tmp_path / "other").exists()
