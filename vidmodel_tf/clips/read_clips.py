"""Many clips decoded by worker processes, in order, with flat memory; a bad file costs its own clips and no others.

Broken files hang decoders and crash them, and neither can be stopped inside one's own process. So the clips of a file
have a time limit, and the worker that overruns it is killed and replaced. Where a worker dies, the file is tried once
more, alone.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_file import ReadResult, read_file
from vidmodel_tf.errors import InputError
from vidmodel_tf.machines import Machines, TaskPool, ThisMachine
from vidmodel_tf.remote.store import RemoteFile
from vidmodel_tf.video.decoder import begin_decoding
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.worker_of_pool import TaskTimeoutError, WorkerDiedError

# Within so many requests those of one file are read together; so many clips wait for a slow one before them. Where many
# cores read, it is as many as are handed to them in advance.
LOOK_AHEAD = 64
GROUPS_PER_WORKER = 4  # handed to the pool in advance, so that no worker waits

ReadFile = Callable[[Sequence[ClipRequest]], list[ReadResult]]


@dataclass(frozen=True)
class _Group:
    """Requests of one file, read in one task."""

    requests: tuple[ClipRequest, ...]
    future: concurrent.futures.Future


def read_clips(
    requests: Iterable[ClipRequest],
    *,
    num_workers: int,
    timeout_seconds: float,
    read: ReadFile = read_file,
    machines: Machines | None = None,
) -> Iterator[tuple[ClipRequest, ReadResult]]:
    """Decodes clips in worker processes and yields them in the order of the requests.

    Requests of one file that stand near each other are read together, each picture once. The workers do not run the
    caller's main module again: a script needs no `if __name__ == "__main__"` for this, and notebooks and scripts from
    stdin work. They end with the iterator: when it is exhausted, closed or collected.

    Args:
        requests: Taken up as results are consumed, at most `LOOK_AHEAD` in advance, or `GROUPS_PER_WORKER` for each
            worker if that is more: a generator of any length will do.
        num_workers: Processes; 0: one for each core that this process may use, or that the cluster has.
        timeout_seconds: For one clip, counted from when a worker begins it; n clips that are read together have n
            times as long.
        read: What a worker does with requests of one file; a function that can be imported.
        machines: Where the workers are; None: here.

    Yields:
        Each request, and its clip or the reason why it is refused: also for a file that took too long or crashed
        the worker.

    Raises:
        InputError: `num_workers` or `timeout_seconds` is out of range.
        VidmodelError: OpenCV cannot be loaded, or workers cannot be started.
    """
    if num_workers < 0:
        raise InputError(f"num_workers: expected 0 (one a core) or more. Received: {num_workers}")
    if not timeout_seconds > 0:
        raise InputError(f"timeout_seconds: expected more than 0. Received: {timeout_seconds}")
    import_opencv()  # fails here once, not in each worker
    return _read_all(iter(requests), machines or ThisMachine(), num_workers, timeout_seconds, read)


def _read_all(
    requests: Iterator[ClipRequest], machines: Machines, num_workers: int, timeout_seconds: float, read: ReadFile
) -> Iterator[tuple[ClipRequest, ReadResult]]:
    first = list(itertools.islice(requests, 1))
    if not first:
        return
    with machines.open_pool(num_workers, begin_decoding) as pool:
        yield from _Reading(pool, timeout_seconds, read).answers(itertools.chain(first, requests))


class _Reading:
    def __init__(self, pool: TaskPool, timeout_seconds: float, read: ReadFile) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._read = read
        self._waiting: dict[int, ClipRequest] = {}  # taken up and not yet scheduled, by number
        self._groups: deque[tuple[tuple[int, ...], _Group]] = deque()  # scheduled
        self._answers: dict[int, ReadResult] = {}

    @property
    def _max_groups(self) -> int:
        return GROUPS_PER_WORKER * self._pool.num_workers

    def answers(self, requests: Iterator[ClipRequest]) -> Iterator[tuple[ClipRequest, ReadResult]]:
        numbered = enumerate(requests)
        asked: deque[tuple[int, ClipRequest]] = deque()
        while True:
            look_ahead = max(LOOK_AHEAD, self._max_groups)
            for number, request in itertools.islice(numbered, max(look_ahead - len(asked), 0)):
                asked.append((number, request))
                self._waiting[number] = request
            if not asked:
                return
            self._schedule_groups()
            number, request = asked.popleft()
            while number not in self._answers:
                self._collect()
            yield request, self._answers.pop(number)

    def _schedule_groups(self) -> None:
        while self._waiting and len(self._groups) < self._max_groups:
            path = next(iter(self._waiting.values())).path
            numbers = tuple(number for number, request in self._waiting.items() if request.path == path)
            members = tuple(self._waiting.pop(number) for number in numbers)
            self._groups.append((numbers, self._schedule(members)))

    def _schedule(self, requests: tuple[ClipRequest, ...]) -> _Group:
        path, seconds = requests[0].path, self._timeout_seconds * len(requests)
        if isinstance(path, RemoteFile):
            return _Group(requests, self._pool.submit(self._read, requests, timeout_seconds=seconds))
        path = Path(path).absolute()
        sent = [dataclasses.replace(request, path=path) for request in requests]  # a worker may have another folder
        return _Group(requests, self._pool.submit(self._read, sent, timeout_seconds=seconds, reads=[path]))

    def _collect(self) -> None:
        """Waits for the oldest group."""
        numbers, group = self._groups.popleft()
        answers = _results(group, self._timeout_seconds)
        if answers is None:  # one of them spoils the others: each alone
            for number, request in zip(reversed(numbers), reversed(group.requests), strict=True):
                self._groups.appendleft(((number,), self._schedule((request,))))
            return
        self._answers.update(zip(numbers, answers, strict=True))
        self._schedule_groups()


def _results(group: _Group, timeout_seconds: float) -> list[ReadResult] | None:
    try:
        return group.future.result()
    except TaskTimeoutError:
        reason = (
            f"took longer than {timeout_seconds:g} seconds to decode: it is damaged, or very long (raise "
            "timeout_seconds)"
        )
    except WorkerDiedError as error:
        reason = f"the decoder crashed on it ({error})"
    return [InputError(reason, subject=str(group.requests[0].path))] if len(group.requests) == 1 else None
