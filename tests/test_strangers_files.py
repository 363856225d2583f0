"""Files of strangers: what refers to other files or to addresses is refused, and nothing of what it names is read."""

from __future__ import annotations

import csv
import functools
import http.server
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.referring_files import listener, referring_texts, write_alias
from tests.videos import read_frame_number, write_video
from vidmodel_tf import cli
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.video.address import parse_address
from vidmodel_tf.video.containers import check_video
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.live_pictures import live_pictures
from vidmodel_tf.video.names import VIDEO_SUFFIXES

KINDS = tuple(referring_texts(Path("/a"), "http://127.0.0.1:1/a"))
# The rest are taken for raw video by their suffix alone.
SUFFIXES = (*VIDEO_SUFFIXES, ".m3u8", ".m3u", ".sdp", ".mpd", ".txt", ".ans", ".nfo", ".h261", ".h263", ".vc1", ".rcv")
SECRET = "the secret of this machine"


@pytest.fixture
def good(tmp_path) -> Path:
    return write_video(tmp_path / "good.mp4", num_frames=8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_names_others_is_refused_whatever_it_is_called(tmp_path, good, kind):
    with listener() as (address, heard):
        for suffix in SUFFIXES:
            path = tmp_path / f"clip{suffix}"
            path.write_text(referring_texts(good, address)[kind])
            with pytest.raises(InputError, match=r"expected a video\. It is a"):
                check_video(path)
    assert not heard


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_text_is_no_video(tmp_path, suffix):
    path = tmp_path / f"secret{suffix}"
    path.write_bytes(f"{SECRET} \x1b[31mé\n".encode() * 100)
    with pytest.raises(InputError, match=r"expected a video\. It is a text file"):
        check_video(path)


def test_ffmpeg_would_follow_the_playlist(tmp_path, good):
    """What the list of containers protects from: without it this file has the pictures of another one."""
    path = tmp_path / "clip.mp4"
    path.write_text(referring_texts(good, "")["ffconcat"])
    with av.open(str(path)) as container:
        assert read_frame_number(next(container.decode(video=0)).to_ndarray(format="rgb24")) == 0


def test_pictures_that_lie_in_another_file_are_not_fetched(tmp_path):
    secret = write_video(tmp_path / "secret.mov", num_frames=8, first_number=100)
    path = write_alias(tmp_path / "clip.mov", secret)
    with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}) as container:  # as a control
        assert read_frame_number(next(container.decode(video=0)).to_ndarray(format="rgb24")) == 100
    with pytest.raises(InputError, match="no frame"), VideoFile(path) as video:
        list(video)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tiff", ".webp", ".ppm", ".gif"])
@pytest.mark.parametrize("name", ["", ".mp4", ".mjpeg", ".gif", ".m4v", ".avi"])
def test_a_still_picture_is_no_video(tmp_path, suffix, name):
    path = tmp_path / f"still{name or suffix}"
    path.write_bytes(cv2.imencode(suffix, np.full((64, 64, 3), 90, np.uint8))[1].tobytes())
    with pytest.raises(InputError, match="expected a video"):
        check_video(path)


@pytest.mark.parametrize(
    "name", ["seq%03d.jpg", "seq%3d.mp4", "concat:good.mp4", "subfile,,start,0,end,0,,:good.mp4", "-"]
)
def test_a_name_is_a_name_and_neither_a_pattern_nor_a_protocol(tmp_path, good, monkeypatch, name):
    (tmp_path / "seq001.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="There is no such file"):
        check_video(Path(name))


def test_prepare_reads_nothing_that_is_named_from_inside(tmp_path, capsys):
    """All kinds in one source, and links to a secret as video, subtitles and sidecar."""
    secret, source = tmp_path / "secret.txt", tmp_path / "source"
    secret.write_text(SECRET)
    for name in ("a", "b"):
        (source / name).mkdir(parents=True)
        write_video(source / name / "good.mp4", num_frames=8)
    with listener() as (address, heard):
        for kind, text in referring_texts(source / "a" / "good.mp4", address).items():
            (source / "a" / f"{kind}.mp4").write_text(text)
        (source / "a" / "link.mp4").symlink_to(secret)
        assert _prepare(source, tmp_path) == 0
        report = (tmp_path / "data" / "prepare_report.json").read_text()
        assert all(f"a/{kind}.mp4" in report for kind in (*KINDS, "link"))
        for suffix in (".srt", ".txt", ".json", ".info.json", ".en.vtt"):
            link = source / "b" / f"good{suffix}"
            link.symlink_to(secret)
            assert _prepare(source, tmp_path) == 2
            assert "leads out of" in capsys.readouterr().err
            link.unlink()
    assert not heard
    outputs = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in output for output in outputs)


def _prepare(source: Path, folder: Path) -> int:
    settings = ("num_workers=1", "num_stored_frames=4", "short_side=32", "validation_fraction=0", "test_fraction=0")
    flags = [part for setting in settings for part in ("--set", f"prepare.{setting}")]
    return cli.main(["prepare", str(source), "--out", str(folder / "data"), *flags])


def test_words_of_links_out_of_the_folder_are_refused(tmp_path, capsys):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    (tmp_path / "clips").mkdir()
    video = write_video(tmp_path / "clips" / "a.mp4", num_frames=8)
    video.with_suffix(".txt").symlink_to(secret)
    assert cli.main(["words", str(video), "--json"]) == 2
    assert cli.main(["words", str(video), "--json", "--set", "prepare.follow_links=true"]) == 0
    refused, allowed = capsys.readouterr().out.splitlines()
    assert "leads out of" in refused
    assert SECRET not in refused
    assert SECRET in allowed


def test_a_path_in_a_manifest_may_lie_anywhere_but_not_above(tmp_path, capsys):
    source = tmp_path / "source" / "clips.csv"
    for folder in ("elsewhere", "source"):
        (tmp_path / folder).mkdir()
    write_video(tmp_path / "elsewhere" / "a.mp4", num_frames=8)
    for path, code in (("../elsewhere/a.mp4", 2), (str(tmp_path / "elsewhere" / "a.mp4"), 0)):
        with source.open("w") as file:
            csv.writer(file).writerows([["path", "label", "start_seconds"], [path, "a", 0], [path, "b", 0.1]])
        assert _prepare(source, tmp_path) == code
    assert ".." in capsys.readouterr().err


class _Texts(http.server.BaseHTTPRequestHandler):
    def __init__(self, texts, *arguments):
        self._texts = texts
        super().__init__(*arguments)

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self._texts[self.path.partition(".")[0].strip("/")].encode())


@pytest.mark.parametrize("kind", KINDS)
def test_watch_opens_no_address_from_inside_a_stream(good, kind):
    with listener() as (address, heard):
        handler = functools.partial(_Texts, referring_texts(good, address))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            for suffix in (".mp4", ".m3u8"):
                url = f"http://127.0.0.1:{server.server_address[1]}/{kind}{suffix}"
                with pytest.raises(VidmodelError):
                    next(live_pictures(parse_address(url)))
            server.shutdown()
    assert not heard
