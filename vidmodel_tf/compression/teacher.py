"""A trained run as the teacher of another one."""

from __future__ import annotations

from vidmodel_tf.compression.score_split import score_split
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.distillation import DistilConfig, Distillation, PruneConfig
from vidmodel_tf.training.teacher_scores import Teacher


def teacher_of(form: KerasForm, config: DistilConfig, prune: PruneConfig) -> Teacher:
    """What training needs to know of a teacher.

    Args:
        form: The teacher, of one network or several.
        config: How is to be learned from it.
        prune: How much of its backbone the student does without.
    """
    run = form.run
    return Teacher(
        distillation=Distillation(config, run.path, fingerprint(run.path), prune),
        labels=run.labels,
        thresholds=run.thresholds,
        word_vectors=run.path / layout.WORD_VECTORS,
        ask=lambda data, split: score_split(form, data, split, f"teacher, {split}"),
    )
