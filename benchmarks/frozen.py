"""What the cache of features saves: epochs with a frozen backbone beside one pass of that backbone over the same clips.

    python benchmarks/frozen.py DATA [--backbone NAME] [--epochs N] [--repeats N]

DATA is a prepared data set, which is copied first. The backbone has random weights, on which its speed does not depend.
Each repeat trains three times: with an empty cache, with a full one, and with a full one for a single epoch. The
differences are the pass of the backbone over the training and validation clips, without mirrored views, and an epoch,
without what a training costs before its first step. One more repeat before them is not counted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from vidmodel_tf.quiet import import_tensorflow

import_tensorflow()

from vidmodel_tf.config import ModelConfig, TrainConfig  # noqa: E402 (TensorFlow is silenced first)
from vidmodel_tf.model.backbones import build_backbone  # noqa: E402
from vidmodel_tf.training.train import train  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a prepared data set")
    parser.add_argument("--backbone", default="resnet50", help="(default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    options = parser.parse_args()
    rows = []
    for number in range(options.repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            config = ModelConfig(backbone=options.backbone, weights=_draw_weights(Path(folder), options.backbone))
            rows.append(_measure(options.data, Path(folder), config, options.epochs))
        if number == 0:  # TensorFlow's first work in the process
            rows.clear()
            continue
        print(f"{number}: " + ", ".join(f"{value:.2f}" for value in rows[-1]))
    encoding, epoch = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"one pass of the backbone: {encoding:.2f} s; an epoch behind it: {epoch:.3f} s")
    print(f"{options.epochs} epochs cost {(encoding + options.epochs * epoch) / encoding:.2f} passes")
    print(f"an epoch is {(encoding + epoch) / epoch:.0f} times as fast as one that encodes the clips again")


def _draw_weights(folder: Path, backbone: str) -> str:
    path = folder / "backbone.weights.h5"
    size = ModelConfig().height, ModelConfig().width
    build_backbone(backbone, *size, weights="none").save_weights(path)
    return str(path)


def _measure(source: Path, folder: Path, config: ModelConfig, epochs: int) -> tuple[float, float]:
    """Seconds of a pass of the backbone, and of an epoch."""
    data = shutil.copytree(source, folder / "data", ignore=shutil.ignore_patterns("features"))
    cold, warm, single = (
        _seconds_of_training(data, folder / name, config, num_epochs)
        for name, num_epochs in (("cold", epochs), ("warm", epochs), ("single", 1))
    )
    return cold - warm, (warm - single) / (epochs - 1)


def _seconds_of_training(data: Path, run: Path, config: ModelConfig, epochs: int) -> float:
    start = time.perf_counter()
    train(data, run, config, TrainConfig(epochs=epochs, patience=epochs, mirror=False))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
