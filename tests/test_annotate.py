from __future__ import annotations

import os
import signal
from pathlib import Path

import av
import numpy as np
import pytest

from tests.ffmpeg_program import ffprobe
from tests.test_cut_clip import beeps_of, probe, with_sound
from tests.timeline_documents import make_document, make_event
from tests.videos import write_timed_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.annotate import annotate
from vidmodel_tf.timelines.score_overlay import BAR_COLOR, EMPTY_COLOR, RUNNING_COLOR, ScoreOverlay

SIZE = (320, 240)
SCORES = {"label": {"fight": [0.0, 0.25, 0.5, 1.0], "walk": [1.0, 0.75, 0.5, 0.0]}}


def drawn(document, seconds: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    ScoreOverlay(document, size).draw(picture, seconds)
    return picture


def bars(picture: np.ndarray) -> list[float]:
    """How full each bar is, from above."""
    filled = (picture == BAR_COLOR).all(-1) | (picture == RUNNING_COLOR).all(-1)
    whole = filled | (picture == EMPTY_COLOR).all(-1)
    rows = np.flatnonzero(whole[:, SIZE[0] // 4 :].any(axis=1))
    first_rows = rows[np.diff(rows, prepend=-2) > 1]
    return [round(filled[row].sum() / whole[row].sum(), 2) for row in first_rows]


@pytest.mark.parametrize(
    ("seconds", "fight"), [(0.0, 0.0), (0.99, 0.0), (1.0, 0.25), (2.5, 0.5), (3.0, 1.0), (9.0, 1.0)]
)
def test_bars_are_the_scores_of_the_step(seconds, fight):
    document = make_document(scores=SCORES, step_seconds=1.0)
    assert bars(drawn(document, seconds)) == pytest.approx([fight, 1 - fight], abs=0.02)


def test_classes_that_score_highest_stay_in_their_order():
    tracks = {f"class {number}": [number / 10] for number in range(10)}
    document = make_document(scores={"label": tracks, "mood": {"calm": [1.0]}}, step_seconds=4.0)
    assert bars(drawn(document, 0.0)) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], abs=0.02)


def test_events_are_drawn_while_they_go_on():
    document = make_document(scores=SCORES, step_seconds=1.0, events=[make_event(1, 1.0, 2.0)])
    for seconds, is_running in ((0.99, False), (1.0, True), (1.99, True), (2.0, False)):
        picture = drawn(document, seconds)
        is_marked = (picture == RUNNING_COLOR).all(-1)
        assert is_marked.any() == is_running
        assert (picture[SIZE[1] // 2 :, : SIZE[0] // 2] > 200).any() == is_running  # its text
        assert is_marked[: SIZE[1] // 2].any() == is_running  # the bar of its class


def test_text_of_any_language_is_drawn():
    pictures = []
    for label in ("fight", "打架", "драка", "קטטה"):
        document = make_document(scores={"label": {label: [0.0]}}, step_seconds=4.0)
        pictures.append(drawn(document, 0.0)[:30, :100])
    assert all((picture > 200).any() for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_the_time_is_drawn():
    document = make_document(scores={}, step_seconds=1.0)
    at = [drawn(document, seconds) for seconds in (3599.9, 3600.0, 3600.09, 3600.1)]
    assert np.array_equal(at[1], at[2])
    assert not np.array_equal(at[0], at[1])
    assert not np.array_equal(at[2], at[3])


@pytest.mark.parametrize("size", [(16, 16), (64, 48), (48, 640), (1920, 1080)])
def test_any_size(size):
    events = [make_event(number, 0.0, 4.0, label="long label " * 9, decision="review") for number in range(9)]
    scores = {f"head {head}": {f"class {number}": [0.5] for number in range(9)} for head in range(4)}
    assert drawn(make_document(scores=scores, step_seconds=4.0, events=events), 0.0, size).any()


@pytest.fixture
def grey_video(tmp_path) -> Path:
    """Each picture has a grey of its own, and times are uneven."""
    times = [0.0, 0.5, 0.6, 2.0, 3.5]
    frames = [np.full((240, 320, 3), 40 * number + 30, np.uint8) for number in range(5)]
    return write_timed_video(tmp_path / "grey.mkv", times, frames=frames, size=SIZE, last_seconds=0.5)


def test_pictures_times_and_sound_are_those_of_the_video(tmp_path, grey_video):
    video = with_sound(grey_video, tmp_path / "video.mkv", [1.0, 2.5], codec="pcm_s16le")
    document = make_document(video, [make_event(1, 0.5, 2.0)], scores=SCORES, step_seconds=1.0)
    annotate(video, document, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        pictures = [(picture.time, picture.to_ndarray(format="bgr24")) for picture in container.decode(video=0)]
    times = [time for time, _ in pictures]
    assert times == pytest.approx([0.0, 0.5, 0.6, 2.0, 3.5], abs=0.01)
    assert [round(picture[120, 300].mean() / 40 - 0.75) for _, picture in pictures] == [0, 1, 2, 3, 4]
    orange = [(np.abs(picture.astype(int) - RUNNING_COLOR).max(-1) < 40).any() for _, picture in pictures]
    assert orange == [False, True, True, False, False]
    assert beeps_of(tmp_path / "out.mp4") == pytest.approx([1.0, 2.5], abs=0.04)
    assert [stream["codec_name"] for stream in probe(tmp_path / "out.mp4")["streams"]] == ["h264", "aac"]


def test_a_failure_leaves_nothing(tmp_path, grey_video):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match="expected a video"):
        annotate(tmp_path / "broken.mp4", make_document(), tmp_path / "out.mp4")
    with pytest.raises(InputError, match="Received: the video itself"):
        annotate(grey_video, make_document(), grey_video)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.mp4", "grey.mkv"]


def draw_and_die(tell, video, document, out):
    """Writes a part of the file."""
    tell(None)
    out.write_bytes(b"a part")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_video_that_crashes_the_decoder_is_named(tmp_path, grey_video):
    with pytest.raises(InputError, match=r"grey\.mkv: the decoder crashed on it"):
        annotate(grey_video, make_document(grey_video), tmp_path / "out.mp4", draw=draw_and_die)
    assert [path.name for path in tmp_path.iterdir()] == ["grey.mkv"]


def test_a_video_of_a_phone_is_drawn_upright(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", [0.0, 0.1, 0.2], size=(96, 48), rotation_degrees=90)
    annotate(path, make_document(path), tmp_path / "out.mp4")
    entries = "stream=width,height:stream_side_data"
    answer = ffprobe("-show_entries", entries, "-of", "csv=p=0", tmp_path / "out.mp4")
    assert answer.strip() == "48,96"
