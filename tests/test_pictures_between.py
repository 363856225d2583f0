from __future__ import annotations

import itertools
from fractions import Fraction

import av
import pytest

from tests.videos import read_frame_number, write_timed_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import pictures_between

FILM = [number / 25 for number in range(2000)]
RANGES = [(70.0, 71.0), (0.0, 1.0), (30.52, 31.52), (61.96, 62.04), (79.0, 90.0)]


def read(path, start: float, end: float) -> list[tuple[int, float, float]]:
    with VideoFile(path) as video:
        return [
            (
                read_frame_number(shown.picture.to_ndarray(format="rgb24")),
                round(shown.start_seconds, 3),
                round(shown.end_seconds, 3),
            )
            for shown in pictures_between(video, start, end)
        ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {"g": "50", "bf": "2"}),
        ("film.mkv", {"g": "50", "bf": "3", "x264-params": "open-gop=1:log-level=none"}),
        ("film.ts", {"g": "50", "bf": "2"}),
        ("refresh.mp4", {"g": "50", "bf": "0", "x264-params": "intra-refresh=1:log-level=none"}),
    ],
)
def test_every_picture_of_a_range_and_no_other(tmp_path, name, options):
    path = write_timed_video(tmp_path / name, FILM, options=options, size=(64, 48), time_base=Fraction(1, 90_000))
    for start, end in RANGES:
        shown = read(path, start, end)
        first, last = round(start * 25), min(round(end * 25), 2000)
        assert [number for number, _, _ in shown] == list(range(first, last))
        assert shown[0][1] == pytest.approx(start, abs=0.001)
        assert shown[-1][2] == pytest.approx(min(end, 80.0), abs=0.001)
        assert all(one[2] == other[1] for one, other in itertools.pairwise(shown))


def test_a_picture_that_cannot_be_decoded_leaves_the_one_before_it(tmp_path):
    path = write_timed_video(tmp_path / "a.avi", FILM[:20], codec="mjpeg", pixel_format="yuvj420p")
    with av.open(str(path)) as container:
        damaged = [packet for packet in container.demux(video=0) if packet.size][7]
        position, size = damaged.pos, damaged.size
    content = bytearray(path.read_bytes())
    content[position + 8 : position + 8 + size] = bytes(size)  # behind the header of its chunk
    path.write_bytes(content)
    shown = read(path, 0.2, 0.4)
    assert [number for number, _, _ in shown] == [5, 6, 8, 9]
    assert shown[1][1:] == pytest.approx((0.24, 0.32), abs=0.003)


def test_nothing_is_there(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", FILM[:20])
    with pytest.raises(InputError, match=r"expected a range within the 0\.000 to 0\.800 seconds"):
        read(path, 0.8, 1.0)
