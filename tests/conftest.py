"""A small data set with all that real ones have: two heads, missing labels, Chinese titles, sidecars, no words."""

from __future__ import annotations

import csv
import functools
import os
import shutil
import signal
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from tests.made_once import made_once
from tests.videos import write_video
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig

# A shell starts background jobs with Ctrl-C ignored, and they would pass that on to the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = [
    "data",  # scripts that made the old data sets and runs, with old versions of the package
    "rtsp_server.py",  # runs under the system's own Python
]
RED, BLUE = (255, 40, 40), (40, 40, 255)
NUM_CLIPS = 30
PREPARE = PrepareConfig(num_stored_frames=8, short_side=48, num_workers=1, validation_fraction=0.2, test_fraction=0.2)
MODEL = ModelConfig(
    backbone="small_cnn",
    weights="none",
    num_frames=4,
    height=32,
    width=40,
    projection_units=16,
    lstm_units=12,
    num_tokens=12,
    embedding_units=8,
    text_lstm_units=8,
    hidden_units=16,
)
TRAIN = TrainConfig(epochs=4, batch_size=4, learning_rate=5e-3, patience=50, mirror=False)


_STARTED = time.monotonic()


def pytest_addoption(parser):
    parser.addoption("--minutes", type=float, default=float("inf"), help="skip tests that would begin later than that")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before any fixture is made for a test that there is no time for."""
    if time.monotonic() - _STARTED > 60 * item.config.getoption("minutes"):
        pytest.skip("not begun: the --minutes are over")


@pytest.fixture(scope="session", autouse=True)
def _user_cache(tmp_path_factory):
    """Nothing is remembered in the folders of the user who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDMODEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def write_clips(folder: Path) -> Path:
    """Red and blue videos: `label:colour` (every fifth missing), `labels:topic` (several, none, missing)."""
    rows = []
    for i in range(NUM_CLIPS):
        red = i % 2 == 0
        name = f"clip{i:02d}.mp4"
        write_video(folder / name, num_frames=16 + i, color=RED if red else BLUE)
        rows.append(
            {
                "path": name,
                "label:colour": "" if i % 5 == 4 else ("red" if red else "蓝色"),
                "labels:topic": ["sport|news", "news", "|", "", "sport"][i % 5] or ("news" if i % 5 == 4 else ""),
                "title": ["一个红色的视频 🎬", "A blue film", "", "", ""][i % 5],
                "tags": "short, test" if i % 3 == 0 else "",
                "source": f"camera{i // 2}",
            }
        )
        if i % 6 == 3:
            subtitles = "1\n00:00:00,000 --> 00:00:01,000\n你好 world\n"
            (folder / name).with_suffix(".srt").write_text(subtitles, encoding="utf-8")
    path = folder / "clips.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session")
def clips_csv(tmp_path_factory) -> Path:
    """The manifest of the clips; the videos lie beside it."""
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def data_set(clips_csv, tmp_path_factory) -> Path:
    """The clips, prepared. Not to be changed by tests."""
    from vidmodel_tf.records.prepare import prepare

    out = tmp_path_factory.mktemp("data") / "colours"
    prepare(clips_csv, out, PREPARE)
    return out


@pytest.fixture(autouse=True)
def _data_set_stays(request):
    """A test that fills the feature cache of the shared data set would change what later tests find in it."""
    yield
    if "data_set" in request.fixturenames:
        features = request.getfixturevalue("data_set") / "features"
        filled = features.exists()
        shutil.rmtree(features, ignore_errors=True)
        assert not filled, f"a test trained on features of {features.parent}: let it copy the data set before"


@pytest.fixture(scope="session")
def run_dir(data_set, tmp_path_factory) -> Path:
    """A run folder, trained from scratch on the clips. Not to be changed by tests."""
    from vidmodel_tf.training.train import train

    out = tmp_path_factory.mktemp("runs") / "colours"
    train(data_set, out, MODEL, TRAIN)
    return out


@pytest.fixture(scope="session")
def backbone_weights(tmp_path_factory) -> Path:
    """Weights of a small CNN in a file, which stand for pretrained ones."""
    import keras

    from vidmodel_tf.model.backbones import small_cnn

    keras.utils.set_random_seed(3)
    path = tmp_path_factory.mktemp("weights") / "small_cnn.weights.h5"
    small_cnn((MODEL.height, MODEL.width, 3)).save_weights(path)
    return path


@pytest.fixture(scope="session")
def trained_runs(data_set, tmp_path_factory):
    """Trained runs to export, by the names of `tests.exports`; each is trained when it is first asked for."""
    from tests.exports import train_named_run
    from vidmodel_tf.run_folder.run import load_run

    base = tmp_path_factory.getbasetemp()
    together = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "together"

    def trained(name):
        folder = made_once(together / name, lambda folder: train_named_run(data_set, name, folder))
        return load_run(folder / "run")

    return functools.cache(trained)


@pytest.fixture(scope="session")
def exported():
    """The export of one of the trained runs, by its name in `tests.exports.EXPORTS`. Not to be changed by tests."""
    from tests.exports import export_once

    return functools.cache(export_once)


@pytest.fixture(
    scope="module",
    params=[
        "plain",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("two_streams", "motion", "words", "gru", "transformer", "own_preset")
        ),
    ],
)
def run(request, trained_runs):
    """Each of the trained runs to export."""
    if request.param == "own_preset":
        pytest.importorskip("keras_hub", reason="the extra hub is not installed")
    return trained_runs(request.param)


@pytest.fixture(scope="module")
def plain(trained_runs):
    """One of them, of both branches and a single stream."""
    return trained_runs("plain")
