"""Work on a file in a process of its own: values, errors, and files that hang or crash it."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from vidmodel_tf import workers
from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.worker_process import Alive, DecoderDiedError, WorkerProcess, alive


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
        with pytest.raises(DecoderDiedError, match=r"a\.mp4: was silent for 0\.2 seconds: it is damaged, or its"):
            worker.receive()
    assert worker._process.exitcode is not None


def test_an_error_of_the_function_is_raised():
    with (
        WorkerProcess(Path("a.mp4"), 120.0, refuse, "b.mp4") as worker,
        pytest.raises(InputError, match=r"^b\.mp4: expected a video$") as raised,
    ):
        worker.receive()
    assert not isinstance(raised.value, DecoderDiedError)


def fill_the_disk(tell):
    raise OSError(errno.ENOSPC, "No space left on device", "out.mp4")


def test_a_full_disk_is_no_fault_of_the_file():
    with (
        WorkerProcess(Path("a.mp4"), 120.0, fill_the_disk) as worker,
        pytest.raises(OSError, match=r"No space left on device: 'out\.mp4'") as raised,
    ):
        worker.receive()
    assert raised.value.errno == errno.ENOSPC


def tell_late(tell):
    workers.ALIVE_SECONDS = 0.2
    go_on = alive(tell)
    for _ in range(40):
        time.sleep(0.1)
        go_on()
    tell("done")


def test_work_that_goes_on_without_telling_anything_is_left_alone():
    with WorkerProcess(Path("a.mp4"), 120.0, tell_late) as worker:
        first = worker._receiver.recv()  # the process has started
        worker._timeout_seconds = 2.0
        assert isinstance(first, Alive)
        assert worker.receive() == "done"


def test_a_crash_is_told():
    with (
        WorkerProcess(Path("a.mp4"), 120.0, crash) as worker,
        pytest.raises(DecoderDiedError, match=r"a\.mp4: the decoder crashed on it \(signal SIGSEGV\)"),
    ):
        worker.receive()
