"""How late `vidmodel watch` is, and how many cameras one machine holds.

    python benchmarks/live_latency.py MODEL [--cameras 1 2 4 8] [--seconds 30] [--window SECONDS] [--rate 25]

MODEL is what `vidmodel watch` takes: a run folder, an export, or the first half of the streaming pair, such as
`frame_features_int8.tflite`. A server on this machine gives every camera a stream of 320 x 240 pixels with numbered
pictures. One watch looks at all cameras with the model; then its scores are replaced by ones that begin an event again
and again, so that it writes `start` lines. Counted for the last picture that a window has, in milliseconds, median and
95th percentile:

- arrival: from when the picture came to the process of its camera to the scores of the window;
- painted: from when the server had the picture to the scores;
- line: from when the server had the picture to the `start` line in the log.

All three contain the wait for the next picture, which tells that this one was on display at a step, and the last two
another such wait: in a transport stream a picture ends where the next one begins.

The numbers of cameras are tried in turn until pictures are dropped, a connection is lost, or the 95th percentile of
"line" exceeds a hop and half a second. `cores` is the processor time of the watch and its camera processes in a second.
The first seconds of each run count for `cores` alone, with the start of the processes. Each number of cameras takes
about 10 seconds and `--seconds`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import resource
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numbered_cameras import Cameras, read_number

CONNECT_SECONDS = 60.0  # that the first window may take to come
FIRST_SECONDS = 5.0  # after the first window, which do not count: the first pictures of a connection come late
SPARE_SECONDS = 15.0  # of video that is there beyond that
HOPS_OF_AN_EVENT, HOPS_OF_A_PERIOD = 2, 8
LIMIT_SECONDS = 0.5  # beside a hop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run (default: %(default)s)")
    parser.add_argument("--window", type=float, metavar="SECONDS", help="length of a window, where the run has none")
    parser.add_argument("--rate", type=float, default=25.0, help="pictures a second of a camera (default: %(default)s)")
    options = parser.parse_args()
    from vidmodel_tf.forms.open_model import open_model

    form = open_model(options.model)
    print("cameras  windows  arrival      painted      line         dropped  cores", flush=True)
    held, limit_seconds = 0, 0.0
    num_pictures = round((FIRST_SECONDS + options.seconds + SPARE_SECONDS) * options.rate)
    with Cameras(max(options.cameras), num_pictures, options.rate) as cameras:
        for count in options.cameras:
            measured = measure(form, cameras, count, options.seconds, options.window)
            print(measured.row(count), flush=True)
            limit_seconds = measured.limit_seconds
            if not measured.is_in_time:
                break
            held = count
    print(f"{held} cameras are held; the limit is {1000 * limit_seconds:.0f} ms")


@dataclasses.dataclass(frozen=True)
class Scored:
    """A window: when its last picture was painted and came, and when its scores were there; seconds since 1970."""

    painted: float
    arrived: float
    scored: float


@dataclasses.dataclass
class Measured:
    """What a watch did, which is stopped so many seconds after its first window."""

    seconds: float
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    windows: list[Scored] = dataclasses.field(default_factory=list)
    lines: list[tuple[Scored, float]] = dataclasses.field(default_factory=list)
    dropped: list[tuple[float, float]] = dataclasses.field(default_factory=list)  # when, and how many seconds
    lost: list[float] = dataclasses.field(default_factory=list)
    begin: tuple[float, float] = (0.0, 0.0)  # when, and the processor time before
    cores: float = 0.0
    limit_seconds: float = 0.0

    def add(self, window: Scored) -> None:
        self.windows.append(window)
        if window.scored - self.windows[0].scored >= self.seconds:
            self.stop.set()

    def show(self, line: str) -> None:
        """Takes a line of the log in short; the watch writes it in the thread that has just scored a window."""
        now, words = time.time(), line.split()
        if words[2] == "start":
            self.lines.append((self.windows[-1], now))
        elif words[2] == "dropped":
            self.dropped.append((now, float(words[3])))
        elif words[2] == "lost":
            self.lost.append(now)

    def without_the_first_seconds(self) -> Measured:
        first = min((window.scored for window in self.windows), default=0.0) + FIRST_SECONDS
        windows = [window for window in self.windows if window.scored >= first]
        lines = [(window, written) for window, written in self.lines if written >= first]
        dropped = [(when, seconds) for when, seconds in self.dropped if when >= first]
        return dataclasses.replace(self, windows=windows, lines=lines, dropped=dropped)

    @property
    def line_seconds(self) -> tuple[float, float]:
        return _summary([written - window.painted for window, written in self.lines])

    @property
    def is_in_time(self) -> bool:
        return not self.dropped and not self.lost and self.line_seconds[1] <= self.limit_seconds

    def row(self, count: int) -> str:
        """Of the table."""
        arrival = _summary([window.scored - window.arrived for window in self.windows])
        painted = _summary([window.scored - window.painted for window in self.windows])
        pairs = [f"{1000 * median:.0f} {1000 * late:.0f}" for median, late in (arrival, painted, self.line_seconds)]
        cells = "".join(f"  {pair:11}" for pair in pairs)
        dropped = sum(seconds for _, seconds in self.dropped)
        lost = f"  {len(self.lost)} lost" if self.lost else ""
        return f"{count:7}  {len(self.windows):7}{cells}  {dropped:5.1f} s  {self.cores:.2f}{lost}"


def measure(form: Any, cameras: Cameras, count: int, seconds: float, window_seconds: float | None) -> Measured:
    """Runs one watch."""
    from vidmodel_tf.live.watch import watch
    from vidmodel_tf.scoring.policy import Policy
    from vidmodel_tf.scoring.rule import Rule

    head, labels = next(iter(form.run.labels.items()))
    rule = Rule(name="event", head=head, label=labels[0], on=0.5, off=0.5, min_seconds=0, gap_seconds=0)
    measured = Measured(FIRST_SECONDS + seconds)
    with tempfile.TemporaryDirectory() as folder, _measured(measured, cameras):
        watch(
            form,
            cameras.urls(count),
            Path(folder),
            policy=Policy((rule,)),
            seconds=CONNECT_SECONDS + FIRST_SECONDS + seconds,
            window_seconds=window_seconds,
            stop=measured.stop,
            show=measured.show,
        )
        begin, before = measured.begin
        measured.cores = (_processor_seconds() - before) / (time.time() - begin)
    return measured.without_the_first_seconds()


@contextlib.contextmanager
def _measured(measured: Measured, cameras: Cameras) -> Iterator[None]:
    """Within it, the sources of a watch note what they do, and their scores begin an event again and again."""
    from vidmodel_tf.live.source_scores import NewScores, SourceScores

    numbers = iter(range(1_000_000))  # sources are made in their order

    class Noted(SourceScores):
        def __init__(self, begin_pass: Any, decode: Any, plan: Any, labels: Any) -> None:
            super().__init__(begin_pass, decode, plan, labels)
            self._camera, self._hop_steps = next(numbers), plan.hop_steps
            measured.limit_seconds = plan.hop_seconds + LIMIT_SECONDS
            measured.begin = time.time(), _processor_seconds()

        def push(self, frame: Any) -> tuple[int, NewScores]:
            step, new = super().push(frame)
            if new.newest:
                scored = time.time()
                painted = cameras.sent_at(self._camera, read_number(frame.jpeg))
                measured.add(Scored(painted, frame.arrival, scored))
            return step, NewScores(self._scripted(new.newest), self._scripted(new.settled))

        def _scripted(self, scores: Sequence[Any]) -> list[Any]:
            return [
                (step, {head: np.full_like(values, self._is_event(step)) for head, values in by_head.items()})
                for step, by_head in scores
            ]

        def _is_event(self, step: int) -> bool:
            return step // self._hop_steps % HOPS_OF_A_PERIOD >= HOPS_OF_A_PERIOD - HOPS_OF_AN_EVENT

    with mock.patch("vidmodel_tf.live.watching.SourceScores", Noted):
        yield


def _processor_seconds() -> float:
    """Of this process and of its children that have ended: the processes of cameras."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _summary(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    if not seconds:
        return float("nan"), float("nan")
    median, late = np.percentile(seconds, [50, 95])
    return float(median), float(late)


if __name__ == "__main__":
    main()
