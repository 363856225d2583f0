"""Whom notifications reach: a command that is run, an address that is called. Neither can hold up or end the watch."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3
import urllib3.util

from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.live.work_queue import Dropped, WorkQueue
from vidmodel_tf.video.address import hide_password

COMMAND_SECONDS = 30.0
WEBHOOK_SECONDS = 5.0
WEBHOOK_TRIES = 3
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Hook:
    """One way in which notifications are sent.

    Attributes:
        name: The option that asked for it.
        queue: Does it.
        deliver: Sends a line, however long that takes.
    """

    name: str
    queue: WorkQueue
    deliver: Callable[[str], None]

    def send(self, line: str, drop: Dropped) -> None:
        """Sends a line some time; `drop` is told if it does not arrive. Never waits."""
        self.queue.put(lambda: self.deliver(line), drop)


def command_hook(command: str, queue: WorkQueue, *, timeout_seconds: float = COMMAND_SECONDS) -> Hook:
    """Runs a command for each line, one at a time.

    Args:
        command: Split as a shell would, but no shell runs it. The line is its standard input.
        queue: Runs it.
        timeout_seconds: Then it is killed, with all that it has started.

    Raises:
        InputError: It is empty, has an open quote, or there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"--run: expected a command. Received: {command!r} ({error})") from None
    if not words or shutil.which(words[0]) is None:
        raise InputError(f"--run: expected a program that can be run. Received: {words[0] if words else command!r}")
    return Hook("--run", queue, lambda line: _run(words, line, timeout_seconds, queue.stop))


def webhook(
    url: str, queue: WorkQueue, *, timeout_seconds: float = WEBHOOK_SECONDS, retry_seconds: float = _RETRY_SECONDS
) -> Hook:
    """Posts each line as JSON.

    Args:
        url: http or https. User and password in it are sent as HTTP asks, and shown nowhere.
        queue: Sends them.
        timeout_seconds: For one try, of three.
        retry_seconds: Before the second try; twice as long before the third.

    Raises:
        InputError: It is another kind of address.
    """
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        parts = urllib3.util.Url()
    if parts.scheme not in ("http", "https") or not parts.host:
        raise InputError(f"--webhook: expected an http or https address. Received: {hide_password(url, url)}")
    headers = {"Content-Type": "application/json", "User-Agent": "vidmodel"}
    if parts.auth:
        headers |= urllib3.make_headers(basic_auth=parts.auth)
    bare = parts._replace(auth=None, fragment=None).url
    pool = urllib3.PoolManager(headers=headers, retries=False, timeout=urllib3.Timeout(timeout_seconds))

    def post(line: str) -> None:
        reason = ""
        for attempt in range(WEBHOOK_TRIES):
            if attempt and queue.stop.wait(attempt * retry_seconds):
                break
            reason = _post_once(pool, bare, line)
            if not reason:
                return
        raise VidmodelError(hide_password(f"{reason}, {WEBHOOK_TRIES} tries", url))

    return Hook("--webhook", queue, post)


def _post_once(pool: urllib3.PoolManager, url: str, line: str) -> str:
    """Why it failed; "" if it did not."""
    try:
        response = pool.request("POST", url, body=line.encode(), redirect=False, preload_content=False)
    except urllib3.exceptions.HTTPError as error:
        return type(error).__name__
    status = response.status
    response.close()
    return "" if 200 <= status < 300 else f"answered with status {status}"


def _run(words: list[str], line: str, timeout_seconds: float, stop: threading.Event) -> None:
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(process, line, timeout_seconds, stop)
    finally:
        _kill_all(process)
    if process.returncode:
        raise VidmodelError(f"ended with exit code {process.returncode}")


def _wait(process: subprocess.Popen, line: str, timeout_seconds: float, stop: threading.Event) -> None:
    deadline = time.monotonic() + timeout_seconds
    text: bytes | None = line.encode() + b"\n"
    while True:
        try:
            process.communicate(text, timeout=0.2)
            return
        except subprocess.TimeoutExpired:
            text = None  # `communicate` goes on where it was
        if stop.is_set():
            raise VidmodelError("the watch ended")
        if time.monotonic() > deadline:
            raise VidmodelError(f"killed after {timeout_seconds:g} seconds")


def _kill_all(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
