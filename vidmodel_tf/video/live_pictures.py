"""Pictures as they come: from a stream, a camera of this machine, or a file that plays at its own pace.

What runs here may hang in C for ever; `camera_process` runs it in a process that can be killed.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import av
import av.container
import av.error
import numpy as np

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video.address import PROTOCOLS, Address, hide_password
from vidmodel_tf.video.containers import VIDEO_FORMATS
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.pixels import PixelConverter

OPEN_SECONDS, READ_SECONDS = 4.0, 3.0
STILL_SECONDS = 0.1  # after which a picture that a file still displays is given again
MAX_UNTIMED = 8  # pictures in a row that are passed over where others have a timestamp: RTSP gives the first one none
HAS_NO_TIMES = 0x80  # FFmpeg's flag of formats such as MJPEG over HTTP: the timestamps are made up, 25 a second
STREAM_FORMATS = ("rtsp", "rtp", *VIDEO_FORMATS)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture that has just come.

    Attributes:
        seconds: Its timestamp; None where it has none.
        pixels: Gives uint8 [H, W, 3], upright, blue, green, red; converting costs time.
        num_corrupt: Packets and pictures of this connection that were damaged so far.
        is_still: It is the picture before, which is still on display.
    """

    seconds: float | None
    pixels: Callable[[], np.ndarray]
    num_corrupt: int = 0
    is_still: bool = False


def live_pictures(address: Address, on_packet: Callable[[], None] = lambda: None) -> Iterator[Picture]:
    """The pictures of an address, each as soon as it is there.

    They end with a file; a stream or camera that ends is lost.

    Args:
        address: What to read.
        on_packet: Called while a file is read through before its first picture, and between pictures.

    Raises:
        VidmodelError: Nothing came in time, the address refused, or the stream ended; without any password.
        InputError: A file is not a video.
    """
    if address.kind == "file":
        return _play_file(address.text, on_packet)
    return _read_device(int(address.text)) if address.kind == "device" else _read_stream(address)


def _play_file(path: str, on_packet: Callable[[], None]) -> Iterator[Picture]:
    with VideoFile(path, on_packet) as video:
        begin, shown = None, None
        for frame in video:
            begin = time.monotonic() - frame.time_seconds if begin is None else begin
            while (wait := begin + frame.time_seconds - time.monotonic()) > STILL_SECONDS:
                time.sleep(STILL_SECONDS)
                if shown is not None:
                    yield replace(shown, seconds=min(time.monotonic() - begin, frame.time_seconds), is_still=True)
            time.sleep(max(wait, 0))
            shown = Picture(frame.time_seconds, lambda pixels=frame.pixels: pixels, video.num_refused)
            yield shown


def _read_device(number: int) -> Iterator[Picture]:
    camera = import_opencv().VideoCapture(number)
    try:
        if not camera.isOpened():
            raise VidmodelError(f"camera {number} of this machine cannot be opened")
        while True:
            is_there, pixels = camera.read()
            if not is_there:
                raise VidmodelError(f"camera {number} of this machine gives no more pictures")
            yield Picture(None, lambda pixels=pixels: pixels)
    finally:
        camera.release()


def _read_stream(address: Address) -> Iterator[Picture]:
    begin = time.monotonic()
    try:
        container = _open(address)
    except av.error.FFmpegError as error:
        # RTSP says that the data are invalid when nothing came
        is_late = time.monotonic() - begin > 0.9 * OPEN_SECONDS
        reason = f"no answer within {OPEN_SECONDS:g} seconds" if is_late else _reason(error)
        raise VidmodelError(hide_password(reason, address.text)) from None
    with container:
        if not container.streams.video:
            raise VidmodelError("there is no video in this stream")
        try:
            yield from _decode(container)
        except av.error.FFmpegError as error:
            raise VidmodelError(hide_password(_reason(error), address.text)) from None
    raise VidmodelError("the stream ended")


def _open(address: Address) -> av.container.InputContainer:
    options = {
        "protocol_whitelist": PROTOCOLS[address.scheme],
        "format_whitelist": ",".join(STREAM_FORMATS),
        # Else the connection waits until the rate is known, which nobody asks for. What is read meanwhile is decoded
        # later ("nobuffer" would throw it away: the first key frame, and with it all pictures up to the second one).
        "fpsprobesize": "1",
    }
    if address.scheme in ("rtsp", "rtsps"):
        options |= {"rtsp_transport": "tcp", "allowed_media_types": "video"}
    return av.open(address.text, options=options, timeout=(OPEN_SECONDS, READ_SECONDS), metadata_errors="replace")


def _decode(container: av.container.InputContainer) -> Iterator[Picture]:
    stream = container.streams.video[0]
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    time_base, converter, num_corrupt = float(stream.time_base or 0), PixelConverter(), 0
    has_times = not container.format.flags & HAS_NO_TIMES
    has_end, begin, num_untimed = bool(container.duration), None, 0
    for packet in container.demux(stream):
        num_corrupt += bool(packet.is_corrupt)  # a packet before it is missing, perhaps; its own picture may be whole
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            num_corrupt += 1
            continue
        for frame in frames:
            num_corrupt += bool(frame.is_corrupt)
            if frame.is_corrupt:
                continue
            seconds = frame.pts * time_base if has_times and frame.pts is not None else None
            num_untimed = num_untimed + 1 if has_times and seconds is None else 0
            if 0 < num_untimed <= MAX_UNTIMED:
                continue
            if has_end and seconds is not None:  # a film on a server, which would come as fast as the network is
                begin = time.monotonic() - seconds if begin is None else begin
                time.sleep(min(max(begin + seconds - time.monotonic(), 0), READ_SECONDS))
            yield Picture(seconds, lambda frame=frame: converter.to_bgr(frame), num_corrupt)


def _reason(error: av.error.FFmpegError) -> str:
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {READ_SECONDS:g} seconds"
    if isinstance(error, av.error.InvalidDataError) or error.errno == errno.EINVAL:  # the latter of a format
        return "what comes is no video stream that is allowed here (a playlist is not: give the stream that it names)"
    if error.errno == errno.EIO:
        return "the connection broke off"
    # not str(error), which names the address
    return error.strerror or type(error).__name__
