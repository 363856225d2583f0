"""Commands and webhooks: they get the line, and when they fail or hang nobody waits for them."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.processes import is_running
from vidmodel_tf.errors import InputError
from vidmodel_tf.live.hooks import command_hook, webhook
from vidmodel_tf.live.work_queue import WorkQueue

LINE = json.dumps({"source": "门口", "type": "notify"}, ensure_ascii=False)


class Queue:
    """A queue, and what it dropped."""

    def __init__(self, max_waiting: int = 16) -> None:
        self.dropped: list[str] = []
        self.work = WorkQueue(max_waiting)

    def finish(self, seconds: float = 30) -> None:
        self.work.close(time.monotonic() + seconds)


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue()
    yield queue
    queue.finish(0)


@contextlib.contextmanager
def receiver(statuses: list[int]) -> Iterator[tuple[str, list[tuple[Message, bytes]]]]:
    """A server that answers with one status after the other, the last for ever."""
    received: list[tuple[Message, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers, body))
            self.send_response(statuses[min(len(received), len(statuses)) - 1])
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}/alarm", received
        server.shutdown()


def test_a_command_gets_the_line(tmp_path, queue):
    out = tmp_path / "a file"
    script = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    hook = command_hook(shlex.join([sys.executable, "-c", script, str(out)]), queue.work)
    hook.send(LINE, queue.dropped.append)
    queue.finish()
    assert out.read_text(encoding="utf-8") == LINE + "\n"
    assert queue.dropped == []


def test_no_shell(tmp_path, queue):
    command_hook(f"echo $(touch {tmp_path}/made) > {tmp_path}/out; touch {tmp_path}/made", queue.work).send(
        LINE, queue.dropped.append
    )
    queue.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_fails_is_told(queue):
    command_hook("false", queue.work).send(LINE, queue.dropped.append)
    queue.finish()
    assert queue.dropped == ["ended with exit code 1"]


def test_a_command_that_reads_nothing(queue):
    command_hook("true", queue.work).send(LINE * 10_000, queue.dropped.append)
    queue.finish()
    assert queue.dropped == []


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path, queue):
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; wait"
    hook = command_hook(f"bash -c '{script}'", queue.work, timeout_seconds=1)
    hook.send(LINE, queue.dropped.append)
    queue.finish()
    assert queue.dropped == ["killed after 1 seconds"]
    assert not is_running(int(pid_file.read_text()))


def test_a_command_that_hangs_does_not_hold_up_the_end(tmp_path, queue):
    pid_file = tmp_path / "pid"
    command_hook(f"bash -c 'echo $$ > {pid_file}; sleep 600'", queue.work).send(LINE, queue.dropped.append)
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.05)
    pid = int(pid_file.read_text())
    queue.finish(0)
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert os.getpid() != pid


def test_too_much_is_dropped_and_told():
    queue = Queue(max_waiting=2)
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)

    assert queue.work.put(work, pytest.fail)
    begun.wait(30)
    assert [queue.work.put(lambda: None, queue.dropped.append) for _ in range(3)] == [True, True, False]
    assert queue.dropped == ["2 were waiting already"]
    go_on.set()
    queue.finish()


def test_what_waits_at_the_end_is_told():
    queue = Queue()
    queue.work.put(lambda: time.sleep(1), pytest.fail)
    queue.work.put(lambda: None, queue.dropped.append)
    queue.finish(0)
    assert queue.dropped == ["the watch ended"]


@pytest.mark.parametrize(
    ("command", "message"),
    [("", "Received: ''"), ("'open", "No closing quotation"), ("no-such-program -x", "Received: 'no-such-program'")],
)
def test_commands_that_cannot_be(command, message, queue):
    with pytest.raises(InputError, match=message):
        command_hook(command, queue.work)


def test_a_webhook_gets_the_line(queue):
    with receiver([200]) as (place, received):
        webhook(f"http://user:s3cret@{place}", queue.work).send(LINE, queue.dropped.append)
        queue.finish()
    ((headers, body),) = received
    assert body.decode() == LINE
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Basic dXNlcjpzM2NyZXQ="
    assert queue.dropped == []


def test_a_webhook_is_tried_again(queue):
    with receiver([500, 503, 204]) as (place, received):
        webhook(f"http://{place}", queue.work, retry_seconds=0.01).send(LINE, queue.dropped.append)
        queue.finish()
    assert len(received) == 3
    assert queue.dropped == []


def test_a_webhook_that_refuses_is_told_without_a_password(queue):
    with receiver([500]) as (place, received):
        webhook(f"http://user:s3cret@{place}?token=s3cret", queue.work, retry_seconds=0.01).send(
            LINE, queue.dropped.append
        )
        queue.finish()
    assert len(received) == 3
    assert queue.dropped == ["answered with status 500, 3 tries"]


def test_a_webhook_that_says_nothing(queue):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        webhook(url, queue.work, timeout_seconds=0.2, retry_seconds=0.01).send(LINE, queue.dropped.append)
        queue.finish()
    assert queue.dropped == ["ReadTimeoutError, 3 tries"]


def test_a_redirect_is_not_followed(queue):
    with receiver([302]) as (place, received):
        webhook(f"http://{place}", queue.work, retry_seconds=0.01).send(LINE, queue.dropped.append)
        queue.finish()
    assert len(received) == 3


@pytest.mark.parametrize("url", ["ftp://host/", "host/alarm", "http://", "http://user:s3cret@"])
def test_addresses_that_cannot_be(url, queue):
    with pytest.raises(InputError, match="expected an http or https address") as error:
        webhook(url, queue.work)
    assert "s3cret" not in str(error.value)
