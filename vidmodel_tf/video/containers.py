"""Opens video files, and says what a file is that is not a video.

Only containers on the list below are opened, and only as files, whatever the name says: a playlist or a `concat` script
would have FFmpeg open what it names, and FFmpeg draws pictures of text files and takes a JPEG for a video of one frame.
"""

from __future__ import annotations

import codecs
import contextlib
import itertools
from pathlib import Path
from typing import cast

import av
import av.container
import av.error
import av.video.stream
from av.stream import Disposition

from vidmodel_tf.errors import InputError

# fmt: off
VIDEO_FORMATS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "live_flv", "kux", "asf", "ogg", "nut", "mxf",
    "gif", "apng", "ivf", "obu", "av1", "h261", "h263", "h264", "hevc", "vvc", "evc", "m4v", "mjpeg", "mpjpeg", "dv",
    "yuv4mpegpipe", "vc1", "vc1test", "cavsvideo", "avs2", "avs3", "dirac", "dnxhd", "rm", "wtv", "gxf", "swf", "flic",
    "nuv", "nsv", "roq", "smk", "bink", "lxf", "cine", "ifv", "dhav", "ipmovie", "film_cpk", "idcin", "smjpeg", "rl2",
    "wc3movie", "mtv", "mv", "vmd", "bethsoftvid", "4xm", "ea", "thp", "xmv", "ty", "apv",
)
# fmt: on
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(VIDEO_FORMATS)}
STILL_CODECS = ("mjpeg", "png", "bmp", "gif", "webp", "tiff", "jpeg2000")
PEEKED_PACKETS = 500  # a second picture comes before, if there is one
ONE_PICTURE_FORMATS = ("gif", "apng", "mjpeg")  # which a still picture may have too
STILL_BRANDS = ("avif", "heic", "heix", "mif1", "msf1")  # still pictures in the container of MP4


def open_container(path: Path) -> av.container.InputContainer:
    """Opens a video file.

    Raises:
        InputError: The file is missing, empty or unreadable, or not a video of an allowed container.
    """
    check_file(path)
    start = _start_of(path)
    # By its suffix alone FFmpeg takes a text for raw video. YUV4MPEG begins with a line of text, and may go on so.
    if _is_text(start) and not start.startswith(b"YUV4MPEG2 "):
        raise InputError(f"expected a video. {_what_it_is(path)}", subject=path)
    try:
        # "file:" before the name: FFmpeg takes the start of "concat:b.mp4" for a protocol
        container = av.open(f"file:{path}", format=_raw_format(path), metadata_errors="replace", options=OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(f"expected a video. {_what_it_is(path)}", subject=path) from error
    if container.metadata.get("major_brand", "").strip() in STILL_BRANDS:
        container.close()
        raise InputError("expected a video. It is a still picture", subject=path)
    return container


def _raw_format(path: Path) -> str | None:
    """The format where FFmpeg cannot tell it: JPEGs one after another begin like a single JPEG."""
    if path.suffix.lower() not in (".mjpeg", ".mjpg"):
        return None
    with path.open("rb") as file:
        return "mjpeg" if file.read(3) == b"\xff\xd8\xff" else None


def zero_seconds(container: av.container.InputContainer) -> float:
    """What stands for second 0 on the streams' own clock: the start of the earliest stream, as players count."""
    return (container.start_time or 0) / av.time_base


def check_video(path: Path) -> None:
    """Refuses a file that is no video, without reading it through.

    Raises:
        InputError: It is none; the message says what it is.
    """
    with open_container(path) as container:
        best_video_stream(container, path)


def best_video_stream(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    """The stream that players choose, never a cover picture.

    Raises:
        InputError: There is none, or none that can be decoded.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream, container, path)]
    if not streams:
        raise InputError(f"expected a video. {_without_video(container)}", subject=path)
    if container.format.name in ONE_PICTURE_FORMATS and _has_one_picture(path, streams[0].index):
        raise InputError("expected a video. It is a still picture", subject=path)
    best = cast("av.video.stream.VideoStream | None", container.streams.best("video"))
    by_preference = sorted(streams, key=lambda stream: _preference(stream, best), reverse=True)
    if by_preference[0].codec_context is None:
        raise InputError(
            "no frame of this video can be decoded: FFmpeg has no decoder for its codec; convert it to H.264",
            subject=path,
        )
    return by_preference[0]


def _preference(stream: av.video.stream.VideoStream, best: av.video.stream.VideoStream | None) -> tuple:
    context = stream.codec_context
    if context is None:
        return (False, False, False, 0)
    is_best = best is not None and stream.index == best.index
    return (True, is_best, bool(stream.disposition & Disposition.default), context.width * context.height)


def _is_cover(stream: av.video.stream.VideoStream, container: av.container.InputContainer, path: Path) -> bool:
    if stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
        return True
    context = stream.codec_context
    # Matroska and ASF do not mark a cover as one.
    has_others = len(container.streams.video) + len(container.streams.audio) > 1
    return has_others and context is not None and context.name in STILL_CODECS and _has_one_picture(path, stream.index)


def _has_one_picture(path: Path, stream_index: int) -> bool:
    num_pictures = 0
    with open_container(path) as container, contextlib.suppress(av.error.FFmpegError):
        for packet in itertools.islice(container.demux(), PEEKED_PACKETS):
            num_pictures += packet.stream_index == stream_index and packet.size > 0
            if num_pictures > 1:
                return False
    return True


def _without_video(container: av.container.InputContainer) -> str:
    streams = container.streams
    if streams.audio:
        return "It is only sound, with a cover picture" if streams.video else "It is only sound"
    return "It is only a cover picture" if streams.video else "FFmpeg finds no video stream in it"


def check_file(path: Path) -> None:
    """Refuses what no video can be read from, without a look into it.

    Raises:
        InputError: There is nothing at the path, or something else than a file, or it is empty or cannot be read.
    """
    reason = None
    if not path.exists():
        reason = "There is no such file"
    elif not path.is_file():  # opening a named pipe would wait for ever
        reason = f"It is {'a folder' if path.is_dir() else 'not a regular file'}"
    elif path.stat().st_size == 0:
        reason = "The file is empty"
    else:
        try:
            path.open("rb").close()
        except OSError as error:
            reason = f"The file cannot be read ({error.strerror})"
    if reason:
        raise InputError(f"expected a video. {reason}", subject=path)


STARTS = {
    b"version https://git-lfs": "It is a Git LFS pointer, not the file itself: run `git lfs pull`",
    b"#EXTM3U": "It is a playlist; give the videos that it lists",
    b"ffconcat": "It is a list of files for FFmpeg; give the videos that it lists",
    b"\xff\xd8\xff": "It is a still picture (JPEG)",
    b"\x89PNG": "It is a still picture (PNG)",
    b"BM": "It is a still picture (BMP)",
    b"II*\0": "It is a still picture (TIFF)",
    b"MM\0*": "It is a still picture (TIFF)",
    b"ID3": "It is only sound (MP3)",
    b"fLaC": "It is only sound (FLAC)",
    b"PK\x03\x04": "It is a ZIP archive",
    b"\x1f\x8b": "It is a gzip archive",
    b"%PDF": "It is a PDF",
}


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1024)


def _is_text(start: bytes) -> bool:
    """Whether a file begins as a text does, in ASCII or UTF-8, whose last character may be cut."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\r\n\f\x1b" for character in text)


def _what_it_is(path: Path) -> str:
    start = _start_of(path)
    for magic, meaning in STARTS.items():
        if start.startswith(magic):
            return meaning
    if start[:4] == b"RIFF" and start[8:12] in (b"WEBP", b"WAVE"):
        return "It is a WebP picture" if start[8:12] == b"WEBP" else "It is only sound (WAV)"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "It is an HTML page: a download that went wrong?"
    if text.startswith((b"<?xml", b"<mpd")):
        return "It is an XML document or a playlist"
    if _is_text(start):
        return "It is a text file"
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "FFmpeg finds no video stream in it: it is damaged, or cut off before its index"
    return "FFmpeg finds no video stream in it: it is not a video, only sound, or damaged"
