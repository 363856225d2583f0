"""Many clips decoded by worker processes, in order, with flat memory; a bad file costs its own clip and no other.

Broken files hang decoders and crash them, and neither can be stopped inside one's own process. So each clip has a time
limit, and the worker that overruns it is killed and replaced.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import pebble

from vidmodel_tf.clips.read_clip import ClipRequest, DecodedClip, read_clip
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.video.decoder import silence_decoder
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.workers import WorkerContext, begin_worker, num_usable_cores

IN_FLIGHT_PER_WORKER = 4  # decoded clips wait for a slower one before them, whose time limit may be minutes


def read_clips(
    requests: Iterable[ClipRequest],
    *,
    num_workers: int,
    timeout_seconds: float,
    read: Callable[[ClipRequest], DecodedClip] = read_clip,
) -> Iterator[tuple[ClipRequest, DecodedClip | InputError]]:
    """Decodes clips in worker processes and yields them in the order of the requests.

    The workers do not run the caller's main module again: a script needs no `if __name__ == "__main__"` for this, and
    notebooks and scripts from stdin work. They end with the iterator: when it is exhausted, closed or collected.

    Args:
        requests: Taken up as results are consumed, a few a worker in advance: a generator of any length will do.
        num_workers: Processes; 0: one for each core that this process may use.
        timeout_seconds: For one clip, counted from when a worker begins it.
        read: What a worker does; a function that can be imported.

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
    return _read_all(iter(requests), num_workers or num_usable_cores(), timeout_seconds, read)


def _read_all(
    requests: Iterator[ClipRequest],
    num_workers: int,
    timeout_seconds: float,
    read: Callable[[ClipRequest], DecodedClip],
) -> Iterator[tuple[ClipRequest, DecodedClip | InputError]]:
    first = list(itertools.islice(requests, num_workers))
    if not first:
        return
    pool = pebble.ProcessPool(max_workers=len(first), initializer=_prepare_worker, context=WorkerContext())
    in_flight: deque[tuple[ClipRequest, concurrent.futures.Future]] = deque()
    try:
        for request in itertools.chain(first, requests):
            in_flight.append((request, _schedule(pool, read, request, timeout_seconds)))
            if len(in_flight) >= IN_FLIGHT_PER_WORKER * len(first):
                yield _result(*in_flight.popleft(), timeout_seconds)
        while in_flight:
            yield _result(*in_flight.popleft(), timeout_seconds)
    finally:
        pool.stop()
        pool.join()


def _schedule(
    pool: pebble.ProcessPool,
    read: Callable[[ClipRequest], DecodedClip],
    request: ClipRequest,
    timeout_seconds: float,
) -> concurrent.futures.Future:
    try:
        return pool.schedule(read, args=(request,), timeout=timeout_seconds)
    except RuntimeError as error:  # how pebble tells of a pool without workers
        raise VidmodelError(f"the decoding processes died, before {request.path}: {error}") from None


def _result(
    request: ClipRequest, future: concurrent.futures.Future, timeout_seconds: float
) -> tuple[ClipRequest, DecodedClip | InputError]:
    try:
        return request, future.result()
    except InputError as error:
        return request, error
    except concurrent.futures.TimeoutError:
        return request, InputError(
            f"{request.path}: took longer than {timeout_seconds:g} seconds to decode: it is damaged, or very long "
            "(raise timeout_seconds)"
        )
    except pebble.ProcessExpired as error:
        return request, InputError(f"{request.path}: the decoder crashed on it ({_cause(error.exitcode)})")
    except concurrent.futures.BrokenExecutor as error:
        raise VidmodelError(f"the decoding processes died, near {request.path}: {error}") from None


def _cause(exit_code: int) -> str:
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _prepare_worker() -> None:
    begin_worker()
    silence_decoder()
    import_opencv().setNumThreads(1)  # there is a process for each core
