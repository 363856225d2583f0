"""An encoder for tests that sends MPEG-TS by UDP on this machine, of which some packets are lost on the way."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

from tests.http_transport_stream import FPS, mux_painted, paced

PACKET_BYTES, PACKETS_A_DATAGRAM = 188, 7


class LossyDatagrams:
    """Sends what is written to it.

    Args:
        port: On this machine.
        lost_share: Of the packets.

    Attributes:
        is_silent: Nothing is sent while it is set.
        num_lost: Packets so far.
    """

    def __init__(self, port: int, lost_share: float) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._lost_share = lost_share
        self._random = random.Random(0)
        self.is_silent = threading.Event()
        self.num_lost = 0

    def write(self, data: bytes) -> int:
        packets = [data[start : start + PACKET_BYTES] for start in range(0, len(data), PACKET_BYTES)]
        kept = [packet for packet in packets if self._random.random() >= self._lost_share]
        self.num_lost += len(packets) - len(kept)
        for start in range(0, len(kept), PACKETS_A_DATAGRAM):
            if not self.is_silent.is_set():
                with contextlib.suppress(ConnectionRefusedError):  # nobody listens
                    self._socket.send(b"".join(kept[start : start + PACKETS_A_DATAGRAM]))
        return len(data)

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def udp_stream(port: int, lost_share: float = 0.0) -> Iterator[LossyDatagrams]:
    """Sends until the end."""
    datagrams, stop = LossyDatagrams(port, lost_share), threading.Event()
    thread = threading.Thread(target=mux_painted, args=(datagrams, paced(FPS, stop)), daemon=True)
    thread.start()
    try:
        yield datagrams
    finally:
        stop.set()
        thread.join()
        datagrams.close()
