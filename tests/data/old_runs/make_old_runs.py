"""Makes the two run folders beside this file. They were made by version 0.1.0, whose run folders had no "format" yet.

    PYTHONPATH=CHECKOUT_OF_0.1.0 python make_old_runs.py

- `clips/run`: frames, motion and words, two ensemble members, a single-label and a multi-label head.
- `words/`: words alone; `data` is the prepared data set, `run` the finished run, and `interrupted` what the same
  training leaves when it is stopped after its second epoch.

The scores that tests expect are those that the old code wrote into `examples/examples.json`.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import zipfile
from pathlib import Path

import keras

from tests.conftest import MODEL, PREPARE, TRAIN, write_clips
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder import load_run, write_weights
from vidmodel_tf.training.examples import write_examples
from vidmodel_tf.training.stage_progress import StageProgress
from vidmodel_tf.training.train import train

HERE = Path(__file__).parent
WORKPLACE = Path("/tmp/vidmodel_old_runs")  # stands in config.json, so it is the same for everyone
TINY = dataclasses.replace(
    MODEL, num_frames=2, projection_units=4, lstm_units=3, num_tokens=8, embedding_units=2, text_lstm_units=2,
    hidden_units=4,
)  # fmt: skip
CLIPS = dataclasses.replace(TINY, streams="both", num_nets=2)
WORDS = dataclasses.replace(TINY, branches="text", text_pooling="both", num_frames=1, dropout=0.2)
KEPT_CHANNELS = 6
RUN_FILES = ("config.json", "labels.json", "thresholds.json", "vocabulary.txt", "history.csv", "model.keras")


def make_clips() -> None:
    folder = WORKPLACE / "clips"
    (folder / "videos").mkdir(parents=True)
    prepare(write_clips(folder / "videos"), folder / "data", dataclasses.replace(PREPARE, short_side=32))
    run = train(folder / "data", folder / "run", CLIPS, dataclasses.replace(TRAIN, epochs=2))
    (run.path / "thresholds.json").write_text('{"topic": [0.25, 0.75]}\n')
    model = load_run(run.path).load_model()
    make_compressible(backbone_of(model))
    write_weights(run.path, model)
    write_examples(run, model, None)
    keep(run.path, HERE / "clips" / "run")


def make_compressible(backbone: keras.Model) -> None:
    """Zeroes most channels of each convolution: random float32 weights of a megabyte would not compress."""
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            kernel[..., KEPT_CHANNELS:] = 0.0
            bias[KEPT_CHANNELS:] = 0.0
            layer.set_weights([kernel, bias])


def make_words() -> None:
    folder = WORKPLACE / "words"
    folder.mkdir(parents=True)
    titles = ("red car", "blue sea", "a red house", "the blue sky")
    rows = [f"c{i},{titles[i % 4]} {i % 3},{('r', 'b')[i % 2]},s{i // 2}" for i in range(40)]
    (folder / "titles.csv").write_text("\n".join(["id,title,label,source", *rows]) + "\n", encoding="utf-8")
    prepare(folder / "titles.csv", folder / "data")
    training = dataclasses.replace(TRAIN, epochs=5)
    run = train(folder / "data", folder / "run", WORDS, training)
    keep(run.path, HERE / "words" / "run")
    try:
        StageProgress.on_epoch_end = stop_after_two_epochs(StageProgress.on_epoch_end)
        train(folder / "data", folder / "interrupted", WORDS, training)
    except KeyboardInterrupt:
        keep(folder / "interrupted", HERE / "words" / "interrupted", "checkpoints")
    shutil.copytree(folder / "data", HERE / "words" / "data", dirs_exist_ok=True)


def stop_after_two_epochs(on_epoch_end):
    def stop(self, epoch, logs=None):
        on_epoch_end(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    return stop


def keep(run: Path, place: Path, *folders: str) -> None:
    """Copies what tests need of a run folder; `model.keras` is a zip archive, which is compressed on the way."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("examples", *folders):
        if (run / name).exists():
            shutil.copytree(run / name, place / name)
    for name in RUN_FILES:
        if not (run / name).exists():
            continue
        if name.endswith(".keras"):
            compress(run / name, place / name)
        else:
            shutil.copy(run / name, place / name)


def compress(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for item in archive.infolist():
            out.writestr(item.filename, archive.read(item))


if __name__ == "__main__":
    shutil.rmtree(WORKPLACE, ignore_errors=True)
    WORKPLACE.mkdir()
    make_clips()
    make_words()
    sys.exit(shutil.rmtree(WORKPLACE))
