"""Decoding in worker processes: order, limits, hangs and crashes, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import pytest

from tests.processes import is_running, workers_of
from tests.videos import frame_numbers, write_video
from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip
from vidmodel_tf.clips.read_clips import LOOK_AHEAD, read_clips
from vidmodel_tf.clips.read_file import read_file
from vidmodel_tf.errors import InputError

ROOT = Path(__file__).parents[1]


def request(path, **arguments) -> ClipRequest:
    return ClipRequest(path, **{"num_frames": 4, "short_side": 64, "jpeg_quality": 90, **arguments})


# What follows runs in workers, in place of the decoder.
def clip_of(text: str) -> DecodedClip:
    return DecodedClip((text.encode(),), (0.0,), 1.0, 25.0, 1, 1)


def act_on_name(requests: Sequence[ClipRequest]) -> list[DecodedClip]:
    return [act_on_one_name(request) for request in requests]


def act_on_one_name(request: ClipRequest) -> DecodedClip:
    name = Path(request.path).name
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "leave":
        os._exit(7)
    if name == "hang":  # in C: no handler of Python's runs before it returns, which is never
        cv2.VideoCapture(str(request.path), cv2.CAP_FFMPEG)
    if name.startswith("slow"):
        time.sleep(0.4)
    if name == "mistake":
        raise ZeroDivisionError("a mistake in the program")
    return clip_of(name)


def tell_about_worker(requests: Sequence[ClipRequest]) -> list[DecodedClip]:
    read_file(requests)
    heavy = [name for name in ("tensorflow", "keras", "sklearn", "matplotlib") if name in sys.modules]
    return [clip_of(f"heavy={heavy} threads={cv2.getNumThreads()}")] * len(requests)


def process_id(requests: Sequence[ClipRequest]) -> list[DecodedClip]:
    return [clip_of(f"{os.getpid()} {len(requests)}") for _ in requests]


def run(names, num_workers=2, timeout_seconds=20.0, read=act_on_name):
    requests = [request(name) for name in names]
    return list(read_clips(requests, num_workers=num_workers, timeout_seconds=timeout_seconds, read=read))


def wait_until(condition, seconds=10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_clips_and_refusals_come_in_the_order_of_the_requests(tmp_path, capfd):
    good = [write_video(tmp_path / f"{i}.mp4", num_frames=8, first_number=100 * i) for i in range(5)]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(good[0].read_bytes()[:500])
    requests = [
        request(good[0]), request(bad), request(good[1]), request(tmp_path / "missing.mp4"),
        *[request(path, start_seconds=0.16) for path in good[2:]],
    ]  # fmt: skip
    results = list(read_clips(iter(requests), num_workers=2, timeout_seconds=20.0))
    assert [asked for asked, _ in results] == requests
    answers = [frame_numbers(clip.jpeg_frames) if isinstance(clip, DecodedClip) else str(clip) for _, clip in results]
    assert answers[0] == [1, 3, 5, 7]
    assert "bad.mp4: expected a video. FFmpeg finds no video stream" in answers[1]
    assert answers[2] == [101, 103, 105, 107]
    assert "missing.mp4: expected a video. There is no such file" in answers[3]
    assert answers[4:] == [[204, 205, 206, 207], [304, 305, 306, 307], [404, 405, 406, 407]]
    # FFmpeg has "moov atom not found" and the like to say about bad.mp4
    assert capfd.readouterr().err == ""


def test_a_crash_refuses_its_own_file_only(capfd):
    results = run(["a", "crash", "b", "c", "leave", "d", "crash"])
    told = [str(clip) if isinstance(clip, InputError) else clip.jpeg_frames[0].decode() for _, clip in results]
    crashed = "crash: the decoder crashed on it (signal SIGSEGV)"
    assert told == ["a", crashed, "b", "c", "leave: the decoder crashed on it (exit code 7)", "d", crashed]
    assert capfd.readouterr().err == ""


def test_a_hang_is_killed_and_its_file_refused(tmp_path):
    pipe = tmp_path / "hang"
    os.mkfifo(pipe)
    results = run(["a", pipe, "b", pipe, "c"], timeout_seconds=1.0)
    told = [str(clip) if isinstance(clip, InputError) else clip.jpeg_frames[0].decode() for _, clip in results]
    assert (told[0], told[2], told[4]) == ("a", "b", "c")
    for refusal in (told[1], told[3]):
        assert refusal.startswith(f"{pipe}: took longer than 1 seconds to decode")


def test_waiting_for_a_worker_is_not_counted():
    # 6 times 0.4 s through one worker: the last waits twice its limit
    results = run([f"slow{i}" for i in range(6)], num_workers=1, timeout_seconds=1.2)
    assert all(isinstance(clip, DecodedClip) for _, clip in results)


def test_requests_are_taken_up_as_results_are_consumed():
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield request(str(taken))

    results = read_clips(endless(), num_workers=2, timeout_seconds=20.0, read=act_on_name)
    for consumed in range(1, 60):
        asked, clip = next(results)
        assert asked.path == clip.jpeg_frames[0].decode() == str(consumed)
        assert taken - consumed <= LOOK_AHEAD
    results.close()


def test_no_requests():
    assert run([]) == []


def test_mistakes_of_the_program_are_not_taken_for_bad_files():
    with pytest.raises(ZeroDivisionError, match="a mistake in the program"):
        run(["a", "mistake"])


def test_as_many_workers_as_requests_or_usable_cores():
    names = [f"a{i}" for i in range(100)]
    pids = {int(clip.jpeg_frames[0].split()[0]) for _, clip in run(names, num_workers=0, read=process_id)}
    assert 1 <= len(pids) <= len(os.sched_getaffinity(0))
    assert os.getpid() not in pids


def test_requests_of_one_file_are_read_together():
    answers = run(["film", "a", "film", "b", "film"], read=process_id)
    assert [int(clip.jpeg_frames[0].split()[1]) for _, clip in answers] == [3, 1, 3, 1, 3]


@pytest.mark.slow
def test_workers_are_light(tmp_path):
    path = write_video(tmp_path / "clip.mp4", num_frames=2)
    # by `python -c`: this test module's own imports would otherwise be the worker's
    script = f"""
import keras, matplotlib, sklearn, tensorflow
from tests.test_read_clips import request, tell_about_worker
from vidmodel_tf.clips.read_clips import read_clips
for _, clip in read_clips([request({str(path)!r})], num_workers=1, timeout_seconds=60.0, read=tell_about_worker):
    print(clip.jpeg_frames[0].decode())
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "heavy=[] threads=1\n", done.stderr


@pytest.mark.parametrize("how", ["closed", "collected", "error in the loop", "error in the requests"])
def test_workers_end_with_the_iterator(tmp_path, how):
    pipe = tmp_path / "hang"
    os.mkfifo(pipe)

    def names():
        yield from ["a", "b"]
        if how == "error in the requests":
            raise RuntimeError("no more requests")
        yield from [pipe] * 4

    before = set(workers_of())
    results = read_clips(map(request, names()), num_workers=2, timeout_seconds=60.0, read=act_on_name)
    if how == "error in the requests":
        with pytest.raises(RuntimeError, match="no more requests"):
            list(results)
    else:
        workers = start_and_find_workers(results, before)
        assert len(workers) == 2
        started = time.monotonic()
        if how == "closed":
            results.close()
        elif how == "collected":
            del results
        else:
            with pytest.raises(RuntimeError, match="consumer"):
                raise_in_loop(results)
        assert time.monotonic() - started < 5
        assert wait_until(lambda: not any(map(is_running, workers)))
    assert set(workers_of()) <= before


def start_and_find_workers(results, before):
    next(results)
    return [pid for pid in workers_of() if pid not in before]


def raise_in_loop(results):
    try:
        raise RuntimeError("the consumer fails")
    finally:
        results.close()


UNGUARDED = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
print("main", flush=True)
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clips import read_clips
requests = [ClipRequest(PATH, 4, 64, 90)] * 3
for _, clip in read_clips(requests, num_workers=2, timeout_seconds=20.0):
    print(len(clip.jpeg_frames), flush=True)
"""


@pytest.mark.parametrize("how", ["file", "stdin", "command", "module"])
def test_scripts_need_no_guard(tmp_path, how):
    script = UNGUARDED.replace("PATH", repr(str(write_video(tmp_path / "clip.mp4"))))
    (tmp_path / "script.py").write_text(script)
    arguments = {"file": ["script.py"], "stdin": ["-"], "command": ["-c", script], "module": ["-m", "script"]}[how]
    done = subprocess.run(
        [sys.executable, *arguments], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("main\n4\n4\n4\n", "")


HANGING = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and pass that on
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.test_read_clips import *
results = read_clips([request("a"), *[request(sys.argv[1])] * 4], num_workers=2, timeout_seconds=60.0,
                     read=act_on_name)
next(results)
print(*workers_of(), flush=True)
list(results)
"""


# More than once, as Ctrl-C may come while the second worker is being started.
@pytest.mark.parametrize("number", [*[signal.SIGINT] * 6, signal.SIGKILL])
def test_workers_end_with_the_program(tmp_path, number):
    pipe = tmp_path / "hang"
    os.mkfifo(pipe)
    program = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with program:
        watchdog = threading.Timer(60, program.kill)
        watchdog.start()
        workers = [int(pid) for pid in program.stdout.readline().split()]
        assert workers
        assert all(map(is_running, workers))
        started = time.monotonic()
        program.send_signal(number)
        _, stderr = program.communicate()
        watchdog.cancel()
    assert time.monotonic() - started < 5
    assert wait_until(lambda: not any(map(is_running, workers)))
    if number == signal.SIGINT:
        assert stderr.count("Traceback") == 1
        assert stderr.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_workers": -1}, r"num_workers: expected 0 \(one a core\) or more. Received: -1"),
        ({"timeout_seconds": 0.0}, "timeout_seconds: expected more than 0. Received: 0.0"),
    ],
)
def test_arguments_are_checked_before_the_first_result(arguments, message):
    with pytest.raises(InputError, match=message):
        read_clips([], **{"num_workers": 1, "timeout_seconds": 1.0, **arguments})
