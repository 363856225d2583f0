"""Milliseconds a call of one model as Keras, SavedModel, ONNX Runtime and OpenVINO run it; a SavedModel's first answer.

    pip install ".[onnx,openvino]" && python benchmarks/serving.py

ResNet50 (`--backbone`) with random weights and shifts, one clip (`--batch`) of 16 frames of 224 x 224 a call,
float32, two threads. The forms are called by turns, with a pause in which the threads of the one before fall asleep, so
that whatever else the machine does falls on all of them. The bfloat16 model of OpenVINO is measured too where the
processor has bfloat16.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnxruntime
import openvino
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.openvino.convert import write_models
from vidmodel_tf.export.saved_model.export import export_saved_model
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.run_folder.run import Run, load_run
from vidmodel_tf.run_folder.save_run import save_run
from vidmodel_tf.text.vocabulary import Vocabulary

NUM_THREADS = 2
PAUSE_SECONDS = 0.2
TEXT = "two people argue in front of a shop"
Scores = np.ndarray  # [B, K]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=9, help="of each form (default: %(default)s)")
    parser.add_argument("--backbone", default="resnet50", help="(default: %(default)s)")
    parser.add_argument("--batch", type=int, default=1, help="clips a call (default: %(default)s)")
    parser.add_argument("--size", type=int, default=224, help="height and width (default: %(default)s)")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    print("load of the machine before:", _load())
    with tempfile.TemporaryDirectory() as folder:
        run = _untrained_run(Path(folder) / "run", options.backbone, options.size)
        shape = (options.batch, run.config.model.num_frames, options.size, options.size, 3)
        frames = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        version = export_saved_model(run.path, Path(folder) / "model")
        onnx_file = Path(folder) / "model.onnx"
        graph = TrainedRun(run).onnx_graph
        onnx_file.write_bytes(graph.SerializeToString())
        write_models(graph, Path(folder))
        _print_start(version, frames)
        forms = {
            "Keras, tf.function": _keras(run, frames),
            "SavedModel, serving_default": _saved_model(version, frames),
            "ONNX Runtime": _onnx_runtime(onnx_file, run, frames),
            "OpenVINO, float32": _openvino(Path(folder) / "float32.xml", run, frames),
        }
        if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            forms["OpenVINO, bfloat16"] = _openvino(Path(folder) / "bfloat16.xml", run, frames)
        _print_times(forms, options.calls)
    print("load of the machine after:", _load())


def _untrained_run(path: Path, backbone: str, size: int) -> Run:
    config = ModelConfig(backbone=backbone, weights="none", num_frames=16, height=size, width=size)
    labels, vocabulary = Labels({"label": ["calm", "fight"]}), Vocabulary(TEXT.split(), ModelConfig().text_fields)
    model = build_model(config, labels, len(vocabulary))
    _draw_shifts(model)
    save_run(path, model, config, labels, vocabulary)
    return load_run(path)


def _draw_shifts(model: tf.keras.Model) -> None:
    """Gives BatchNorms random shifts, as trained ones have: without them TensorFlow fuses fewer ops."""
    rng = np.random.default_rng(0)
    for layer in backbone_of(model).layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.beta.assign(rng.normal(0, 0.1, layer.beta.shape))
            layer.moving_mean.assign(rng.normal(0, 0.1, layer.beta.shape))


def _keras(run: Run, frames: np.ndarray) -> Callable[[], Scores]:
    model, inputs = run.load_model(), _inputs(run, frames)
    infer = tf.function(lambda inputs: model(inputs, training=False))
    return lambda: infer({name: tf.convert_to_tensor(value) for name, value in inputs.items()})["label"].numpy()


def _saved_model(version: Path, frames: np.ndarray) -> Callable[[], Scores]:
    model = tf.saved_model.load(str(version))
    return lambda: _ask(model, frames)


def _onnx_runtime(path: Path, run: Run, frames: np.ndarray) -> Callable[[], Scores]:
    options, inputs = onnxruntime.SessionOptions(), _inputs(run, frames)
    options.intra_op_num_threads = NUM_THREADS
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["label"], inputs)[0]


def _openvino(path: Path, run: Run, frames: np.ndarray) -> Callable[[], Scores]:
    core, inputs = openvino.Core(), _inputs(run, frames)
    model = core.read_model(path)
    options = {**model.get_rt_info("runtime_options").value, "INFERENCE_NUM_THREADS": NUM_THREADS}
    compiled = core.compile_model(model, "CPU", options)
    return lambda: compiled(inputs)["label"]


def _inputs(run: Run, frames: np.ndarray) -> dict[str, np.ndarray]:
    return {"frames": frames, "token_ids": encode_texts([TEXT] * len(frames), run)}


def _ask(model, frames: np.ndarray) -> Scores:
    answer = model.signatures["serving_default"](
        frames=tf.convert_to_tensor(frames), text=tf.constant([TEXT] * len(frames))
    )
    return answer["label_scores"].numpy()


def _print_start(version: Path, frames: np.ndarray) -> None:
    """How long a SavedModel takes to load, to answer first, and to warm up; TensorFlow itself is there already."""
    print(f"{'SavedModel':<30} {'load s':>8} {'warm-up s':>10} {'first answer s':>15}")
    for name, warm_up in (("cold", lambda model: None), ("warmed up", lambda model: _warm_up(model, version))):
        model, load = _timed(lambda: tf.saved_model.load(str(version)))
        _, warming = _timed(lambda model=model, warm_up=warm_up: warm_up(model))
        _, first = _timed(lambda model=model: _ask(model, frames))
        print(f"{name:<30} {load:8.2f} {warming:10.2f} {first:15.2f}")


def _warm_up(model, version: Path) -> None:
    """Does what a server does with the requests that lie in the SavedModel."""
    requests = tf.data.TFRecordDataset(str(version / "assets.extra" / "tf_serving_warmup_requests"))
    for record in fixed_parallelism(requests):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        model.signatures[request.model_spec.signature_name](**inputs)


def _print_times(forms: dict[str, Callable[[], Scores]], num_calls: int) -> None:
    expected = forms["ONNX Runtime"]()
    differences = {name: np.abs(ask() - expected).max() for name, ask in forms.items()}  # and warms up
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(num_calls):
        for name, ask in forms.items():
            time.sleep(PAUSE_SECONDS)
            times[name].append(1000 * _timed(ask)[1])
    reference = times["ONNX Runtime"]
    print(f"{'ms a call':<30} {'median':>8} {'ratio':>6} {'minimum':>8} {'ratio':>6} {'difference':>11}")
    for name, values in times.items():
        median, least = statistics.median(values), min(values)
        print(
            f"{name:<30} {median:8.0f} {median / statistics.median(reference):6.2f} "
            f"{least:8.0f} {least / min(reference):6.2f} {differences[name]:11.1e}"
        )


def _timed(work: Callable[[], object]) -> tuple:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} over the last minute, on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
