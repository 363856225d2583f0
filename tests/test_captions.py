import contextlib
import types

import av
import pytest

from tests.closed_captions import ERASE, LAST_ROW, NEW_LINE, ROLL_UP, SHOW, letters, loaded, write_captioned
from tests.videos import write_video
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.finders import captions
from vidmodel_tf.words.finders.captions import data_in, find_captions
from vidmodel_tf.words.words_in_videos import WordsInVideos

CLUSTER = b"\x1f\x43\xb6\x75"  # Matroska: here the packets begin
# When each byte pair comes decides what is on the screen: "HELLO CAPTION" from frame 25 to 75 (the second code of two
# is the repetition of the first), then "SECOND LINE" up to frame 120.
TWO_CAPTIONS = {
    0: loaded("HELLO CAPTION"),
    24: [SHOW, SHOW],
    40: loaded("SECOND LINE"),
    75: [SHOW, SHOW],
    120: [ERASE, ERASE],
}


def found(path):
    return [(cue.start_seconds, cue.end_seconds, cue.text) for cue in find_captions(path, PrepareConfig())]


@pytest.mark.parametrize(
    ("suffix", "codec", "bframes"),
    [
        ("mp4", "libx264", 2),
        ("mp4", "libx264", 0),
        ("mkv", "libx264", 2),
        ("ts", "libx264", 2),
        ("ts", "mpeg2video", 2),
    ],
)
def test_captions_have_the_times_of_the_frames_that_show_them(tmp_path, suffix, codec, bframes):
    path = write_captioned(tmp_path / f"clip.{suffix}", TWO_CAPTIONS, num_frames=150, codec=codec, bframes=bframes)
    cues = found(path)
    assert [text for *_, text in cues] == ["HELLO CAPTION", "SECOND LINE"]
    times = [seconds for start, end, _ in cues for seconds in (start, end)]
    # Matroska rounds to a thousandth of a second.
    assert times == pytest.approx([24 / 30, 75 / 30, 75 / 30, 120 / 30], abs=0.002)


def test_a_file_without_times_is_read_in_display_order(tmp_path):
    path = write_captioned(tmp_path / "clip.h264", TWO_CAPTIONS, num_frames=150)
    assert [text for *_, text in found(path)] == ["HELLO CAPTION", "SECOND LINE"]


def test_what_stands_in_the_packets_is_what_the_decoder_finds(tmp_path):
    path = write_captioned(tmp_path / "clip.mp4", TWO_CAPTIONS, num_frames=60)
    with av.open(str(path)) as container:
        in_packets = {packet.pts: data_in(bytes(packet)) for packet in container.demux(video=0) if packet.size}
    with av.open(str(path)) as container:
        decoded = {frame.pts: bytes(frame.side_data.get("A53_CC")) for frame in container.decode(video=0)}
    assert len(decoded) == 60
    assert in_packets == decoded


def test_rolling_captions_give_each_line_once(tmp_path):
    pairs = {
        0: [ROLL_UP, ROLL_UP, NEW_LINE, NEW_LINE, LAST_ROW, LAST_ROW, *letters("WE COOK")],
        30: [NEW_LINE, NEW_LINE, LAST_ROW, LAST_ROW, *letters("SOUP TODAY")],
        60: [NEW_LINE, NEW_LINE, LAST_ROW, LAST_ROW, *letters("SOUP")],
        75: letters(" AGAIN"),
    }
    cues = found(write_captioned(tmp_path / "clip.mp4", pairs, num_frames=90))
    assert [text for *_, text in cues] == ["WE COOK", "SOUP TODAY", "SOUP AGAIN"]
    # Each begins with its first two letters, which come after four control codes (six at the start).
    assert [start for start, *_ in cues] == pytest.approx([6 / 30, 34 / 30, 64 / 30], abs=0.002)
    assert cues[-1][1] == pytest.approx(90 / 30, abs=0.002)


def test_the_same_words_said_again_after_a_pause_are_kept(tmp_path):
    pairs = {0: loaded("NO"), 10: [SHOW, SHOW], 20: [ERASE, ERASE], 30: loaded("NO"), 40: [SHOW, SHOW]}
    assert [text for *_, text in found(write_captioned(tmp_path / "clip.mp4", pairs, 60))] == ["NO", "NO"]


@pytest.mark.parametrize("is_captioned", [True, False])
def test_a_file_cut_off_behind_its_header_has_no_words(tmp_path, is_captioned, monkeypatch):
    """Through a worker: an error that it does not expect would end the whole command."""
    monkeypatch.setenv("VIDMODEL_CACHE", str(tmp_path / "cache"))
    path = write_captioned(tmp_path / "clip.mkv", TWO_CAPTIONS if is_captioned else {}, num_frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(CLUSTER) + 40])
    with WordsInVideos(PrepareConfig(words=("captions",))) as words:
        assert words.find(path, ("subtitles",)).cues == ()


def test_captions_that_the_decoder_refuses_are_passed_over(tmp_path, monkeypatch):
    path = write_captioned(tmp_path / "clip.mp4", TWO_CAPTIONS, num_frames=150)

    class Decoder:
        codec_context = types.SimpleNamespace()

        def decode2(self, packet):
            raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")

    opened = types.SimpleNamespace(streams=types.SimpleNamespace(subtitles=[Decoder()]))
    monkeypatch.setattr(
        captions,
        "av",
        types.SimpleNamespace(open=lambda *_, **__: contextlib.nullcontext(opened), error=av.error, Packet=av.Packet),
    )
    assert found(path) == []


def test_a_video_without_captions(tmp_path):
    assert found(write_video(tmp_path / "clip.mp4")) == []


def test_not_a_video(tmp_path):
    (tmp_path / "clip.mp4").write_text("words")
    with pytest.raises(InputError, match=r"expected a video\. It is a text file"):
        find_captions(tmp_path / "clip.mp4", PrepareConfig())


@pytest.mark.parametrize(
    "data", [b"GA94\x03\x42\xff\xfc\x94\x20\xff", b"GA94\x03\x02\xff\xfc\x94\x20\xfa\0\0\xff", b"GA94"]
)
def test_user_data_that_is_cut_off_or_marked_as_none(data):
    assert data_in(data) == b""
