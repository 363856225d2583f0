"""The clients against another process that speaks the protocols and answers from the exported model."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
import urllib3

from tests.exports import questions
from tests.peer_process import MODEL_NAME, ROOT, Peer
from tests.videos import frame_numbers, write_video
from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.decision import Answer, AnyLabels, OneLabel
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.serving.answers import describe_outputs, read_settings_of_served
from vidmodel_tf.serving.endpoint import Endpoint
from vidmodel_tf.serving.predict import open_client, predict_by_server

SAME = 1e-6  # the same program with the same numbers; REST writes them as decimals
TITLES = ["一个红色的视频", "film film film", "A", "红色 一个 A blue film 🎬", "蓝色 A blue film", "的视频 的视频"]
BATCHED = 1e-5  # float32 sums in another order: a batch of another size


@pytest.fixture(scope="module")
def version(plain, exported):
    return exported(plain.path, "saved_model")


@pytest.fixture(scope="module")
def peer(version):
    peer = Peer(version)
    yield peer
    peer.process.communicate(timeout=60)
    assert peer.process.returncode == 0


@pytest.fixture(params=["grpc", "rest"])
def way(request):
    return request.param


@pytest.fixture
def client(way, peer):
    with connect(peer, way) as client:
        yield client


@contextlib.contextmanager
def connect(peer, way, model_name=MODEL_NAME, **options):
    endpoint = Endpoint(f"127.0.0.1:{peer.ports[way]}", model_name, **options)
    with contextlib.closing(open_client(endpoint, rest=way == "rest")) as client:
        yield client


def noise_jpegs(num_clips: int, num_frames: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """JPEG files [B, T] of noise, which differ from one another."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (num_clips, num_frames, *size, 3), dtype=np.uint8)
    return np.array([[tf.io.encode_jpeg(frame).numpy() for frame in clip] for clip in pictures], object)


@pytest.fixture(scope="module")
def clips(plain):
    frames, texts = questions(plain)
    jpegs = [[tf.io.encode_jpeg(frame).numpy() for frame in clip] for clip in frames]
    return np.array(jpegs, object), texts


@pytest.fixture
def videos(tmp_path):
    """Seven, each with other words beside it but for the first, which has none; the fourth is broken."""
    paths = [write_video(tmp_path / f"{i}.mp4", color=(255, 40 * i, 40)) for i in range(7)]
    for path, title in zip(paths[1:], TITLES, strict=True):
        path.with_suffix(".json").write_text(json.dumps({"title": title}), encoding="utf-8")
    paths[3].write_bytes(b"no video")
    return paths


@pytest.mark.slow
def test_scores_and_labels_are_those_of_the_model_in_this_process(client, version, clips):
    jpegs, words = clips
    model = tf.saved_model.load(str(version))
    text = tf.constant([text.encode() for text in words])
    expected = model.signatures["encoded_frames"](jpeg_frames=tf.constant(jpegs), text=text)
    answers = client.ask(jpegs.tolist(), words)
    assert set(answers) == set(expected)
    assert expected["colour_scores"].numpy().std(axis=0).max() > 1e-3  # answers that were all alike prove nothing
    for name, value in expected.items():
        if name.endswith("_scores"):
            assert answers[name].dtype == np.float32
            np.testing.assert_allclose(answers[name], value, atol=SAME, rtol=0)
        else:
            assert answers[name] == [label.decode() for label in value.numpy()]


@pytest.mark.slow
def test_files_get_the_rows_that_predict_gives(client, version, videos, peer):
    expected = list(predict(version, videos))
    before = peer.order()
    rows = list(predict_by_server(client, videos, version, batch_size=2))
    assert peer.order() == before + 3  # six clips that can be read
    assert [row.id for row in rows] == [str(path) for path in videos]
    assert [i for i, row in enumerate(rows) if isinstance(row, Refusal)] == [3]
    for row, other in zip(rows, expected, strict=True):
        if isinstance(row, Refusal):
            assert row == other
            continue
        assert list(row.heads) == list(other.heads)
        for head, answer in row.heads.items():
            found, wanted = answer.to_json(), other.heads[head].to_json()
            assert list(answer.scores) == list(other.heads[head].scores)
            assert found.pop("scores") == pytest.approx(wanted.pop("scores"), abs=BATCHED)
            assert found.pop("score", None) == pytest.approx(wanted.pop("score", None), abs=BATCHED)
            assert found == wanted  # the labels


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_order_is_kept_whatever_the_size_of_a_request(peer, version, videos, batch_size):
    with connect(peer, "grpc") as client:
        rows = list(predict_by_server(client, videos, version, batch_size=batch_size))
        alone = [next(predict_by_server(client, [path], version)) for path in videos]
    scores = sorted(row.heads["colour"].scores["red"] for row in rows if isinstance(row, Answer))
    assert np.diff(scores).min() > 10 * BATCHED  # or a wrong order would not be seen
    for row, one in zip(rows, alone, strict=True):
        assert (type(row), row.id) == (type(one), one.id)
        if isinstance(row, Answer):
            assert row.heads["colour"].scores == pytest.approx(one.heads["colour"].scores, abs=BATCHED)


class Recorder:
    """A client that answers nothing, and keeps what it is asked."""

    endpoint = Endpoint("localhost:8500", "m")

    def ask(self, jpegs_BxT, words_B):
        self.asked = jpegs_BxT, words_B
        raise VidmodelError("asked")


def test_the_frames_are_those_that_the_model_was_trained_to_see(plain, videos):
    client = Recorder()
    with pytest.raises(VidmodelError, match="asked"):
        next(predict_by_server(client, [videos[0], videos[5]], plain.path, batch_size=2))
    jpegs, words = client.asked
    # 40 frames in 8 equal parts, of each the frame in its middle, of these every second one
    assert [frame_numbers(clip) for clip in jpegs] == [[2, 12, 22, 32]] * 2
    assert words == ["", "\x01蓝色 A blue film"]


@pytest.mark.slow
def test_text_takes_the_place_of_sidecars(client, plain, videos):
    worded = videos[5]
    a, b = (next(predict_by_server(client, [worded], plain.path, text=text)) for text in (None, "蓝色 A blue film"))
    c = next(predict_by_server(client, [worded], plain.path, text=""))
    assert a.heads == b.heads
    assert a.heads != c.heads


@pytest.mark.slow
@pytest.mark.parametrize("size", [(48, 64), (400, 400)], ids=["small", "more than gRPC keeps by default"])
def test_a_server_that_is_not_ready_is_asked_again(client, peer, plain, size):
    jpegs = noise_jpegs(1, plain.config.model.num_frames, size).tolist()
    assert (sum(map(len, jpegs[0])) > 2**18) == (size == (400, 400))
    expected, before = client.ask(jpegs, [""]), peer.order(unavailable=2)
    answer = client.ask(jpegs, [""])
    assert peer.order() == before + 3
    np.testing.assert_array_equal(answer["colour_scores"], expected["colour_scores"])


@pytest.mark.slow
@pytest.mark.parametrize("attempts", [1, 2])
def test_attempts_come_to_an_end(peer, way, clips, attempts):
    before = peer.order(unavailable=100)
    with connect(peer, way, attempts=attempts) as client:
        expected = rf"is not ready, after {attempts} attempts: .*8500: gRPC.*\(The batch scheduling queue .* is full\)"
        with pytest.raises(VidmodelError, match=expected) as caught:
            client.ask(clips[0][:1].tolist(), [""])
    assert peer.order(unavailable=0) == before + attempts
    assert (caught.value.exit_code, "\n" in str(caught.value)) == (1, False)


@pytest.mark.slow
def test_a_deadline_is_kept_and_told(peer, way, clips):
    before = peer.order(hold=True)
    try:
        with connect(peer, way, deadline_seconds=0.3) as client:
            with pytest.raises(VidmodelError, match=r"127\.0\.0\.1:\d+ gave no answer within 0\.3 seconds: raise"):
                client.ask(clips[0][:1].tolist(), [""])
            assert peer.order() == before + 1  # time that ran out is not asked for again
    finally:
        peer.order(hold=False)


@pytest.mark.slow
def test_a_deadline_ends_the_attempts_too(peer, way, clips):
    before = peer.order(unavailable=100)
    try:
        with connect(peer, way, deadline_seconds=0.3) as client, pytest.raises(VidmodelError, match=r"127\.0\.0\.1"):
            client.ask(clips[0][:1].tolist(), [""])
    finally:
        calls = peer.order(unavailable=0)
    assert before < calls < before + 5  # the waits between five attempts are ten times as long


def test_nobody_at_the_address(way, clips):
    with socket.socket() as taken:  # bound and not listening: refuses, and no other process can get it
        taken.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"127.0.0.1:{taken.getsockname()[1]}", "m", attempts=2)
        with (
            contextlib.closing(open_client(endpoint, rest=way == "rest")) as client,
            pytest.raises(VidmodelError, match=r"127\.0\.0\.1:\d+ cannot be reached or is not ready, after 2 attempts"),
        ):
            client.ask(clips[0][:1].tolist(), [""])


@pytest.mark.slow
def test_a_malformed_request_is_refused_in_the_server_s_words_and_once(client, peer, clips):
    jpegs, words = clips
    for frames, text, said in [
        (jpegs[:2, :2], words[:2], r"jpeg_frames: expected JPEG strings \[B, 4\] with B >= 1"),
        (jpegs[:2], words[:1], "text: expected as many clips as in jpeg_frames"),
        (np.full((1, 4), b"no jpeg", object), words[:1], "jpeg_frames: expected JPEG files"),
    ]:
        before = peer.order()
        with pytest.raises(InputError, match=rf"^127\.0\.0\.1:\d+ refused the request: .*{said}") as caught:
            client.ask(frames.tolist(), text)
        assert "\n" not in str(caught.value)
        assert peer.order() == before + 1


@pytest.mark.slow
def test_a_model_or_version_that_is_not_there(peer, way, clips, version):
    for name, number in [("colour", None), (MODEL_NAME, 77)]:
        with (
            connect(peer, way, name, version=number) as client,
            pytest.raises(
                InputError, match=r"expected the name of a model that it serves, .*Servable not found for request: "
            ),
        ):
            client.ask(clips[0][:1].tolist(), [""])
    with connect(peer, way, version=int(version.name)) as client:
        assert client.ask(clips[0][:1].tolist(), [""])["colour_scores"].shape == (1, 2)
        assert client.status() == {int(version.name): "AVAILABLE"}


@pytest.mark.slow
def test_status_over_both_ways(client, version):
    assert client.status() == {int(version.name): "AVAILABLE"}


@pytest.mark.slow
def test_messages_that_are_too_large(peer, clips, plain):
    jpegs = clips[0][:1].tolist()
    with (
        connect(peer, "grpc", max_message_bytes=1000) as client,
        pytest.raises(VidmodelError, match="too large: ask about fewer clips at once"),
    ):
        client.ask(jpegs, [""])
    large = noise_jpegs(1, plain.config.model.num_frames, (1800, 1800)).tolist()
    assert sum(map(len, large[0])) > 4 * 2**20
    with (
        connect(peer, "grpc") as client,
        pytest.raises(VidmodelError, match=r"too large: .*limit .*Received message larger than max"),
    ):
        client.ask(large, [""])  # the peer, unlike the official server, has gRPC's own limit


@pytest.mark.slow
def test_rest_by_rows_as_others_ask_it(peer, clips):
    """The peer keeps TF Serving's contract also where our client does not go."""
    jpegs, words = clips
    with connect(peer, "rest") as client:
        expected = client.ask(jpegs.tolist(), words)
        rows = [
            {"text": text, "jpeg_frames": [{"b64": base64.b64encode(jpeg).decode()} for jpeg in clip]}
            for text, clip in zip(words, jpegs, strict=True)
        ]
        body = {"signature_name": "encoded_frames", "instances": rows}
        reply = urllib3.request("POST", f"{client._url}:predict", json=body).json()
    for name, value in expected.items():
        assert np.array_equal([row[name] for row in reply["predictions"]], value)


def test_another_server_than_tf_serving(clips):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        contextlib.closing(open_client(Endpoint(f"127.0.0.1:{server.getsockname()[1]}", "m"), rest=True)) as client,
    ):

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(VidmodelError, match=r"expected an answer of TF Serving, .* Received: 'hello'"):
            client.status()
        thread.join()


@pytest.mark.slow
def test_settings_are_found_in_a_run_a_version_and_a_folder_of_versions(plain, version, tmp_path):
    for path, number in [(plain.path, None), (version, None), (version.parent, None), (version.parent, 1)]:
        assert read_settings_of_served(path, number).labels == plain.labels
    for path, number in [(tmp_path, None), (tmp_path / "none", None), (version.parent, 77)]:
        with pytest.raises(InputError, match=r"settings: expected a run folder, or a folder made by `vidmodel export`"):
            read_settings_of_served(path, number)


def test_answers_without_class_names_and_with_those_of_another_model():
    outputs = {
        "mood_scores": np.array([[0.25, 0.75], [1.0, 0.0]], np.float32),
        "mood_label": ["bad", "good"],
        "topic_scores": np.array([[0.5], [0.25]], np.float32),
        "topic_labels": ["sport", ""],
    }
    first, second = describe_outputs(outputs, 2)
    assert first == {"mood": OneLabel("bad", 0.75, [0.25, 0.75]), "topic": AnyLabels(("sport",), [0.5])}
    assert second["topic"] == AnyLabels((), [0.25])
    named = describe_outputs(outputs, 2, {"topic": ["sport"], "mood": ["good", "bad"]})[0]
    assert list(named) == ["topic", "mood"]
    assert named["mood"].scores == {"good": 0.25, "bad": 0.75}
    for other in ({"topic": ["sport"], "mood": ["bad", "good"]}, {"topic": ["news"], "mood": ["good", "bad"]}):
        with pytest.raises(InputError, match=r"settings: expected those of the model that is served, which answers"):
            describe_outputs(outputs, 2, other)
    with pytest.raises(InputError, match=r"settings: expected those of the model that is served, .*'mood': 2"):
        describe_outputs(outputs, 2, {"mood": ["good", "bad"]})
    with pytest.raises(VidmodelError, match="expected an answer about 3 clips"):
        describe_outputs(outputs, 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "localhost"}, "address: expected HOST:PORT"),
        ({"model_name": ""}, "model_name: expected what the server calls"),
        ({"version": -1}, "version: expected 0 or more"),
        ({"deadline_seconds": 0}, "deadline_seconds: expected more than 0"),
        ({"attempts": 6}, "attempts: expected 1 to 5"),
        ({"max_message_bytes": 2**31}, "max_message_bytes: expected 1 to 2147483647"),
    ],
)
def test_values_out_of_range(wrong, said):
    with pytest.raises(InputError, match=said):
        Endpoint(**{"address": "localhost:8500", "model_name": "m", **wrong})


@pytest.mark.slow
def test_arguments_that_cannot_be_used(peer, version, tmp_path):
    with pytest.raises(InputError, match=r"expected HOST:PORT for gRPC, .* Received: 'http://localhost:8501'"):
        open_client(Endpoint("http://localhost:8501", "m"))
    with connect(peer, "grpc") as client:
        with pytest.raises(InputError, match="batch_size: expected 1 or more"):
            predict_by_server(client, ["a.mp4"], version, batch_size=0)
        with pytest.raises(InputError, match=r"none\*\.mp4"):
            predict_by_server(client, [tmp_path / "none*.mp4"], version)
        (row,) = predict_by_server(client, [tmp_path / "none.mp4"], version)
        assert isinstance(row, Refusal)


@pytest.mark.slow
@pytest.mark.parametrize("in_shell", [False, True])
def test_the_client_does_without_tensorflow(peer, way, version, videos, in_shell):
    script = f"""
import sys
sys.modules["tensorflow"] = None
if {in_shell}:
    from vidmodel_tf.cli import main
    sys.exit(main(sys.argv[1:]))
from vidmodel_tf.serving.predict import Endpoint, open_client, predict_by_server
client = open_client(Endpoint(sys.argv[2], {MODEL_NAME!r}), rest="--rest" in sys.argv)
answers = predict_by_server(client, {[str(path) for path in videos[:2]]!r}, {str(version)!r})
for answer in answers:
    print(answer.to_json()["heads"].keys())
client.close()
"""
    arguments = ["serving-client", f"127.0.0.1:{peer.ports[way]}", MODEL_NAME, *map(str, videos[:2])]
    arguments += ["--settings", str(version), "--json", *(["--rest"] if way == "rest" else [])]
    command = [sys.executable, "-c", script, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    lines = result.stdout.strip().splitlines()
    assert len(lines) == 2
    assert all("colour" in line and "topic" in line for line in lines)
