"""An artefact held against the clips that its run folder keeps: does it say what the Keras model said?"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vidmodel_tf.config import to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.agreement import compare_scores
from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.forms.open_model import ModelForm, open_model
from vidmodel_tf.forms.saved_model import SavedModelForm
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run, load_run
from vidmodel_tf.text.fields import join_fields

HALF_PRECISION = 5e-2  # how far scores may be off that a run trained in half precision keeps
LEAST_AGREEMENT = 0.75  # of the labels: a form that always answers the same would be near where scores are small


def verify(model: str | Path | ModelForm, run_dir: str | Path) -> dict[str, Any]:
    """Compares a model in any form with the scores that its run folder keeps of its examples.

    Args:
        model: An exported model, a run folder, or one already opened.
        run_dir: The run folder that it was made from.

    Returns:
        `{"num_examples", "tolerance", "passed", "answers": {WAY: {HEAD: {"max_difference", "label_agreement"}}}}`; a
        SavedModel has a way for each of its signatures. It has passed when no difference is above the tolerance,
        which depends on how the form and the run keep their numbers, and three of four labels are the same.

    Raises:
        InputError: The run folder keeps no examples, or the model was made from another.
    """
    run = load_run(run_dir)
    model = open_model(model) if isinstance(model, str | Path) else model
    _check_same_model(model.run, run)
    examples = _read_examples(run)
    answers = _answer(model, run, examples)
    expected = {head: np.array([example["scores"][head] for example in examples]) for head in run.labels}
    heads = {
        way: {head: compare_scores(scores[head], expected[head], head, run) for head in run.labels}
        for way, scores in answers.items()
    }
    tolerance = model.tolerance if run.config.model.precision == "float32" else max(model.tolerance, HALF_PRECISION)
    return {
        "num_examples": len(examples),
        "tolerance": tolerance,
        "passed": all(_is_near(found, tolerance) for by_head in heads.values() for found in by_head.values()),
        "answers": heads,
    }


def _is_near(found: dict[str, float | None], tolerance: float) -> bool:
    difference = found["max_difference"]
    return difference is not None and difference <= tolerance and found["label_agreement"] >= LEAST_AGREEMENT


def _check_same_model(found: Run, run: Run) -> None:
    """Refuses what was made from another run, as far as its settings tell."""
    wanted, given = (to_mapping(dataclasses.replace(one.config.model, precision="float32")) for one in (run, found))
    differences = [
        f"model.{name}={given[name]!r}, not {wanted[name]!r}" for name in wanted if given[name] != wanted[name]
    ]
    if dict(found.labels) != dict(run.labels):
        differences.append(f"the labels {dict(found.labels)}, not {dict(run.labels)}")
    if found.vocabulary.lines != run.vocabulary.lines:
        differences.append("another vocabulary")
    if differences:
        raise InputError(
            f"the model was not made from {run.path}: expected its settings of the graph, labels and vocabulary. "
            f"Received: {'; '.join(differences)}"
        )
    if found.thresholds != run.thresholds:
        raise InputError(
            f"the model decides by other thresholds than {run.path}: expected {run.thresholds}. "
            f"Received: {found.thresholds}; export it again"
        )


def _read_examples(run: Run) -> list[dict[str, Any]]:
    path = run.path / layout.EXAMPLES_INDEX
    try:
        examples = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{run.path} keeps no examples to verify with ({path.name}: {error})") from None
    if not examples:
        raise InputError(f"{run.path} keeps no examples to verify with: its data set had no clips to keep")
    return examples


def _answer(model: ModelForm, run: Run, examples: list[dict[str, Any]]) -> dict[str, Scores]:
    config = run.config.model
    words = [join_fields(example["text"], config.text_fields) for example in examples]
    frames = np.zeros((len(examples), config.num_frames, config.height, config.width, 3), np.uint8)
    jpegs = [[(run.path / layout.EXAMPLES / name).read_bytes() for name in example["frames"]] for example in examples]
    if config.has_frames:
        frames = np.stack([decode_frames(tf.constant(row), config.height, config.width).numpy() for row in jpegs])
    if isinstance(model, SavedModelForm):
        return model.scores_by_signature(jpegs if config.has_frames else None, frames, words)
    return {"scores": model.scores(frames, [words])[0]}
