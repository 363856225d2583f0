"""Videos and data sets in an object store: a server of S3 on this machine."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BLUE, PREPARE, RED
from tests.track_videos import TextTrack, write_tracks
from tests.videos import write_video
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.records import prepare as prepare_module
from vidmodel_tf.records import remote_folder
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.remote import store
from vidmodel_tf.remote.local_copy import local_copy
from vidmodel_tf.remote.store import RemoteFile, StoreError, check_url

ROOT = Path(__file__).parents[1]
NUM_CLIPS = 12
needs_a_server = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("moto", "s3fs"))), reason="s3fs or moto is not installed"
)


@pytest.fixture(scope="module")
def s3():
    """A client of the server; `clips` and `sets` are its buckets."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        import boto3
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()  # what another test has made without an account
        client = boto3.client("s3")
        for bucket in ("clips", "sets"):
            client.create_bucket(Bucket=bucket)
        yield client
    server.stop()


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """Some with words in them, one broken."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(NUM_CLIPS):
        write_video(folder / f"{number}.mp4", num_frames=10 + number, color=(RED, BLUE)[number % 2])
    write_tracks(folder / "3.mp4", [TextTrack("mov_text", [(0.0, 0.3, "words")])], metadata={"title": "A goal"})
    (folder / "5.mp4").write_bytes(b"this is no video" * 100)
    return folder


@pytest.fixture(autouse=True)
def _places(tmp_path, monkeypatch):
    """Copies and uploads are looked for after each test."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("VIDMODEL_CACHE", str(tmp_path / "cache"))


def copies(tmp_path) -> list[Path]:
    return [path for path in (tmp_path / "temporary").glob("vidmodel-copies-*/*") if path.is_dir()]


@pytest.fixture
def uploaded(s3, videos):
    """The address of the folder with the videos."""
    for path in videos.iterdir():
        s3.upload_file(str(path), "clips", f"all/{path.name}")
    return "s3://clips/all"


def write_manifest(path: Path, folder: str | Path) -> Path:
    with path.open("w", newline="") as file:
        rows = [(f"{folder}/{number}.mp4", "ab"[number % 2]) for number in range(NUM_CLIPS)]
        csv.writer(file).writerows([("path", "label"), *rows])
    return path


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def contents_of(s3, prefix: str) -> dict[str, str]:
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="sets", Prefix=f"{prefix}/").get("Contents", [])]
    bodies = {key: s3.get_object(Bucket="sets", Key=key)["Body"].read() for key in keys}
    return {key.rpartition("/")[2]: hashlib.sha256(body).hexdigest() for key, body in bodies.items()}


def stored_by_number(folder: Path) -> dict[str, object]:
    data = open_data_set(folder)
    return {
        clip.id.rpartition("/")[2]: (clip.text, clip.labels, clip.duration_seconds, frames.jpegs)
        for split in data.split_names
        for clip, frames in data.frames(split)
    }


@needs_a_server
@pytest.mark.slow
def test_videos_in_a_store_are_stored_as_those_on_a_disk(uploaded, videos, tmp_path):
    far, near = write_manifest(tmp_path / "far.csv", uploaded), write_manifest(tmp_path / "near.csv", videos)
    settings = dataclasses.replace(PREPARE, num_workers=2)
    report, expected = prepare(far, tmp_path / "far", settings), prepare(near, tmp_path / "near", settings)
    assert stored_by_number(tmp_path / "far") == stored_by_number(tmp_path / "near")
    assert stored_by_number(tmp_path / "far")["3.mp4"][0]["title"] == "A goal"
    assert report.refused == {f"{uploaded}/5.mp4": expected.refused[f"{videos}/5.mp4"]}
    assert {clip.id for clip in open_data_set(tmp_path / "far").clips} == {
        f"s3://clips/all/{number}.mp4" for number in range(NUM_CLIPS) if number != 5
    }
    assert not copies(tmp_path)


@needs_a_server
@pytest.mark.slow
def test_a_data_set_goes_to_a_store_as_it_is_made_on_a_disk_its_sums_last(s3, uploaded, tmp_path, monkeypatch):
    manifest = write_manifest(tmp_path / "clips.csv", uploaded)
    prepare(manifest, tmp_path / "disk" / "cups", PREPARE)
    names, put = [], remote_folder.put

    def note(source, url):
        names.append(source.name)
        if len(names) == 5:
            raise StoreError("the store fails", subject=url)
        put(source, url)

    monkeypatch.setattr(remote_folder, "put", note)
    with pytest.raises(StoreError, match="the store fails"):
        prepare(manifest, "s3://sets/data/cups", PREPARE)
    assert "SHA256SUMS" not in contents_of(s3, "data/cups")
    monkeypatch.setattr(prepare_module, "write_shards", None)  # nothing is decoded again
    prepare(manifest, "s3://sets/data/cups", PREPARE)
    assert names[-1] == "SHA256SUMS"
    assert contents_of(s3, "data/cups") == contents(tmp_path / "disk" / "cups")
    assert not list((tmp_path / "cache" / "uploads").iterdir())
    names.clear()
    assert prepare(manifest, "s3://sets/data/cups", PREPARE).num_clips == NUM_CLIPS - 1
    assert names == []
    with pytest.raises(InputError, match=r"^s3://sets/data/cups exists already and was made from other clips"):
        prepare(manifest, "s3://sets/data/cups", dataclasses.replace(PREPARE, short_side=32))


@needs_a_server
@pytest.mark.slow
def test_files_of_others_are_no_part_of_a_data_set(s3, videos, tmp_path):
    s3.put_object(Bucket="sets", Key="theirs/x-train.tfrecord-00000-of-00001", Body=b"1")
    manifest = write_manifest(tmp_path / "clips.csv", videos)
    with pytest.raises(InputError, match="s3://sets/theirs exists already and is not a prepared data set"):
        prepare(manifest, "s3://sets/theirs", PREPARE)
    s3.put_object(Bucket="sets", Key="theirs/SHA256SUMS", Body=b"")
    with pytest.raises(InputError, match="s3://sets/theirs exists already and is not a prepared data set"):
        prepare(manifest, "s3://sets/theirs", PREPARE)


def after_planning(monkeypatch, change):
    write = prepare_module.write_shards
    monkeypatch.setattr(prepare_module, "write_shards", lambda *arguments: (change(), write(*arguments)))


@needs_a_server
@pytest.mark.slow
def test_a_video_that_vanishes_is_refused_and_one_that_changes_ends_it(s3, uploaded, tmp_path, monkeypatch):
    manifest, settings = write_manifest(tmp_path / "clips.csv", uploaded), dataclasses.replace(PREPARE, words=())
    with monkeypatch.context() as patch:
        after_planning(patch, lambda: s3.delete_object(Bucket="clips", Key="all/7.mp4"))
        report = prepare(manifest, tmp_path / "out", settings)
    assert report.refused["s3://clips/all/7.mp4"] == "there is no such file, folder or bucket"
    assert len(report.refused) == 2
    assert not copies(tmp_path)
    s3.put_object(Bucket="clips", Key="all/7.mp4", Body=b"as it was")
    after_planning(monkeypatch, lambda: s3.put_object(Bucket="clips", Key="all/7.mp4", Body=b"is being written"))
    with pytest.raises(
        StoreError, match=r"^s3://clips/all/7.mp4: expected 9 bytes, as when it was looked up\. Received: 16"
    ):
        prepare(manifest, tmp_path / "other", settings)
    assert len(copies(tmp_path)) <= 1  # of the worker that was reading the next one, until another reads here


@needs_a_server
def test_what_is_not_there_is_one_line(s3, videos, tmp_path, capsys):
    s3.put_object(Bucket="clips", Key="few/empty.mp4", Body=b"")
    rows = ["path,label", "s3://nobody/a.mp4,a", "s3://clips/few/b.mp4,b", "s3://clips/few/empty.mp4,b"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    assert main(["prepare", str(tmp_path / "clips.csv"), "--out", str(tmp_path / "out")]) == 2
    first, *details = capsys.readouterr().err.splitlines()
    assert first.startswith("vidmodel prepare: 3 bad rows of 3 in clips.csv")
    assert [detail.strip() for detail in details] == [
        "row 2: path: s3://nobody: there is no such file, folder or bucket",
        "row 3: path: expected a video file. Received: 's3://clips/few/b.mp4', which does not exist",
        "row 4: path: expected a video file. Received: 's3://clips/few/empty.mp4', which is empty",
    ]
    near = write_manifest(tmp_path / "near.csv", videos)
    assert main(["prepare", str(near), "--out", "s3://nobody/set"]) == 2
    assert capsys.readouterr().err == (
        "vidmodel prepare: s3://nobody/set/.vidmodel: there is no such file, folder or bucket\n"
    )


class Refusing:
    """A store that gives no access, as s3fs says it."""

    def ls(self, *_, **__):
        raise PermissionError("Access Denied")

    get_file = put_file = ls


def test_access_that_is_refused_ends_it_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "open_store", lambda url: Refusing())
    manifest = write_manifest(tmp_path / "clips.csv", "s3://clips/all")
    assert main(["prepare", str(manifest), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == ("vidmodel prepare: s3://clips/all: the store refuses access (Access Denied)\n")
    with pytest.raises(StoreError, match="refuses access"), local_copy(RemoteFile("s3://clips/a.mp4", 1, "")):
        pass
    assert not copies(tmp_path)


def test_a_data_set_is_not_trained_on_from_a_store(tmp_path, capsys):
    assert main(["train", "s3://sets/data/cups", "--out", str(tmp_path / "run")]) == 2
    line = "s3://sets/data/cups: data sets are read from file systems only: fetch it, and give its folder"
    assert capsys.readouterr().err == f"vidmodel train: {line}\n"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://user:word@bucket/a.mp4", "without a user or a password. Received: one of s3:// with them"),
        ("http://host/a.mp4", "that begins with s3:// or gs://. Received: 'http://host/a.mp4'"),
        ("s3://bucket", "expected s3://BUCKET/FOLDERS/NAME. Received: 's3://bucket'"),
        ("s3://bucket/a/../b.mp4", "expected s3://BUCKET/FOLDERS/NAME"),
        ("s3://bucket//b.mp4", "expected s3://BUCKET/FOLDERS/NAME"),
    ],
)
def test_addresses_that_are_refused(url, message):
    with pytest.raises(InputError) as raised:
        check_url(url)
    assert message in str(raised.value)
    assert "word" not in str(raised.value).replace("a password", "")


HOLDING = """
import sys, time
from pathlib import Path
from vidmodel_tf.remote import local_copy as module
from vidmodel_tf.remote.store import RemoteFile
module.fetch = lambda file, target: target.write_bytes(b"12")
with module.local_copy(RemoteFile("s3://clips/a.mp4", 2, "")) as path:
    print(path, flush=True)
    time.sleep(600)
"""


def test_the_copy_of_a_process_that_was_killed_is_removed_and_of_one_that_reads_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("vidmodel_tf.remote.local_copy.fetch", lambda file, target: target.write_bytes(b"12"))
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(2):
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", HOLDING], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            held.append((process, Path(process.stdout.readline().strip())))
        (dead, its), (_, other) = held
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert its.exists()
        with local_copy(RemoteFile("s3://clips/b.mkv", 2, "")) as path:
            assert path.suffix == ".mkv"
            assert not its.exists()
            assert other.read_bytes() == path.read_bytes() == b"12"
        assert not path.exists()
