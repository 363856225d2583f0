"""Train your own classifier of videos with words, in Keras 3, and put it into production.

The names below are imported when they are first used: `import vidmodel_tf` loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vidmodel_tf.version import __version__

if TYPE_CHECKING:
    from vidmodel_tf.clips.manifest.read import read_manifest
    from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig
    from vidmodel_tf.errors import InputError, VidmodelError
    from vidmodel_tf.evaluation.compare import compare
    from vidmodel_tf.evaluation.crossvalidate import crossvalidate
    from vidmodel_tf.evaluation.evaluate import evaluate
    from vidmodel_tf.export.lite.export import export_tflite
    from vidmodel_tf.export.onnx.export import export_onnx
    from vidmodel_tf.export.saved_model.export import export_saved_model
    from vidmodel_tf.forms.verify import verify
    from vidmodel_tf.labels import Labels
    from vidmodel_tf.model.build import build_model
    from vidmodel_tf.records.inspect import inspect
    from vidmodel_tf.records.pipeline import load_dataset, load_labels
    from vidmodel_tf.records.prepare import prepare
    from vidmodel_tf.records.vocabulary import Vocabulary
    from vidmodel_tf.run_folder.run import load_run, save_run
    from vidmodel_tf.scoring.clips import predict
    from vidmodel_tf.training.losses import compile_arguments
    from vidmodel_tf.training.train import train

_HOMES = {
    "InputError": "errors",
    "Labels": "labels",
    "ModelConfig": "config",
    "PrepareConfig": "config",
    "TrainConfig": "config",
    "VidmodelError": "errors",
    "Vocabulary": "records.vocabulary",
    "build_model": "model.build",
    "compare": "evaluation.compare",
    "compile_arguments": "training.losses",
    "crossvalidate": "evaluation.crossvalidate",
    "evaluate": "evaluation.evaluate",
    "export_onnx": "export.onnx.export",
    "export_saved_model": "export.saved_model.export",
    "export_tflite": "export.lite.export",
    "inspect": "records.inspect",
    "load_dataset": "records.pipeline",
    "load_labels": "records.pipeline",
    "load_run": "run_folder.run",
    "predict": "scoring.clips",
    "prepare": "records.prepare",
    "read_manifest": "clips.manifest.read",
    "save_run": "run_folder.run",
    "train": "training.train",
    "verify": "forms.verify",
}

__all__ = [
    "InputError",
    "Labels",
    "ModelConfig",
    "PrepareConfig",
    "TrainConfig",
    "VidmodelError",
    "Vocabulary",
    "__version__",
    "build_model",
    "compare",
    "compile_arguments",
    "crossvalidate",
    "evaluate",
    "export_onnx",
    "export_saved_model",
    "export_tflite",
    "inspect",
    "load_dataset",
    "load_labels",
    "load_run",
    "predict",
    "prepare",
    "read_manifest",
    "save_run",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
