"""Worker processes that are ended while they start."""

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
