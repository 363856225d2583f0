"""A pool on a cluster: what is sent again and how often, how much is sent ahead, what a node must see.

A stand-in for Ray calls what would run on nodes in threads of this process, and lets nodes die when it is told to.
"""

from __future__ import annotations

import concurrent.futures
import importlib.util
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from types import SimpleNamespace

import pytest

from tests.test_read_clips import wait_until
from tests.test_worker_pool import PATIENCE_SECONDS, double, kill_itself, make_a_mistake, refuse
from vidmodel_tf.cli import main
from vidmodel_tf.cluster import node
from vidmodel_tf.cluster.call import Call, NodeError, message_for
from vidmodel_tf.cluster.cluster_pool import MAX_DEATHS, ClusterPool
from vidmodel_tf.cluster.node_turns import NodeTurns
from vidmodel_tf.cluster.versions import installed_versions
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.worker_of_pool import TaskTimeoutError, WorkerDiedError
from vidmodel_tf.workers import begin_worker


class RayError(Exception):
    pass


class NodeDiedError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class StandIn:
    """What `ClusterPool` uses of Ray. `deaths` are raised in place of the first answers, one after another."""

    exceptions = SimpleNamespace(
        RayError=RayError,
        NodeDiedError=NodeDiedError,
        OutOfMemoryError=OutOfMemoryError,
        WorkerCrashedError=NodeDiedError,
        ObjectLostError=NodeDiedError,
    )

    def __init__(self, *deaths: Exception) -> None:
        self.calls: list[Call] = []
        self.max_at_once = 0
        self._deaths = list(deaths)
        self._at_once: set[Future] = set()
        self._threads = concurrent.futures.ThreadPoolExecutor(1)  # one process of Ray's

    def remote(self, **options):
        assert options == {"num_cpus": 1, "max_retries": 0}
        return lambda function: SimpleNamespace(remote=lambda call: self._start(function, call))

    def _start(self, function, call: Call) -> Future:
        self.calls.append(call)
        answer = self._threads.submit(self._die, self._deaths.pop(0)) if self._deaths else None
        answer = answer or self._threads.submit(function, call)
        self._at_once.add(answer)
        self.max_at_once = max(self.max_at_once, len(self._at_once))
        return answer

    @staticmethod
    def _die(death: Exception):
        raise death

    @staticmethod
    def wait(refs, num_returns=1, timeout=None):
        when = concurrent.futures.FIRST_COMPLETED if num_returns == 1 else concurrent.futures.ALL_COMPLETED
        done, others = concurrent.futures.wait(refs, timeout, when)
        return list(done), list(others)

    def get(self, ref: Future):
        self._at_once.discard(ref)
        return ref.result()

    @staticmethod
    def cancel(ref: Future, force: bool):
        ref.cancel()


@pytest.fixture(autouse=True)
def _end_workers():
    """On a node they end with the process of Ray's."""
    yield
    if node._worker.cache_info().currsize:
        node._worker(begin_worker).close()
        node._worker(begin_worker).end()
    node._worker.cache_clear()


@pytest.fixture(autouse=True)
def _turns(tmp_path, monkeypatch):
    monkeypatch.setattr(node, "NodeTurns", lambda: NodeTurns(tmp_path))
    monkeypatch.setattr(node, "_node_name", lambda: "node 10.0.0.7")


def pool_of(ray, num_workers=0, begin=begin_worker):
    return ClusterPool(ray, lambda: 1, num_workers, begin)


def test_results_and_errors_are_those_of_worker_processes(tmp_path):
    """What `tests/test_worker_pool.py` expects of a pool on this machine. Also the words, and the number of tries."""
    with pool_of(StandIn()) as pool:
        results = [pool.submit(double, number) for number in range(5)]
        assert [result.result(PATIENCE_SECONDS) for result in results] == [0, 2, 4, 6, 8]
        with pytest.raises(InputError, match=r"^a\.mp4: expected a video$"):
            pool.submit(refuse, "a.mp4").result(PATIENCE_SECONDS)
        with pytest.raises(ZeroDivisionError, match="a mistake") as raised:
            pool.submit(make_a_mistake).result(PATIENCE_SECONDS)
        assert "in make_a_mistake" in raised.value.__notes__[0]
        with pytest.raises(WorkerDiedError, match=r"^signal SIGKILL, out of memory\?$"):
            pool.submit(kill_itself, tmp_path / "tries").result(PATIENCE_SECONDS)
        assert (tmp_path / "tries").read_text() == "xx"
        with pytest.raises(TaskTimeoutError):
            pool.submit(time.sleep, 600, timeout_seconds=0.3).result(PATIENCE_SECONDS)
        assert pool.submit(double, 1).result(PATIENCE_SECONDS) == 2


def test_a_task_is_sent_again_when_its_node_dies_and_given_up_at_last():
    ray = StandIn(*[NodeDiedError("gone")] * (MAX_DEATHS - 1))
    with pool_of(ray) as pool:
        assert pool.submit(double, 4).result(PATIENCE_SECONDS) == 8
    assert len(ray.calls) == MAX_DEATHS
    assert not any(call.is_alone for call in ray.calls)
    with (
        pool_of(StandIn(*[NodeDiedError("a\ntraceback\nnode 7 was terminated")] * MAX_DEATHS)) as pool,
        pytest.raises(VidmodelError, match=r"^4 times in a row the machine .* died \(node 7 was terminated\)$"),
    ):
        pool.submit(double, 4).result(PATIENCE_SECONDS)


def test_what_runs_out_of_memory_is_tried_alone_and_is_then_to_blame():
    ray = StandIn(OutOfMemoryError())
    with pool_of(ray) as pool:
        assert pool.submit(double, 4).result(PATIENCE_SECONDS) == 8
    assert [call.is_alone for call in ray.calls] == [False, True]
    with pool_of(StandIn(*[OutOfMemoryError()] * 2)) as pool, pytest.raises(WorkerDiedError, match=r"^out of memory$"):
        pool.submit(double, 4).result(PATIENCE_SECONDS)


def test_what_ray_cannot_call_is_told_in_one_line():
    failure = RayError("\x1b[36mray::answer_call()\x1b[39m\nModuleNotFoundError: No module named 'vidmodel_tf'")
    with pool_of(StandIn(failure)) as pool, pytest.raises(VidmodelError) as raised:
        pool.submit(double, 4).result(PATIENCE_SECONDS)
    assert str(raised.value) == (
        "a node of the cluster cannot run vidmodel_tf; is it installed there, in the Python that runs Ray? "
        "(ModuleNotFoundError: No module named 'vidmodel_tf')"
    )


def test_a_lost_connection_fails_all_tasks_and_does_not_hang():
    ray = StandIn()
    ray.wait = lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no answer\nat all"))
    with pool_of(ray) as pool:
        for _ in range(3):
            with pytest.raises(VidmodelError, match=r"^the connection to the cluster was lost \(no answer at all\)$"):
                pool.submit(double, 4).result(PATIENCE_SECONDS)


@pytest.mark.parametrize(("num_workers", "expected"), [(0, 2), (1, 1), (3, 3)])
def test_no_more_is_sent_ahead_than_cores_can_take_up(num_workers, expected):
    ray = StandIn()
    with pool_of(ray, num_workers) as pool:
        assert pool.num_workers == (num_workers or 1)
        results = [pool.submit(double, number) for number in range(20)]
        assert [result.result(PATIENCE_SECONDS) for result in results] == list(range(0, 40, 2))
    assert ray.max_at_once == expected


def test_closed_it_leaves_nothing():
    pool = pool_of(StandIn(), begin=None)
    waiting = [pool.submit(time.sleep, 0.2) for _ in range(50)]
    pool.close()
    pool.close()
    assert all(result.done() for result in waiting)
    with pytest.raises(CancelledError):
        waiting[-1].result(0)


def call_of(message: bytes, versions=None, begin=None) -> Call:
    return Call(message, begin, None, installed_versions() if versions is None else versions)


@pytest.mark.parametrize("begin", [None, begin_worker])
def test_a_node_that_does_not_see_a_file_is_named(tmp_path, begin):
    video, folder = tmp_path / "a.mp4", tmp_path / "model"
    video.write_bytes(b"1234")
    folder.mkdir()
    missing = tmp_path / "missing.mp4"  # here too: whoever reads it has words for that
    message = message_for(double, [4], [video, folder, missing])
    assert node.answer_call(call_of(message, begin=begin)) == (8, None)
    video.write_bytes(b"12345")
    _, error = node.answer_call(call_of(message, begin=begin))
    assert isinstance(error, NodeError)
    assert str(error).startswith(f"node 10.0.0.7 sees another {video} (5 bytes in place of 4)")
    folder.rmdir()
    video.unlink()
    _, error = node.answer_call(call_of(message, begin=begin))
    assert str(error).startswith(f"node 10.0.0.7 does not see {video}, which the machine that asks has: expected the")
    assert error.exit_code == 2


def test_a_node_with_other_versions_is_refused():
    _, error = node.answer_call(call_of(message_for(double, [4], []), {**installed_versions(), "keras": "9.9"}))
    assert isinstance(error, NodeError)
    assert "in place of 9.9: expected the same versions on every machine" in str(error)


def test_who_is_alone_on_a_node_waits_for_the_others_and_keeps_them_out(tmp_path):
    turns, events = NodeTurns(tmp_path), []

    def work(name, turn, seconds=0.2):
        with turn():
            events.append(f"{name} begins")
            time.sleep(seconds)
            events.append(f"{name} ends")

    threads = [
        threading.Thread(target=work, args=arguments)
        for arguments in [("a", turns.with_others), ("b", turns.with_others), ("alone", turns.alone)]
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    late = threading.Thread(target=work, args=("late", turns.with_others))
    late.start()
    for thread in [*threads, late]:
        thread.join()
    assert events[:2] == ["a begins", "b begins"]
    assert set(events[2:4]) == {"a ends", "b ends"}
    assert events[4:] == ["alone begins", "alone ends", "late begins", "late ends"]


def test_the_turn_of_a_process_that_is_killed_goes_on(tmp_path):
    script = f"""
import time
from pathlib import Path
from vidmodel_tf.cluster.node_turns import NodeTurns
with NodeTurns(Path({str(tmp_path)!r})).alone():
    Path({str(tmp_path / "alone")!r}).touch()
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    assert wait_until((tmp_path / "alone").exists)
    process.kill()
    process.wait()
    with NodeTurns(tmp_path).with_others():
        pass


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra cluster is not installed")
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("local", "expected the address of a Ray cluster: HOST:PORT or auto on one of its machines"),
        ("127.0.0.1:1", "no Ray cluster can be used at 127.0.0.1:1 (Connection refused)"),
        ("ray://127.0.0.1:1", "no Ray cluster can be used at ray://127.0.0.1:1 (Connection refused)"),
    ],
)
def test_no_cluster_is_one_line_at_once(tmp_path, capsys, address, message):
    started = time.monotonic()
    assert main(["prepare", str(tmp_path), "--out", str(tmp_path / "out"), "--cluster", address]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"vidmodel prepare: {message}")
    assert told.count("\n") == 1
    assert time.monotonic() - started < 20


def test_the_missing_extra_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["prepare", str(tmp_path), "--out", str(tmp_path / "out"), "--cluster", "auto"]) == 2
    assert 'pip install "vidmodel_tf[cluster]"' in capsys.readouterr().err
