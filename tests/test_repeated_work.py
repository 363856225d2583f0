"""A model in one file: what is told before a long video is scored with it."""

from __future__ import annotations

from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.whole_clip_form import WholeClipForm
from vidmodel_tf.scoring.repeated_work import explain_repeated_work
from vidmodel_tf.scoring.windows import plan_windows


class OneFile(WholeClipForm):
    """A file that cannot be split."""

    def __init__(self, path):
        self.path = path

    def ask(self, frames_BxTxHxWxC, token_ids_BxL):
        raise AssertionError("nothing is computed to tell it")


class Parts(Form):
    """A form that encodes and classifies."""

    def encode(self, frames_BxTxHxWxC, previous_BxHxWxC=None):
        raise AssertionError("nothing is computed to tell it")

    def classify(self, features, words):
        raise AssertionError("nothing is computed to tell it")


def test_the_pair_beside_a_file_is_named(tmp_path):
    form, plan = OneFile(tmp_path / "int8.tflite"), plan_windows(16, 32, 2.0)
    assert explain_repeated_work(form, plan) == (
        f"{tmp_path}/int8.tflite cannot be split into its parts: each window is computed anew, every frame about 4 "
        "times; the run folder or its SavedModel encodes each frame once"
    )
    for name in ("frame_features_float32", "frame_features_int8", "classify_features"):
        (tmp_path / f"{name}.tflite").touch()
    assert f"; {tmp_path}/frame_features_int8.tflite encodes each frame once" in explain_repeated_work(form, plan)
    other = OneFile(tmp_path / "float16.tflite")
    assert f"; {tmp_path}/frame_features_float32.tflite encodes each frame" in explain_repeated_work(other, plan)


def test_windows_that_do_not_overlap_cost_nothing_more(tmp_path):
    form = OneFile(tmp_path / "int8.tflite")
    assert explain_repeated_work(form, plan_windows(16, 32, 2.0, 2.0)) is None
    assert "about 1.33 times" in explain_repeated_work(form, plan_windows(16, 32, 2.0, 1.5))


def test_nothing_is_told_of_a_form_in_parts():
    assert explain_repeated_work(Parts(), plan_windows(16, 32, 2.0)) is None
