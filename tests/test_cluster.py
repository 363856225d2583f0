"""Ray with two nodes on this machine: the bytes of one machine, nodes that are killed, nodes that are not alike."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from tests.data_sets import copy_data_set
from tests.test_read_clips import act_on_name, clip_of, request, wait_until
from tests.videos import write_video
from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.cluster.call import NodeError
from vidmodel_tf.cluster.cluster import QUIET
from vidmodel_tf.cluster.cluster_pool import ClusterPool
from vidmodel_tf.cluster.open_machines import open_cluster
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.crossvalidate import crossvalidate
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.scoring.clips import predict

ROOT = Path(__file__).parents[1]
FAR = dataclasses.replace(PREPARE, num_workers=0)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra cluster is not installed"),
    # Ray leaves files and sockets to the collector, and stops threads in its own time.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@contextlib.contextmanager
def ray_nodes(folder: Path | None = None, **options) -> Iterator:
    """A head and a second node of a core each.

    Args:
        folder: The working folder of the second node, so that `/proc/self/cwd` is another place there.
        options: Of the second node.
    """
    os.environ.update(QUIET)  # as the package does before it imports Ray
    from ray.cluster_utils import Cluster

    common = {"num_cpus": 1, "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**common, "include_dashboard": False})
    try:
        with contextlib.chdir(folder or Path.cwd()):
            cluster.second = cluster.add_node(**common, **options)
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def nodes():
    """Two nodes that are alike."""
    with ray_nodes() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _no_process_is_left():
    yield
    assert wait_until(lambda: not worker_processes(), 20.0)


def worker_processes() -> list[int]:
    """Of all pools on this machine that have been begun from here, on nodes too; not by tests that run beside these."""
    names = ("PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER")
    here = [os.environ.get(name) for name in names]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            is_worker = "popen_loky" in " ".join(process.cmdline())
            if is_worker and [process.environ().get(name) for name in names] == here:
                found.append(process.pid)
    return found


def sha256_of_all(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def local(clips_csv, tmp_path_factory) -> Path:
    """The clips, prepared on one machine."""
    out = tmp_path_factory.mktemp("local") / "colours"
    prepare(clips_csv, out, FAR)
    return out


def test_the_same_bytes_as_on_one_machine(nodes, clips_csv, local, tmp_path, capfd):
    prepare(clips_csv, tmp_path / "colours", FAR, cluster=nodes.address)
    assert sha256_of_all(tmp_path / "colours") == sha256_of_all(local)
    told = capfd.readouterr()
    assert told.out == ""
    assert [line for line in told.err.splitlines() if "TensorInfo" not in line] == [
        f"cluster {nodes.address}: nodes 2, cores 2"
    ]


def processes_of(node) -> list[psutil.Process]:
    (raylet,) = node.all_processes["raylet"]
    return psutil.Process(raylet.process.pid).children(recursive=True)


def decoders_of(node) -> list[psutil.Process]:
    """A process that decodes is started for its first task."""
    return [process for process in processes_of(node) if "popen_loky" in " ".join(process.cmdline())]


def kill_at_work(nodes) -> None:
    """Kills the second node with all its processes, as the end of a machine does, when it has a task.

    Decoders are held as they begin: else the other node might do all that there is before this one has begun.
    """
    held: dict[str, list[psutil.Process]] = {"head": [], "second": []}

    def is_at_work() -> bool:
        with contextlib.suppress(psutil.Error):
            for name, node in (("head", nodes.head_node), ("second", nodes.second)):
                for process in decoders_of(node):
                    if process not in held[name]:
                        process.suspend()
                        held[name].append(process)
        return bool(held["second"])

    try:
        assert wait_until(is_at_work, 60.0)
        for process in processes_of(nodes.second):
            with contextlib.suppress(psutil.Error):
                process.kill()
        nodes.remove_node(nodes.second, allow_graceful=False)
    finally:
        for process in held["head"]:
            process.resume()


def test_the_same_bytes_when_a_node_is_killed_at_work(tmp_path, monkeypatch, capfd):
    films = write_films(tmp_path / "films", 12, num_frames=200)
    prepare(films, tmp_path / "local" / "films", FAR)
    deaths = []
    settle = ClusterPool._settle_death
    monkeypatch.setattr(ClusterPool, "_settle_death", lambda self, *of: deaths.append(of) or settle(self, *of))
    with ray_nodes() as nodes, ThreadPoolExecutor() as threads:
        killed = threads.submit(kill_at_work, nodes)
        prepare(films, tmp_path / "far" / "films", FAR, cluster=nodes.address)
        killed.result()
    assert deaths
    assert sha256_of_all(tmp_path / "far" / "films") == sha256_of_all(tmp_path / "local" / "films")
    told = capfd.readouterr()
    assert "raylet" not in told.out + told.err


def write_films(folder: Path, num_films: int, num_frames: int) -> Path:
    """Class folders of films that take their time, each other pictures."""
    for number in range(num_films):
        label = folder / "ab"[number % 2]
        label.mkdir(parents=True, exist_ok=True)
        write_video(label / f"{number}.mp4", num_frames=num_frames, size=(320, 240), first_number=number)
    return folder


def told(results) -> list[str]:
    return [str(clip) if isinstance(clip, InputError) else clip.jpeg_frames[0].decode() for _, clip in results]


def test_hangs_and_crashes_are_refused_in_the_same_words(nodes, tmp_path):
    os.mkfifo(tmp_path / "hang")
    names = ["a", "crash", "b", "leave", "slow1", "hang", "c", "crash"]
    requests = [request(tmp_path / name) for name in names]
    options = {"num_workers": 0, "timeout_seconds": 2.0, "read": act_on_name}
    with open_cluster(nodes.address) as machines:
        far = told(read_clips(requests, machines=machines, **options))
    assert far == told(read_clips(requests, **options))
    assert far[1] == f"{tmp_path}/crash: the decoder crashed on it (signal SIGSEGV)"
    assert far[5].startswith(f"{tmp_path}/hang: took longer than 2 seconds to decode")


def say_where(requests):
    """Runs on nodes, in place of the decoder; one of them is slow."""
    folder = Path.cwd().name
    time.sleep(1.5 if folder == "slow" else 0.05)
    return [clip_of(folder) for _ in requests]


def test_a_slow_node_holds_up_no_more_than_its_own_tasks(tmp_path):
    (tmp_path / "slow").mkdir()
    with ray_nodes(tmp_path / "slow") as nodes, open_cluster(nodes.address) as machines:
        requests = [request(tmp_path / f"{number}") for number in range(60)]
        results = list(read_clips(requests, num_workers=0, timeout_seconds=20.0, read=say_where, machines=machines))
        places = told(results)
    assert [asked for asked, _ in results] == requests
    assert 1 <= places.count("slow") <= 15  # 30 if each node had half of them


def test_a_node_that_lacks_the_videos_ends_it_and_refuses_none(tmp_path, monkeypatch):
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    for number in range(12):
        write_video(tmp_path / "here" / f"{number}.mp4", num_frames=10)
    rows = ["path,label", *(f"/proc/self/cwd/{number}.mp4,{'ab'[number % 2]}" for number in range(12))]
    manifest = tmp_path / "clips.csv"
    manifest.write_text("\n".join(rows))
    monkeypatch.chdir(tmp_path / "here")
    settings = dataclasses.replace(FAR, words=())
    with ray_nodes(tmp_path / "elsewhere") as nodes:
        with pytest.raises(NodeError, match=r"^node \S+ \(\S+\) does not see /proc/self/cwd/\d+\.mp4, which the mach"):
            prepare(manifest, tmp_path / "out", settings, cluster=nodes.address)
        assert not (tmp_path / "out").exists()
        for path in (tmp_path / "here").iterdir():  # the node gets them, and the same command goes on
            shutil.copy(path, tmp_path / "elsewhere")
        assert not prepare(manifest, tmp_path / "out", settings, cluster=nodes.address).refused


def test_a_node_with_other_versions_ends_it(clips_csv, tmp_path):
    with (
        ray_nodes(env_vars={"KERAS_BACKEND": "jax"}) as nodes,
        pytest.raises(NodeError, match=r"has backend of Keras jax in place of tensorflow: expected the same versions"),
    ):
        prepare(clips_csv, tmp_path / "out", FAR, cluster=nodes.address)


def test_predict_gives_the_answers_of_one_machine(nodes, run_dir, clips_csv, tmp_path, monkeypatch):
    folder = tmp_path / "videos"
    folder.mkdir()
    for path in clips_csv.parent.iterdir():
        shutil.copy(path, folder)
    (folder / "bad.mp4").write_bytes(b"no video")
    monkeypatch.chdir(tmp_path)  # relative paths are this machine's
    shutil.copytree(run_dir, tmp_path / "run")
    here = list(predict("run", ["videos/*.mp4"]))
    there = list(predict("run", ["videos/*.mp4"], cluster=nodes.address))
    assert [answer.id for answer in there] == [answer.id for answer in here]
    assert [answer for answer in there if isinstance(answer, Refusal)] == [
        answer for answer in here if isinstance(answer, Refusal)
    ]
    for one, other in zip(here, there, strict=True):
        if not isinstance(one, Refusal):
            for head in one.heads:
                # float32 sums in another order: the scores depend a little on the batch and on the threads
                assert other.heads[head].scores == pytest.approx(one.heads[head].scores, abs=1e-5)


def test_folds_trained_on_nodes_give_the_same_predictions(nodes, data_set, backbone_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy_data_set(data_set, Path("data"))
    shutil.copy(backbone_weights, "backbone.weights.h5")
    model = dataclasses.replace(MODEL, weights="backbone.weights.h5")
    settings = dataclasses.replace(TRAIN, epochs=1)
    crossvalidate("data", "here", model, settings, num_folds=2, num_seeds=1)
    crossvalidate("data", "there", model, settings, num_folds=2, num_seeds=1, cluster=nodes.address)
    for name in ("predictions.jsonl", "arguments.json", "folds/seed-0-fold-1/scores.json"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    shutil.rmtree("there/folds/seed-0-fold-2")
    before = Path("there/folds/seed-0-fold-1/scores.json").stat().st_mtime_ns
    crossvalidate("data", "there", model, settings, num_folds=2, num_seeds=1, cluster=nodes.address)
    assert Path("there/predictions.jsonl").read_bytes() == Path("here/predictions.jsonl").read_bytes()
    assert Path("there/folds/seed-0-fold-1/scores.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_soon_and_leaves_nothing_on_the_nodes(nodes, tmp_path, number):
    film = write_video(tmp_path / "film.mp4", num_frames=4000, size=(320, 240))
    for name in range(24):
        folder = tmp_path / "videos" / "ab"[name % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(film, folder / f"{name}.mp4")
    command = [sys.executable, "-m", "vidmodel_tf", "prepare", "videos", "--out", "out", "--cluster", nodes.address]
    program = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    with program:
        watchdog = threading.Timer(120, program.kill)
        watchdog.start()
        assert wait_until(lambda: len(worker_processes()) == 2, 60.0)
        started = time.monotonic()
        program.send_signal(number)
        _, said = program.communicate()
        watchdog.cancel()
    assert time.monotonic() - started < 5
    first, *rest = said.splitlines()
    assert first == f"cluster {nodes.address}: nodes 2, cores 2"
    interrupted = ["vidmodel prepare: interrupted; the same command goes on from here"]
    assert rest == ([] if number == signal.SIGKILL else interrupted)
    assert program.returncode == (-9 if number == signal.SIGKILL else 128 + number)
