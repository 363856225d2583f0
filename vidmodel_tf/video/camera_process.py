"""The process that reads one camera: pictures at regular times, reduced and compressed as a data set stores them."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video.address import Address, hide_password
from vidmodel_tf.video.decoder import begin_decoding
from vidmodel_tf.video.frame_grid import FrameGrid, StreamClock
from vidmodel_tf.video.live_pictures import Picture, live_pictures
from vidmodel_tf.video.stored_frame import encode_frame, reduce_frame
from vidmodel_tf.workers import sign_of_life

# What a message is about, its first byte.
ALIVE, FRAME, FAILED, ENDED = b"A", b"F", b"X", b"E"
AGAIN = b"G"  # the only one to the process
_HEAD = struct.Struct("<ddII")


@dataclass(frozen=True)
class CameraPlan:
    """What of a camera is to be read.

    Attributes:
        address: Where it is.
        step_seconds: From one frame to the next.
        offset_seconds: Of the first frame after the first picture.
        short_side: Of a stored frame, in pixels.
        jpeg_quality: 1 to 100.
    """

    address: Address
    step_seconds: float
    offset_seconds: float
    short_side: int
    jpeg_quality: int


@dataclass(frozen=True)
class SentFrame:
    """One frame of the grid.

    Attributes:
        seconds: On the camera's own clock.
        arrival: When the picture came, in seconds since 1970.
        part: Changes where the stream breaks.
        num_corrupt: Damaged packets and pictures so far, of this connection.
        jpeg: As a data set stores it.
    """

    seconds: float
    arrival: float
    part: int
    num_corrupt: int
    jpeg: bytes

    def to_bytes(self) -> bytes:
        """For the pipe. Not pickled: what reads hostile streams is not to be trusted."""
        return FRAME + _HEAD.pack(self.seconds, self.arrival, self.part, self.num_corrupt) + self.jpeg

    @classmethod
    def from_bytes(cls, message: bytes) -> SentFrame:
        """The reverse of `to_bytes`."""
        return cls(*_HEAD.unpack_from(message, 1), jpeg=message[1 + _HEAD.size :])


def run_camera_process(connection: Connection, plan: CameraPlan) -> None:
    """Connects, and sends messages until the stream ends or fails; and again whenever it is told to.

    It ends when nobody reads the messages any more.
    """
    begin_decoding()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            _send_frames(connection, plan)
            connection.recv_bytes()


def _send_frames(connection: Connection, plan: CameraPlan) -> None:
    try:
        alive = sign_of_life(lambda: connection.send_bytes(ALIVE))
        alive()
        for frame in frames_on_grid(plan, alive):
            connection.send_bytes(frame.to_bytes())
        connection.send_bytes(ENDED)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except VidmodelError as error:
        connection.send_bytes(FAILED + str(error).encode())
    except Exception as error:  # a traceback on the terminal would show the address
        reason = hide_password(f"{type(error).__name__}: {error}", plan.address.text)
        connection.send_bytes(FAILED + reason.encode())


def frames_on_grid(plan: CameraPlan, alive: Callable[[], None]) -> Iterator[SentFrame]:
    """The frames of a camera at regular times: always the picture that was on display at the time.

    Args:
        plan: What to read.
        alive: Called while a file is read, and while it displays a picture for long.
    """
    is_file = plan.address.kind == "file"
    grid, clock = FrameGrid(plan.step_seconds, plan.offset_seconds, is_file=is_file), StreamClock()
    shown: tuple[Picture, float] | None = None
    for picture in live_pictures(plan.address, alive):
        arrival, part = time.time(), grid.part
        seconds = picture.seconds
        if seconds is None or not is_file:  # the times of a file count even where the machine is too slow to play it
            seconds = clock.seconds(seconds, time.monotonic())
        times = grid.go_on(seconds) if picture.is_still else grid.push(seconds)
        if shown is not None and times:
            yield from _send(plan, *shown, part, times)
        if picture.is_still:
            alive()
        else:
            shown = picture, arrival
    if shown is not None:
        yield from _send(plan, *shown, grid.part, grid.finish())


def _send(plan: CameraPlan, picture: Picture, arrival: float, part: int, times: list[float]) -> Iterator[SentFrame]:
    jpeg = encode_frame(reduce_frame(picture.pixels(), plan.short_side), plan.jpeg_quality)
    for seconds in times:
        yield SentFrame(seconds, arrival, part, picture.num_corrupt, jpeg)
