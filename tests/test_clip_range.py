"""Which clips arguments mean: whole videos, and ranges out of lists."""

from __future__ import annotations

import json
import re

import pytest

from tests.videos import frame_numbers, write_timed_video
from vidmodel_tf.clips.clip_range import ClipRange, expand_clips
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.run_folder.run import Run, RunConfig
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.text.vocabulary import Vocabulary


@pytest.fixture
def film(tmp_path):
    return write_timed_video(tmp_path / "film.mp4", [i / 25 for i in range(200)])


def test_lists_and_videos_in_order(tmp_path, film):
    table = tmp_path / "ranges.csv"
    table.write_text("path,start_seconds,end_seconds,note\nfilm.mp4,1.5,3,a\nfilm.mp4,,2,b\nfilm.mp4,,,c\n", "utf-16")
    lines = tmp_path / "ranges.jsonl"
    lines.write_text(json.dumps({"path": str(film), "start_seconds": 4}) + "\n")
    found = expand_clips([str(table), str(film), str(lines)])
    assert found == [ClipRange(film, 1.5, 3), ClipRange(film, None, 2), ClipRange(film), ClipRange(film, 4, None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,start_seconds\nno.mp4,1\n", r"row 2: path: expected a video file. Received: .*no.mp4.*does not exist"),
        ("path,end_seconds\nfilm.mp4,-1\n", r"row 2: end_seconds: expected seconds .* Received: '-1'"),
        ("path,start_seconds,end_seconds\nfilm.mp4,3,2\n", r"row 2: end_seconds: .* start_seconds \(3\). Received: 2"),
        ("path,start,end\nfilm.mp4,1,2\n", r"column 'start': did you mean 'start_seconds'"),
        ("file,start_seconds\nfilm.mp4,1\n", r"expected the columns path,start_seconds,end_seconds. Received: 'file'"),
    ],
)
def test_what_a_list_may_not_hold(tmp_path, film, content, message):
    table = tmp_path / "ranges.csv"
    table.write_text(content)
    with pytest.raises(InputError) as caught:
        expand_clips([str(table)])
    assert re.search(message, "\n".join([str(caught.value), *caught.value.details]))


def test_a_range_has_its_own_frames_and_cues(tmp_path, film):
    cues = "1\n00:00:01,000 --> 00:00:02,000\nearly\n\n2\n00:00:05,000 --> 00:00:06,000\nlate\n"
    film.with_suffix(".srt").write_text(cues)
    model = ModelConfig(backbone="small_cnn", weights="none", num_frames=4, height=32, width=32)
    config = RunConfig(model, TrainConfig(), PrepareConfig(num_stored_frames=4, short_side=48))
    run = Run(tmp_path, config, Labels({"label": ["a", "b"]}), Vocabulary([], model.text_fields), {})
    (question,) = read_questions(run, [ClipRange(film, 4.0, 8.0)], None)
    assert frame_numbers(question.jpeg_frames) == [112, 137, 162, 187]  # the middle of each second
    assert question.seconds == (4.0, 8.0)
    assert "late" in question.words
    assert "early" not in question.words
