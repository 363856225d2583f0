"""Worker processes that are ended while they start."""

import os
import signal
import subprocess
import sys

ENDED_AT_ONCE = """
from vidmodel_tf.worker_pool import WorkerPool
from vidmodel_tf.workers import begin_worker

with WorkerPool(2, begin_worker) as pool:
    pool.submit(int)
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
