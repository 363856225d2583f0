"""Verifies an exported model: does it give the scores that the Keras model gave for the examples of its run folder?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from vidmodel_tf.config import to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.agreement import Agreement, compare_scores
from vidmodel_tf.forms.examples import read_examples
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.run_folder.run import Run, load_run

HALF_PRECISION = 5e-2  # how far scores may be off that a run trained in half precision keeps
LEAST_AGREEMENT = 0.75  # of the labels: where scores are small, a form that always answers the same is near them


@dataclasses.dataclass(frozen=True)
class Verification:
    """How near the answers of a model are to those of the Keras model.

    Attributes:
        num_examples: Clips compared.
        tolerance: How far a score may be off; depends on how the form and the run keep their numbers.
        answers: `{way: {head: agreement}}`; a SavedModel has a way for each of its signatures.
    """

    num_examples: int
    tolerance: float
    answers: dict[str, dict[str, Agreement]]

    @property
    def passed(self) -> bool:
        """Whether no difference is above the tolerance, and three of four labels are the same."""
        return all(self._is_near(found) for heads in self.answers.values() for found in heads.values())

    def _is_near(self, found: Agreement) -> bool:
        difference = found.max_difference
        return difference is not None and difference <= self.tolerance and found.label_agreement >= LEAST_AGREEMENT

    def to_json(self) -> dict[str, object]:
        """`{"num_examples", "tolerance", "passed", "answers": {WAY: {HEAD: Agreement.to_json()}}}`."""
        return {
            "num_examples": self.num_examples,
            "tolerance": self.tolerance,
            "passed": self.passed,
            "answers": {
                way: {head: found.to_json() for head, found in heads.items()} for way, heads in self.answers.items()
            },
        }


def verify(model: str | Path | Form, run_dir: str | Path) -> Verification:
    """Compares a model in any form with the scores that its run folder keeps of its examples.

    Args:
        model: An exported model, a run folder, or one already opened.
        run_dir: The run folder that it was made from.

    Raises:
        InputError: The run folder keeps no examples, or the model was made from another.
    """
    run, form = load_run(run_dir), open_model(model)
    _check_same_model(form.run, run)
    examples = read_examples(run)
    questions = [example.question for example in examples]
    expected = {head: np.array([example.scores[head] for example in examples]) for head in run.labels}
    answers = form.scores_by_way(questions, decode_questions(questions, run.config.model))
    half_precision = HALF_PRECISION if run.config.model.precision != "float32" else 0.0
    return Verification(
        num_examples=len(examples),
        tolerance=max(form.tolerance, half_precision),
        answers={
            way: {head: compare_scores(scores[head], expected[head], head, run) for head in run.labels}
            for way, scores in answers.items()
        },
    )


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
