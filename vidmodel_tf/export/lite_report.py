"""What each TensorFlow Lite file is worth: its ops, size, speed, and how far its answers are from Keras's."""

from __future__ import annotations

import itertools
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.prediction.agreement import compare_scores, decide, share_alike
from vidmodel_tf.prediction.forms import ModelForm
from vidmodel_tf.prediction.lite import LiteModel, LitePair
from vidmodel_tf.prediction.run_model import RunModel, Scores
from vidmodel_tf.progress import track
from vidmodel_tf.records.folds import fold_splits
from vidmodel_tf.records.index import read_index
from vidmodel_tf.records.pipeline import count_clips, for_inference
from vidmodel_tf.run_folder import Run
from vidmodel_tf.text.fields import join_fields

MAX_CLIPS = 200
_NUM_TIMED = 15

_OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def report_on(folder: Path, run: Run) -> dict[str, Any]:
    """Measures all files of a folder, side by side.

    Returns:
        `{"split", "num_clips", "keras": {HEAD: accuracy}, "files": {NAME: {"bytes", "ops": {OP: count},
        "milliseconds": {"1": median, "2": median}}}, "models": {NAME: {HEAD: {"max_difference", "label_agreement",
        "accuracy"}}}}`: milliseconds a call with one thread and with two; the models are the whole files and the
        pairs (`frame_features_...+classify_features`), measured on the test clips (validation or training clips where
        there are none), at most 200.
    """
    files = {path.stem: _describe(path) for path in sorted(folder.glob("*.tflite"))}
    models: dict[str, ModelForm] = {}
    for name in files:
        if name.startswith("frame_features_"):
            models[f"{name}+classify_features"] = LitePair(folder, name.removeprefix("frame_features_"))
        elif name != "classify_features":
            models[name] = LiteModel(folder / f"{name}.tflite")
    splits = fold_splits(read_index(run.data), run.fold)
    split = next(name for name in ("test", "validation", "train") if count_clips(run.data, name, splits))
    answers, truths = _answers({"keras": RunModel(run), **models}, run, split)
    expected = answers.pop("keras")
    return {
        "split": split,
        "num_clips": len(next(iter(truths.values()))),
        "keras": {head: _accuracy(expected[head], truths[head], head, run) for head in run.labels},
        "files": files,
        "models": {
            name: {
                head: {
                    **compare_scores(scores[head], expected[head], head, run),
                    "accuracy": _accuracy(scores[head], truths[head], head, run),
                }
                for head in run.labels
            }
            for name, scores in answers.items()
        },
    }


def _describe(path: Path) -> dict[str, Any]:
    return {
        "bytes": path.stat().st_size,
        "ops": count_ops(path),
        "milliseconds": {str(threads): _median_milliseconds(path, threads) for threads in (1, 2)},
    }


def count_ops(path: Path) -> dict[str, int]:
    """The operators of a file by name; one that is not built in has its own name."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    counts: Counter[str] = Counter()
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
            counts[code.customCode.decode() if code.customCode else _OP_NAMES[builtin]] += 1
    return dict(counts.most_common())


def _median_milliseconds(path: Path, num_threads: int) -> float:
    run = Interpreter(str(path), num_threads=num_threads).get_signature_runner()
    rng = np.random.default_rng(0)
    inputs = {}
    for name, detail in run.get_input_details().items():
        shape = tuple(detail["shape"])
        is_pixels = detail["dtype"] == np.uint8
        inputs[name] = rng.integers(0, 256, shape).astype(np.uint8) if is_pixels else np.zeros(shape, detail["dtype"])
    run(**inputs)
    times = []
    for _ in range(_NUM_TIMED):
        start = time.perf_counter()
        run(**inputs)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def _answers(models: dict[str, ModelForm], run: Run, split: str) -> tuple[dict[str, Scores], dict[str, np.ndarray]]:
    clips = read_index(run.data)
    splits = fold_splits(clips, run.fold)
    words = [
        join_fields(clip.text, run.model.text_fields)
        for clip in clips
        if (splits or {}).get(clip.id, clip.split) == split
    ]
    batches = for_inference(run.data, split, run.model, run.vocabulary, batch_size=1, splits=splits).as_numpy_iterator()
    rows: dict[str, list[Scores]] = {name: [] for name in models}
    truths: dict[str, list[Any]] = {head: [] for head in run.labels}
    total = min(MAX_CLIPS, len(words))
    pairs = itertools.islice(zip(batches, words, strict=True), total)
    for (inputs, values, weights), text in track(pairs, "measuring", total):
        for name, model in models.items():
            rows[name] += model.scores(inputs["frames"], [[text]])
        for head in run.labels:
            truths[head].append(values[head][0] if weights[head][0] else None)
    joined = {
        name: {head: np.concatenate([row[head] for row in answers]) for head in run.labels}
        for name, answers in rows.items()
    }
    return joined, truths


def _accuracy(scores: np.ndarray, truths: list[Any], head: str, run: Run) -> float | None:
    labelled = [row for row, truth in enumerate(truths) if truth is not None]
    if not labelled:
        return None
    return share_alike(decide(scores[labelled], head, run), np.array([truths[row] for row in labelled]))
