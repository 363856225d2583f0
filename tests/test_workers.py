"""Worker processes that are ended while they start."""

import os
import signal
import subprocess
import sys

# The pool closes its channels, and ends its workers a while later, as on a machine that is busy.
ENDED_AT_ONCE = """
import time
import pebble
from pebble.pool import process
from vidmodel_tf.workers import begin_worker, worker_context

stop_process = process.stop_process
def stop_late(worker):
    time.sleep(2)
    stop_process(worker)
process.stop_process = stop_late

pool = pebble.ProcessPool(max_workers=2, initializer=begin_worker, context=worker_context())
pool.schedule(int)
pool.stop()
pool.join()
print("done")
"""


def test_a_pool_that_ends_while_its_workers_start_is_silent():
    done = subprocess.run([sys.executable, "-c", ENDED_AT_ONCE], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("done\n", "")


INTERRUPTED = """
import signal, time
from vidmodel_tf.workers import worker_context

signal.signal(signal.SIGINT, lambda *_: None)
process = worker_context().Process(target=time.sleep, args=(3,))
process.start()
print("started", flush=True)
process.join()
print(process.exitcode)
"""


def test_what_ctrl_c_means_is_the_business_of_the_process_that_began_the_work():
    command = [sys.executable, "-c", INTERRUPTED]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "started\n"
        for _ in range(20):  # while the worker starts, and at work
            os.killpg(process.pid, signal.SIGINT)
            try:
                out, err = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            out, err = process.communicate(timeout=60)
    assert (out, err) == ("0\n", "")
