"""Tells whoever gives a model that cannot be split that frames are encoded several times, and what would not do so."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.lite_pair import CLASSIFIER, ENCODER_PREFIX
from vidmodel_tf.forms.whole_clip_form import WholeClipForm
from vidmodel_tf.scoring.windows import WindowPlan


def explain_repeated_work(form: Form, plan: WindowPlan) -> str | None:
    """One line for a model in a single file, with windows that overlap; None where each frame is encoded once.

    Args:
        form: The model, opened.
        plan: Its windows.
    """
    times = plan.num_frames / plan.hop_steps
    if not isinstance(form, WholeClipForm) or times == 1:
        return None
    return (
        f"{form.path} cannot be split into its parts: each window is computed anew, every frame about {times:.3g} "
        f"times; {_better(form.path)} encodes each frame once"
    )


def _better(path: Path) -> str:
    """The pair that lies beside it, for who has a file for a phone wants to see what a phone would say."""
    pairs = sorted(path.parent.glob(f"{ENCODER_PREFIX}*.tflite")) if path.with_name(CLASSIFIER).is_file() else []
    same = [pair for pair in pairs if pair.stem.removeprefix(ENCODER_PREFIX) == path.stem]
    return str((same or pairs)[0]) if pairs else "the run folder or its SavedModel"
