"""Ctrl-C and `kill`: every command ends soon, in order where it can, with one line and without a child left."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from vidmodel_tf.cli import main

PATIENCE_SECONDS = 60
LINE = "vidmodel train: interrupted; the same command goes on from here\n"
COMMAND = """
import ctypes, os, subprocess, sys, time
from vidmodel_tf import cli, end_on_signals
from vidmodel_tf.commands import train
from vidmodel_tf.errors import VidmodelError

def ready():
    print("ready", flush=True)

def hang_in_c():
    mutex, libc = ctypes.create_string_buffer(64), ctypes.CDLL(None)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)

def run(options):
    {body}

end_on_signals.ORDERLY_SECONDS = {orderly_seconds}
train.run = run
sys.argv = ["vidmodel", "train", "data", "--out", "run"]
sys.exit(cli.main())
"""


def start(body: str, orderly_seconds: float = 1.5, **arguments) -> subprocess.Popen:
    script = COMMAND.format(body=body.strip().replace("\n", "\n    "), orderly_seconds=orderly_seconds)
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", script], stdout=pipe, stderr=pipe, text=True, **arguments)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen, *numbers: int) -> tuple[int, str, str]:
    """Exit code, what was printed after "ready", and what was said on standard error."""
    for number in numbers:
        process.send_signal(number)
    printed, told = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, printed, told


IN_ORDER = """
try:
    ready()
    time.sleep(600)
finally:
    print("put away")
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_open_is_put_away_first(number, code):
    assert end(start(IN_ORDER), number) == (code, "put away\n", LINE)


SWALLOWED = """
while True:
    try:
        ready()
        time.sleep(600)
    except BaseException:
        pass
"""
IN_A_CALLBACK = """
class Finalized:
    def __del__(self):
        ready()
        time.sleep(600)
Finalized()
time.sleep(600)
"""
WITH_AN_ERROR = """
try:
    ready()
    time.sleep(600)
except KeyboardInterrupt:
    raise VidmodelError("the workers died")
"""
WITH_A_TRACEBACK = """
try:
    ready()
    time.sleep(600)
finally:
    raise ZeroDivisionError
"""
TO_THE_END = """
try:
    ready()
    time.sleep(600)
except KeyboardInterrupt:
    return 0
"""
STANDARD_ERROR_IS_FULL = """
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 512)
except BlockingIOError:
    os.set_blocking(2, True)
ready()
print("more" * 100_000, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "body", ["ready()\nhang_in_c()", SWALLOWED, IN_A_CALLBACK, WITH_AN_ERROR, WITH_A_TRACEBACK, TO_THE_END]
)
def test_it_ends_whatever_the_main_thread_does(body):
    code, _, told = end(start(body), signal.SIGTERM)
    assert (code, told) == (143, LINE)


def test_it_ends_where_nobody_reads_what_it_says():
    process = start(STANDARD_ERROR_IS_FULL)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 143
    process.communicate()


ENDS_LATE = """
try:
    ready()
    time.sleep(600)
finally:
    ready()
    time.sleep(600)
"""


def test_the_second_signal_ends_it_at_once():
    process = start(ENDS_LATE, orderly_seconds=600)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "ready\n"
    assert end(process, signal.SIGINT) == (130, "", LINE)


A_WISH = """
from vidmodel_tf.live.stop_on_signals import stop_on_signals
with stop_on_signals() as stop:
    ready()
    stop.wait()
    time.sleep(1)
    print("closed")
"""


LAST_WORDS = """
def say():
    os.write(1, b"told the others\\n")
    time.sleep({seconds})

with end_on_signals.last_words(say):
    {main}
"""


@pytest.mark.parametrize(("main", "printed"), [(SWALLOWED, "told the others\n"), ("ready()\ntime.sleep(600)", "")])
def test_last_words_are_said_where_the_main_thread_does_not_end(main, printed):
    body = LAST_WORDS.format(seconds=0, main=main.strip().replace("\n", "\n    "))
    code, said, told = end(start(body), signal.SIGTERM)
    assert (code, said.replace("ready\n", ""), told) == (143, printed, LINE)


def test_the_second_signal_does_not_wait_for_last_words():
    process = start(LAST_WORDS.format(seconds=600, main=SWALLOWED.strip().replace("\n", "\n    ")))
    process.send_signal(signal.SIGINT)
    assert "told the others\n" in iter(process.stdout.readline, "")
    assert end(process, signal.SIGINT)[::2] == (130, LINE)


def test_a_command_that_takes_the_first_signal_as_a_wish_has_its_time():
    assert end(start(A_WISH, orderly_seconds=0.1), signal.SIGTERM) == (0, "closed\n", "")


def test_what_takes_too_long_for_a_wish_is_ended_by_the_second_signal():
    process = start(A_WISH.replace("time.sleep(1)", "ready(); time.sleep(600)"), orderly_seconds=0.1)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "ready\n"
    assert end(process, signal.SIGTERM) == (143, "", LINE)


WITH_CHILDREN = """
from vidmodel_tf.workers import worker_context
grandchild = "import subprocess, time; subprocess.run(['sleep', '600'])"
subprocess.Popen([sys.executable, "-c", grandchild], start_new_session=True)
worker = worker_context().Process(target=time.sleep, args=(600,))
worker.start()
ready()
hang_in_c()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_child_is_left(number):
    process = start(WITH_CHILDREN)
    own = psutil.Process(process.pid)
    while not any(child.name() == "sleep" for child in own.children(recursive=True)):
        pass
    children = own.children(recursive=True)
    assert len(children) >= 3
    assert end(process, number)[2] == LINE
    assert not psutil.wait_procs(children, PATIENCE_SECONDS)[1]


def test_what_a_shell_started_in_the_background_is_not_ended_by_ctrl_c():
    process = start(IN_ORDER, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert end(process, signal.SIGINT, signal.SIGTERM)[0] == 143


def test_a_library_leaves_the_handlers_alone(capsys):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], signal.set_wakeup_fd(-1)
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert (
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        signal.set_wakeup_fd(-1),
    ) == before
