"""Requests that TF Serving sends itself when it loads a version, so that the first user does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from vidmodel_tf.run_folder.run import Run

_BATCH_SIZES = (1, 4)  # TensorFlow is slow at the first request of each shape


def write_warmup_requests(path: Path, run: Run, model_name: str, signature_names: list[str], num_features: int) -> None:
    """Writes `tf_serving_warmup_requests`: TFRecords of PredictionLog, one for each signature and batch size.

    Args:
        path: The file.
        run: The run of the model.
        model_name: The name by which the server knows the model.
        signature_names: The signatures of the model.
        num_features: D, of `features`; 0 for a model of words alone.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in signature_names:
            for batch_size in _BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name, request.model_spec.signature_name = model_name, name
                for key, value in _inputs(name, batch_size, run, num_features):
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
                log = prediction_log_pb2.PredictLog(request=request)
                writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString(deterministic=True))


def _inputs(signature: str, batch_size: int, run: Run, num_features: int) -> Iterator[tuple[str, np.ndarray]]:
    config, rng = run.config.model, np.random.default_rng(0)
    clips = (batch_size, config.num_frames)
    if signature == "encoded_frames":
        picture = rng.integers(0, 256, (config.height, config.width, 3), dtype=np.uint8)
        yield "jpeg_frames", np.full(clips, tf.io.encode_jpeg(picture).numpy(), object)
    elif signature == "classify_features":
        yield "features", rng.normal(size=(*clips, num_features)).astype(np.float32)
    else:
        yield "frames", rng.integers(0, 256, (*clips, config.height, config.width, 3), dtype=np.uint8)
    if signature != "frame_features":
        yield "text", np.full(batch_size, " ".join(run.vocabulary.words[:8]).encode(), object)
