"""Several processes train as one does, each as if it were a machine of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.data_sets import copy_data_set
from tests.test_devices import assert_same_losses, settings
from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.batch_share import WHOLE, BatchShare
from vidmodel_tf.training.history import read_history

ROOT = Path(__file__).parents[1]
AS_HOST = """
import dataclasses, os, signal, sys
from pathlib import Path
from tests.test_devices import settings
from tests.test_hosts import as_host
sys.exit(as_host(*sys.argv[1:]))
"""


AS_COMMAND = """
import sys, time
from vidmodel_tf.cli import main
from vidmodel_tf.training.stage_progress import StageProgress

on_epoch_end = StageProgress.on_epoch_end

def hang(self, epoch, logs=None):
    on_epoch_end(self, epoch, logs)
    while True:
        try:
            print("hangs", flush=True)
            time.sleep(600)
        except BaseException:
            pass

if sys.argv.pop(1) == "hangs":
    StageProgress.on_epoch_end = hang
sys.exit(main())
"""


def as_host(data, folder, name, out, addresses, number, then):
    """Trains a run as one of several hosts."""
    from vidmodel_tf.training.stage_progress import StageProgress
    from vidmodel_tf.training.train import train

    model, training = settings(Path(folder), name)
    hosts = Hosts(tuple(addresses.split(",")), int(number)) if addresses else ALONE
    if then == "other settings":
        training = dataclasses.replace(training, epochs=3)
    on_epoch_end = StageProgress.on_epoch_end

    def end(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        if then == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        raise InputError("has had enough")

    if then in ("die", "fail"):
        StageProgress.on_epoch_end = end
    try:
        train(data, Path(folder) / out, model, training, hosts=hosts)
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def free_addresses(number):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def run_hosts(folder, name, out, *, number=2, thens=("", "")):
    """Exit codes and standard errors of the processes."""
    addresses = ",".join(free_addresses(number)) if number > 1 else ""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONFAULTHANDLER": ""}
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=1"
    arguments = [str(folder / "data"), str(folder), name, out, addresses]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", AS_HOST, *arguments, str(host), thens[host]],
            env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for host in range(number)
    ]  # fmt: skip
    errors = [process.communicate(timeout=550)[1] for process in processes]
    return [process.returncode for process in processes], errors


@pytest.fixture(scope="module")
def folder(data_set, backbone_weights, tmp_path_factory):
    """A data set, and two runs of one machine."""
    pytest.importorskip("jax", reason="the extra jax is not installed")
    out = tmp_path_factory.mktemp("hosts")
    shutil.copy(backbone_weights, out / "small_cnn.weights.h5")
    copy_data_set(data_set, out / "data")
    codes, errors = run_hosts(out, "stages", "alone", number=1)
    assert codes == [0], errors
    shutil.rmtree(out / "data" / "features")
    return out


@pytest.mark.slow
def test_two_hosts_have_the_losses_of_one_and_go_on_after_one_was_killed(folder):
    """On cached outputs, of which each host makes a part, and in fine-tuning."""
    codes, errors = run_hosts(folder, "stages", "two", thens=("", "die"))
    assert codes[1] == -signal.SIGKILL, errors
    assert codes[0] != 0
    codes, errors = run_hosts(folder, "stages", "two")
    assert codes == [0, 0], errors
    assert_same_losses(read_history(folder / "two"), read_history(folder / "alone"))
    assert (folder / "two" / "config.json").read_bytes() == (folder / "alone" / "config.json").read_bytes()
    found, wanted = (json.loads((folder / run / "examples" / "examples.json").read_text()) for run in ("two", "alone"))
    for clip, expected in zip(found, wanted, strict=True):
        for head, scores in expected["scores"].items():
            assert clip["scores"][head] == pytest.approx(scores, abs=1e-4)  # as the losses
    used = [json.loads(line)["used_devices"] for line in (folder / "two/logs/machines.jsonl").read_text().splitlines()]
    assert [len(devices) for devices in used] == [2, 2]


@pytest.mark.slow
def test_hosts_that_were_called_for_different_runs_refuse(folder):
    codes, errors = run_hosts(folder, "stages", "different", thens=("", "other settings"))
    assert codes == [2, 2], errors
    for error in errors:
        assert "--hosts: expected the same data set and settings on all hosts. Received: others on" in error
        assert "Traceback" not in error
    assert not (folder / "different").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_an_error_on_one_host_ends_all(folder, number):
    thens = ["", ""]
    thens[number] = "fail"
    codes, errors = run_hosts(folder, "stages", f"failed-{number}", thens=thens)
    assert codes[number] == 2, errors
    assert codes[1 - number] == 1, errors
    assert "has ended (has had enough); the same commands go on" in errors[1 - number]
    for error in errors:
        assert "Traceback" not in error
        assert "Check failure" not in error


def start_training(folder, addresses, out, hanging=None):
    """The command on two hosts, of which one may not leave its first epoch; returns when they are in it."""
    command = ["train", folder / "data", "--out", out, "--json"]
    command += ["--weights", "none", "--backbone", "small_cnn", "--epochs", "1000", "--set", "train.patience=1000"]
    command += ["--set", "model.num_frames=4", "--set", "train.batch_size=4"]
    command += ["--hosts", ",".join(addresses), "--host-number"]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", AS_COMMAND, "hangs" if host == hanging else "", *command, str(host)],
            env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for host in range(2)
    ]  # fmt: skip
    if hanging is not None:
        assert "hangs\n" in iter(processes[hanging].stderr.readline, "")
        return processes
    while not (out / "history.csv").exists():
        assert all(process.poll() is None for process in processes), [each.communicate() for each in processes]
        time.sleep(0.2)
    return processes


INTERRUPTED = "vidmodel train: interrupted; the same command goes on from here\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "sent", "hangs"),
    [(0, signal.SIGTERM, False), (1, signal.SIGINT, False), (0, signal.SIGTERM, True), (1, signal.SIGINT, True)],
)
def test_a_signal_to_one_host_ends_all(folder, tmp_path, number, sent, hangs):
    """Also where its main thread does not leave a computation."""
    addresses = free_addresses(2)
    processes = start_training(folder, addresses, tmp_path / "run", number if hangs else None)
    processes[number].send_signal(sent)
    outputs = [process.communicate(timeout=60) for process in processes]
    assert processes[number].returncode == 128 + sent, outputs
    assert processes[1 - number].returncode == 1, outputs
    assert outputs[number][1].endswith(INTERRUPTED)
    line = f"vidmodel train: {addresses[number]} has ended (interrupted); the same commands go on from here\n"
    assert outputs[1 - number][1].endswith(line)
    assert [output for output, _ in outputs] == ["", ""]  # results alone belong there


@pytest.mark.slow
@pytest.mark.parametrize("hanging", [None, 0, 1])
def test_a_signal_to_all_hosts_ends_each_by_itself(folder, tmp_path, hanging):
    processes = start_training(folder, free_addresses(2), tmp_path / "run", hanging)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [143, 143], outputs
    assert all(errors.endswith(INTERRUPTED) for _, errors in outputs), outputs


def test_addresses_and_number():
    hosts = Hosts(("a.example:1", "[::1]:2", "10.0.0.1:65535"), 2)
    assert (hosts.count, hosts.are_several, hosts.is_first, hosts.mine(range(8))) == (3, True, False, range(2, 8, 3))
    assert (ALONE.count, ALONE.are_several, ALONE.is_first, ALONE.mine([1, 2])) == (1, False, True, [1, 2])


@pytest.mark.parametrize(
    ("addresses", "number", "words"),
    [
        (("a:1",), 0, r"^--hosts: expected at least two different HOST:PORT, .* Received: a:1$"),
        (("a:1", "a:1"), 0, r"^--hosts: expected at least two different HOST:PORT, .* Received: a:1,a:1$"),
        (("a:1", "b"), 0, r"^--hosts: .* Received: a:1,b$"),
        (("a:1", ""), 0, r"^--hosts: .* Received: a:1,$"),
        (("a:1", " b:1"), 0, r"^--hosts: .* no spaces between them\. Received: a:1, b:1$"),
        (("a:1", "b:65536"), 0, r"^--hosts: .* Received: a:1,b:65536$"),
        (("http://a:1", "b:1"), 0, r"^--hosts: .* Received: http://a:1,b:1$"),
        ((), 1, r"^--hosts: .* Received: none$"),
        (("a:1", "b:1"), 2, r"^--host-number: expected 0 to 1, .* Received: 2$"),
        (("a:1", "b:1"), -1, r"^--host-number: expected 0 to 1, .* Received: -1$"),
    ],
)
def test_what_are_no_hosts(addresses, number, words):
    with pytest.raises(InputError, match=words):
        Hosts(addresses, number)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hosts", "a:1,b:1"], "--host-number: expected together with --hosts. Received: --hosts alone"),
        (["--host-number", "0"], "--hosts: expected together with --host-number. Received: --host-number alone"),
        (["--hosts", "a:1,b:1", "--host-number", "0"], "--hosts: expected Keras on JAX. Received: Keras on tensorflow"),
    ],
)
def test_wrong_calls_of_the_command(data_set, tmp_path, capsys, arguments, words):
    assert main(["train", str(data_set), "--out", str(tmp_path / "run"), "--weights", "none", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_several_hosts_do_not_learn_from_a_teacher(data_set, tmp_path):
    from vidmodel_tf.training.train import train

    with pytest.raises(InputError, match="hosts: expected one machine to learn from a teacher"):
        train(data_set, tmp_path / "run", teacher=object(), hosts=Hosts(("a:1", "b:1"), 0))


@pytest.mark.parametrize("num_records", [12, 14, 23])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_parts_of_the_hosts_make_up_the_whole_batches(num_records, count):
    batch_size = 6
    records = tf.data.Dataset.range(num_records).enumerate()
    parts = []
    for share in [BatchShare(number, count) for number in range(count)]:
        mine = share.of_records(records, batch_size, num_records).map(lambda number, record: record)
        parts.append(np.array(list(mine.batch(share.rows(batch_size), drop_remainder=True))))
    whole = np.arange(num_records // batch_size * batch_size).reshape(-1, batch_size)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)

    batches = tf.data.Dataset.from_tensor_slices(({"x": whole},))
    shares = [BatchShare(number, count).of_batches(batches, batch_size) for number in range(count)]
    parts = [np.array([batch["x"] for (batch,) in share]) for share in shares]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_the_whole_is_one_part():
    records = tf.data.Dataset.range(5).enumerate()
    assert WHOLE.of_records(records, 2, 5) is records
    assert WHOLE.of_batches(records, 2) is records
