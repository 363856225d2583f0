"""Work on a file in a process of its own: values, errors, and files that hang or crash it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.worker_process import DecoderDiedError, WorkerProcess


def tell_and_hang(tell, number):
    tell(number)
    tell(number + 1)
    time.sleep(600)


def refuse(tell, subject):
    raise InputError("expected a video", subject=subject)


def crash(tell):
    os.kill(os.getpid(), signal.SIGSEGV)


def test_values_come_in_order_and_a_hanging_process_is_ended():
    with WorkerProcess(Path("a.mp4"), 120.0, tell_and_hang, 1) as worker:
        assert [worker.receive(), worker.receive()] == [1, 2]
        worker._timeout_seconds = 0.2
        with pytest.raises(DecoderDiedError, match=r"a\.mp4: gave no picture for 0\.2 seconds: it is damaged, or its"):
            worker.receive()
    assert worker._process.exitcode is not None


def test_an_error_of_the_function_is_raised():
    with (
        WorkerProcess(Path("a.mp4"), 120.0, refuse, "b.mp4") as worker,
        pytest.raises(InputError, match=r"^b\.mp4: expected a video$") as raised,
    ):
        worker.receive()
    assert not isinstance(raised.value, DecoderDiedError)


def test_a_crash_is_told():
    with (
        WorkerProcess(Path("a.mp4"), 120.0, crash) as worker,
        pytest.raises(DecoderDiedError, match=r"a\.mp4: the decoder crashed on it"),
    ):
        worker.receive()
