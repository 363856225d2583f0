"""A process with TensorFlow loaded that runs one command after the other: a line of JSON for each, both ways."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main() -> None:
    """Answers until the other side closes."""
    ways = os.dup(0), os.dup(1)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what libraries print while they are loaded
    with os.fdopen(ways[0]) as requests, os.fdopen(ways[1], "w") as answers:
        import keras

        from vidmodel_tf import cli

        keras.utils.set_random_seed(0)
        answers.write("ready\n")
        answers.flush()
        for line in requests:
            answers.write(json.dumps(_answer(json.loads(line), cli.main)) + "\n")
            answers.flush()
            keras.utils.clear_session()


def _answer(arguments: list[str], run: Callable[[list[str]], int]) -> dict[str, object]:
    before = _begin_to_measure()
    with tempfile.TemporaryFile("w+b") as stdout, tempfile.TemporaryFile("w+b") as stderr:
        begin, begin_processor = time.monotonic(), _processor_seconds()
        with _redirected(stdout, stderr):
            code = _code(arguments, run)
        seconds = time.monotonic() - begin
        return {
            "code": code,
            "seconds": seconds,
            "processor_seconds": _processor_seconds() - begin_processor,
            "megabytes": (_status("VmHWM") - before) / 1024,
            **{name: _read(file) for name, file in (("stdout", stdout), ("stderr", stderr))},
        }


def _code(arguments: list[str], run: Callable[[list[str]], int]) -> int:
    try:
        if arguments[0] == "graph":
            from tests.hostile.graph_requests import ask

            return ask(*arguments[1:])
        return run(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


@contextlib.contextmanager
def _redirected(stdout: IO[bytes], stderr: IO[bytes]) -> Iterator[None]:
    kept = os.dup(1), os.dup(2)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    try:
        yield
    finally:
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(4_000_000).decode(errors="replace")


def _begin_to_measure() -> float:
    with contextlib.suppress(OSError), Path("/proc/self/clear_refs").open("w") as file:
        file.write("5")  # sets the peak to what is in use now
    return _status("VmRSS")


def _processor_seconds() -> float:
    return sum(os.times()[:4])  # of children too, once they have ended


def _status(name: str) -> float:
    with Path("/proc/self/status").open() as file:
        return next((float(line.split()[1]) for line in file if line.startswith(name)), 0.0)


if __name__ == "__main__":
    main()
