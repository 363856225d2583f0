"""Worker processes that are really killed: their own task is tried again, alone, and no other suffers."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from tests.processes import workers_of
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.worker_of_pool import TaskTimeoutError, WorkerDiedError
from vidmodel_tf.worker_pool import WorkerPool
from vidmodel_tf.workers import begin_worker

PATIENCE_SECONDS = 60


# What follows runs in workers.
def process_id(_=None) -> int:
    return os.getpid()


def double(number: int) -> int:
    return 2 * number


def sleep_after_begin(begun: Path) -> None:
    begun.touch()
    time.sleep(600)


def wait_to_be_killed_once(folder: Path, number: int) -> int:
    """Says that it has begun; the second time it answers."""
    try:
        (folder / f"{number}.part").write_text(str(os.getpid()))
        (folder / f"{number}.part").rename(folder / f"{number}.{len(list(folder.glob(f'{number}.[12]'))) + 1}")
        if not (folder / f"{number}.2").exists():
            time.sleep(600)
        return number
    finally:
        (folder / f"{number}.alone").write_text(str(len(workers_of(os.getppid()))))


def kill_itself(begun: Path) -> None:
    with begun.open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(subject: str) -> None:
    raise InputError("expected a video", subject=subject)


def make_a_mistake() -> None:
    raise ZeroDivisionError("a mistake")


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("a lock")
        self.lock = threading.Lock()


def raise_what_cannot_be_sent() -> None:
    raise UnpicklableError


def return_what_cannot_be_sent() -> object:
    return threading.Lock()


def begin_with_a_mistake() -> None:
    os._exit(3)


# And this in the test.
def wait_for(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
    return path.read_text()


def test_results_and_errors():
    with WorkerPool(2, begin_worker) as pool:
        results = [pool.submit(double, number) for number in range(20)]
        refused, mistake = pool.submit(refuse, "a.mp4"), pool.submit(make_a_mistake)
        sent = [pool.submit(raise_what_cannot_be_sent), pool.submit(return_what_cannot_be_sent)]
        assert [result.result(PATIENCE_SECONDS) for result in results] == [2 * number for number in range(20)]
        with pytest.raises(InputError, match=r"^a\.mp4: expected a video$"):
            refused.result(PATIENCE_SECONDS)
        with pytest.raises(ZeroDivisionError, match="a mistake") as raised:
            mistake.result(PATIENCE_SECONDS)
        assert "in make_a_mistake" in raised.value.__notes__[0]
        with pytest.raises(RuntimeError, match="UnpicklableError: a lock"):
            sent[0].result(PATIENCE_SECONDS)
        with pytest.raises(TypeError, match="lock"):
            sent[1].result(PATIENCE_SECONDS)
    assert not workers_of()


def test_workers_that_are_killed_cost_no_task(tmp_path):
    with WorkerPool(3, begin_worker) as pool:
        killed = [pool.submit(wait_to_be_killed_once, tmp_path, number) for number in range(3)]
        others = [pool.submit(double, number) for number in range(30)]
        for number in range(3):
            os.kill(int(wait_for(tmp_path / f"{number}.1")), signal.SIGKILL)
        assert [result.result(PATIENCE_SECONDS) for result in killed] == [0, 1, 2]
        assert [result.result(PATIENCE_SECONDS) for result in others] == [2 * number for number in range(30)]
    # In the second try no other worker holds memory.
    assert [(tmp_path / f"{number}.alone").read_text() for number in range(3)] == ["1"] * 3


def test_killed_twice_it_is_given_up_and_the_others_go_on(tmp_path):
    with WorkerPool(2, begin_worker) as pool:
        given_up, others = pool.submit(kill_itself, tmp_path / "tries"), [pool.submit(double, 1) for _ in range(10)]
        with pytest.raises(WorkerDiedError, match=r"^signal SIGKILL, out of memory\?$"):
            given_up.result(PATIENCE_SECONDS)
        assert [result.result(PATIENCE_SECONDS) for result in others] == [2] * 10
        assert (tmp_path / "tries").read_text() == "xx"


def test_a_worker_that_dies_with_nothing_to_do_is_replaced():
    with WorkerPool(1, begin_worker) as pool:
        first = pool.submit(process_id).result(PATIENCE_SECONDS)
        os.kill(first, signal.SIGKILL)
        second = pool.submit(process_id).result(PATIENCE_SECONDS)
        assert second != first
        assert pool.submit(process_id).result(PATIENCE_SECONDS) == second


def test_a_task_that_takes_too_long_is_not_tried_again(tmp_path):
    with WorkerPool(1, begin_worker) as pool:
        with pytest.raises(TaskTimeoutError):
            pool.submit(sleep_after_begin, tmp_path / "begun", timeout_seconds=0.5).result(PATIENCE_SECONDS)
        assert pool.submit(double, 1).result(PATIENCE_SECONDS) == 2


def test_closed_it_leaves_nothing(tmp_path):
    pool = WorkerPool(2, begin_worker)
    running = pool.submit(sleep_after_begin, tmp_path / "begun")
    waiting = [pool.submit(sleep_after_begin, tmp_path / f"{number}") for number in range(5)]
    wait_for(tmp_path / "begun")
    pool.close()
    pool.close()
    with pytest.raises(CancelledError):
        running.result(0)
    assert all(result.done() for result in waiting)
    assert not workers_of()


def test_processes_that_die_at_once_are_told():
    with (
        WorkerPool(2, begin_with_a_mistake) as pool,
        pytest.raises(VidmodelError, match=r"worker processes die when they are started \(exit code 3\)"),
    ):
        pool.submit(double, 1).result(PATIENCE_SECONDS)
