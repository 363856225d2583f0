"""The names of everything in a run folder and in an exported model, in one place. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import Content

# A run folder. All paths here are relative to it.
CONFIG = "config.json"  # every setting, as resolved
LABELS = "labels.json"
THRESHOLDS = "thresholds.json"
VOCABULARY = "vocabulary.txt"
BACKBONE = "backbone.json"  # of a backbone that the user brought: Keras's serialised object, without weights
PRUNED_BACKBONE = "backbone.keras"  # what a student with `prune.share` was begun with, and goes on with
WEIGHTS = "model.keras"  # written last: a run that has it is finished
HISTORY = "history.csv"
WORD_VECTORS = "word_vectors.txt"  # what the embeddings of a run with `model.embeddings` began as
CHECKPOINTS = "checkpoints"
STATE = f"{CHECKPOINTS}/state.json"
TEACHER_SCORES = f"{CHECKPOINTS}/teacher_scores.npz"  # of a distilled run: what its teacher says of the clips
LOGS = "logs"
MACHINES = f"{LOGS}/machines.jsonl"  # what trained it, a line for each process
EVALUATION = "evaluation"
EXAMPLES = "examples"
COMPRESSION = "compress.json"  # a distilled run beside its teacher
EXAMPLES_INDEX = f"{EXAMPLES}/examples.json"

FILES = (CONFIG, LABELS, THRESHOLDS, VOCABULARY, BACKBONE, HISTORY, WORD_VECTORS, WEIGHTS)

CONTENT = Content(  # without the thresholds, which may be chosen anew
    (*(name for name in FILES if name != THRESHOLDS), EXAMPLES_INDEX, f"{EXAMPLES}/*/*.jpg"),
    "fetch the run again, or train it anew with `vidmodel train`",
)

# A version of an exported SavedModel. TF Serving leaves the folder `assets.extra` to others.
GRAPH = "saved_model.pb"
SIGNATURES = "assets.extra/signatures.json"
WARMUP_REQUESTS = "assets.extra/tf_serving_warmup_requests"
EXPORTED_RUN = "assets.extra/run"  # the run folder's settings, without weights

# Beside the versions of a SavedModel. These folders hold a run folder's settings too.
TFLITE = "tflite"
ONNX = "onnx"
ONNX_MODEL = "model.onnx"
OPENVINO = "openvino"
OPENVINO_NAMES = ("float32", "bfloat16")  # by the precision that a model is computed in
OPENVINO_MODEL = f"{OPENVINO_NAMES[0]}.xml"
OPENVINO_FILES = tuple(f"{name}.{ending}" for name in OPENVINO_NAMES for ending in ("xml", "bin"))
REPORT = "report.json"  # what the files are worth, in each of them

_SETTINGS = (CONFIG, LABELS, VOCABULARY)
_EXPORT_ANEW = "fetch the model again, or make it anew with `vidmodel export`"
CONTENT_OF_VERSION = Content(
    (
        *(GRAPH, "fingerprint.pb", "variables/*", "assets/*", SIGNATURES, WARMUP_REQUESTS),
        *(f"{EXPORTED_RUN}/{name}" for name in _SETTINGS),
    ),
    _EXPORT_ANEW,
)
CONTENT_OF_FILES = Content((*_SETTINGS, "*.tflite", "*.onnx", *OPENVINO_FILES), _EXPORT_ANEW)


def is_run_folder(path: Path) -> bool:
    """Whether the settings of a run are there, of an unfinished one or of an export too."""
    return (path / CONFIG).is_file()


def is_finished(path: Path) -> bool:
    """Whether the run in this folder was trained to the end."""
    return (path / WEIGHTS).is_file()


def check_finished(path: str | Path) -> None:
    """Refuses a folder without a trained run.

    Raises:
        InputError: It is no run folder, or training has not finished.
    """
    if not is_run_folder(Path(path)):
        raise InputError(f"{path} is not a run folder (no {CONFIG} in it): expected one made by `vidmodel train`")
    if not is_finished(Path(path)):
        raise InputError(f"{path}: training has not finished; call `vidmodel train` again with the same arguments")


def check_model_path(path: str | Path) -> None:
    """Refuses a path where there is nothing.

    Raises:
        InputError: Nothing is there.
    """
    if not Path(path).exists():
        raise InputError(f"there is no model at {path}: expected a run folder or an exported model")


def latest_version(path: str | Path) -> Path | None:
    """The SavedModel at a path: the folder itself, or the newest version in it; None if there is none."""
    path = Path(path)
    if (path / GRAPH).is_file():
        return path
    versions = versions_in(path)
    return path / str(max(versions)) if versions else None


def versions_in(folder: Path) -> list[int]:
    """The numbers of the versions that a server would see."""
    if not folder.is_dir():
        return []
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal() and (path / GRAPH).exists()]
