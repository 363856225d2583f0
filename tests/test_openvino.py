"""The OpenVINO models as a server without TensorFlow has them: with OpenVINO and NumPy alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest

from tests.exports import ask_process, expected_scores, has_onnx, questions
from tests.sums import without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.openvino import export
from vidmodel_tf.export.openvino.convert import write_models
from vidmodel_tf.export.openvino.export import export_openvino
from vidmodel_tf.export.openvino.measure import count_ops
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.forms.openvino_form import TOLERANCES, OpenVinoForm
from vidmodel_tf.forms.verify import verify

ATOL = 1e-4  # float32 sums in another order

ASK = """
import sys
for name in ("tensorflow", "keras", "onnx", "onnxruntime", "tf2onnx", "vidmodel_tf"):
    sys.modules[name] = None
import numpy as np
import openvino
path, questions, out = sys.argv[1:]
core = openvino.Core()
model = core.read_model(path)
compiled = core.compile_model(model, "CPU", model.get_rt_info("runtime_options").value)
with np.load(questions) as given:
    inputs = dict(given)
answers = {}
for size in (1, 6):
    for start in range(0, 6, size):
        scores = compiled({name: values[start:start + size] for name, values in inputs.items()})
        for output in compiled.outputs:
            answers.setdefault(f"{size}/{output.any_name}", []).append(scores[output])
np.savez(out, **{name: np.concatenate(rows) for name, rows in answers.items()})
"""


@pytest.fixture(scope="module")
def folder(run, exported):
    if not has_onnx(run):
        pytest.skip("tf2onnx cannot convert this backbone")
    return exported(run.path, "openvino")


@pytest.mark.parametrize(("name", "hint"), [("float32", "f32"), ("bfloat16", "bf16")])
def test_a_process_with_the_runtime_alone_gives_the_scores_of_keras(run, folder, tmp_path, name, hint):
    answers, expected = ask_process(ASK, folder / f"{name}.xml", run, tmp_path), expected_scores(run)
    assert all(np.ptp(scores, axis=0).min() > 0.2 for scores in expected.values())
    assert set(answers) == {f"{size}/{head}" for size in (1, 6) for head in expected}
    for size in (1, 6):
        for head, scores in expected.items():
            found = answers[f"{size}/{head}"]
            np.testing.assert_allclose(found, scores, atol=TOLERANCES[hint], rtol=0, err_msg=f"{size} {head}")


def test_opened_and_verified(run, folder):
    frames, texts = questions(run)
    model = OpenVinoForm(folder / "float32.xml")
    answers, without_words = (model.scores(frames, words) for words in (texts, [""] * len(texts)))
    for head, scores in expected_scores(run).items():
        np.testing.assert_allclose(answers[head], scores, atol=ATOL, rtol=0, err_msg=head)
        assert np.array_equal(without_words[head], answers[head]) != run.config.model.has_text
    result = verify(model, run.path)
    assert result.passed
    assert result.tolerance == ATOL


def test_each_model_is_computed_in_its_own_precision_where_the_processor_can(run, folder):
    frames, texts = questions(run)
    expected = expected_scores(run)
    in_float32, in_bfloat16 = (OpenVinoForm(folder / f"{name}.xml") for name in ("float32", "bfloat16"))
    assert (in_float32.in_bfloat16, in_bfloat16.in_bfloat16) == (False, _has_bfloat16())
    for head, scores in in_bfloat16.scores(frames, texts).items():
        assert ATOL < np.abs(scores - expected[head]).max() < in_bfloat16.tolerance
    assert 2 * (folder / "bfloat16.bin").stat().st_size < 1.1 * (folder / "float32.bin").stat().st_size


def _has_bfloat16() -> bool:
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def test_inputs_outputs_and_ops(run, folder):
    config = run.config.model
    for name in ("float32", "bfloat16"):
        model = openvino.Core().read_model(folder / f"{name}.xml")
        picture = f"{config.num_frames},{config.height},{config.width},3"
        assert {value.any_name: (str(value.element_type), str(value.partial_shape)) for value in model.inputs} == {
            "frames": ("<Type: 'uint8_t'>", f"[?,{picture}]"),
            "token_ids": ("<Type: 'int32_t'>", f"[?,{config.num_tokens}]"),
        }
        assert {value.any_name: value.partial_shape[1].get_length() for value in model.outputs} == {
            head: len(names) for head, names in run.labels.items()
        }
        ops = count_ops(folder / f"{name}.xml")
        assert ("Convolution" in ops) == config.has_frames
        assert not {"Loop", "TensorIterator", "BatchNormInference", "Constant"} & set(ops)


def test_the_report_says_what_both_are_worth(run, folder):
    report = json.loads((folder / "report.json").read_text())
    assert (report["split"], report["num_clips"]) == ("test", 6)
    assert list(report["files"]) == list(report["models"]) == ["float32", "bfloat16"]
    for name, file in report["files"].items():
        assert file["bytes"] == sum((folder / f"{name}.{ending}").stat().st_size for ending in ("xml", "bin"))
        assert file["ops"] == count_ops(folder / f"{name}.xml")
        assert set(file["milliseconds"]) == {"1", "2"}
        assert min(report["keras_milliseconds"], *file["milliseconds"].values()) > 0
    for head in run.labels:
        assert report["models"]["float32"][head]["max_difference"] < ATOL
        assert report["models"]["float32"][head]["label_agreement"] == 1.0
        assert report["models"]["float32"][head]["accuracy"] == report["keras"][head]
        assert ATOL < report["models"]["bfloat16"][head]["max_difference"] < TOLERANCES["bf16"]
    assert bool(report["notes"]) != _has_bfloat16()


@pytest.fixture(scope="module")
def plain_folder(plain, exported):
    return exported(plain.path, "openvino")


@pytest.fixture
def copy(plain_folder, tmp_path):
    """A copy without sums, which would notice any damage first."""
    return without_sums(shutil.copytree(plain_folder, tmp_path / "copy"))


@pytest.fixture
def old_processor(monkeypatch):
    """A processor without bfloat16."""
    core = openvino.Core

    class OldCore(core):
        def get_property(self, device_name, name):
            found = super().get_property(device_name, name)
            return [item for item in found if item != "BF16"] if name == "OPTIMIZATION_CAPABILITIES" else found

    monkeypatch.setattr(openvino, "Core", OldCore)


def test_a_processor_without_bfloat16_computes_in_float32(plain, plain_folder, old_processor):
    frames, texts = questions(plain)
    model, expected = OpenVinoForm(plain_folder / "bfloat16.xml"), expected_scores(plain)
    assert not model.in_bfloat16
    for head, scores in model.scores(frames, texts).items():
        assert 1e-6 < np.abs(scores - expected[head]).max() < 2e-2  # of the weights alone, which are kept in float16


@pytest.mark.slow
def test_the_report_says_where_bfloat16_was_not_measured(plain, tmp_path, old_processor):
    report = json.loads((export_openvino(plain.path, tmp_path / "name") / "report.json").read_text())
    assert report["notes"] == ["bfloat16 was measured on a processor without bfloat16, where it is computed in float32"]


@pytest.fixture(scope="module")
def plain_graph(plain, exported):
    return onnx.load(exported(plain.path, "onnx") / "model.onnx")


def test_files_do_not_depend_on_what_the_process_has_made_before(plain_graph, plain_folder, tmp_path):
    write_models(plain_graph, tmp_path)
    names = ["bfloat16.bin", "bfloat16.xml", "float32.bin", "float32.xml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (plain_folder / name).read_bytes()


def test_what_cannot_be_written_is_told(plain_graph, tmp_path):
    (tmp_path / "float32.xml").mkdir()
    with pytest.raises(OSError, match=r"OpenVINO could not write this file; is the disk full\? [^\n]*$") as raised:
        write_models(plain_graph, tmp_path)
    assert raised.value.filename == str(tmp_path / "float32.xml")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not tell where threads may run")
def test_no_thread_is_tied_to_a_core(plain, plain_folder):
    """Several processes that each tie theirs to the first cores would leave the others idle."""
    frames, texts = questions(plain)
    model, ended = OpenVinoForm(plain_folder / "float32.xml", num_threads=1), threading.Event()

    def ask():
        while not ended.is_set():
            model.scores(frames, texts)

    before = os.sched_getaffinity(0)
    asking = threading.Thread(target=ask)
    asking.start()
    seen = set()
    try:
        for _ in range(200):
            for thread in Path("/proc/self/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    seen.add(frozenset(os.sched_getaffinity(int(thread.name))))
    finally:
        ended.set()
        asking.join()
    assert seen == {frozenset(before)}


@pytest.mark.slow
def test_other_shapes_are_refused(plain, plain_folder):
    frames, texts = questions(plain)
    with pytest.raises(RuntimeError, match="incompatible"):
        OpenVinoForm(plain_folder / "float32.xml").scores(frames[:, :3], texts)


def test_half_of_a_model_is_told(plain_folder, copy, tmp_path):
    with pytest.raises(InputError, match="expected the settings that `vidmodel export` writes beside it"):
        OpenVinoForm(shutil.copy(plain_folder / "float32.xml", tmp_path))
    with_sums = shutil.copytree(plain_folder, tmp_path / "with_sums")
    for folder in (with_sums, copy):
        (folder / "bfloat16.bin").unlink()
    with pytest.raises(InputError, match=r"Received: bfloat16\.bin \(missing\)"):
        OpenVinoForm(with_sums / "bfloat16.xml")
    with pytest.raises(InputError, match=r"expected its weights beside it\. Received: no bfloat16\.bin there$"):
        OpenVinoForm(copy / "bfloat16.xml")
    OpenVinoForm(copy / "float32.xml")  # which is whole


@pytest.mark.parametrize("ending", ["xml", "bin"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_damaged_files_are_told(copy, ending, keep):
    path = copy / f"float32.{ending}"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(
        InputError, match=r"float32\.xml cannot be read as an OpenVINO file of `vidmodel export`: [^\n]*$"
    ):
        OpenVinoForm(copy / "float32.xml")


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (None, "cannot be read as an OpenVINO file of `vidmodel export`: .*runtime attribute"),
        ("f32", r"expected a model of frames and token_ids, in f32 or bf16\. Received: one of x, in f32$"),
        ("f16", "Received: one of x, in f16$"),
    ],
)
def test_a_model_of_others_is_told(copy, hint, said):
    x = openvino.op.Parameter(openvino.Type.f32, openvino.Shape([1]))
    x.output(0).get_tensor().set_names({"x"})
    model = openvino.Model([openvino.opset13.abs(x)], [x])
    if hint:
        model.set_rt_info(hint, ["runtime_options", "INFERENCE_PRECISION_HINT"])
    openvino.save_model(model, copy / "float32.xml")
    with pytest.raises(InputError, match=said):
        OpenVinoForm(copy / "float32.xml")


def test_the_folder_of_an_export_names_the_file(plain_folder, tmp_path):
    shutil.copytree(plain_folder, tmp_path / "name" / "openvino")
    with pytest.raises(InputError, match=r"holds no SavedModel: expected the file .*/name/openvino/float32\.xml$"):
        open_model(tmp_path / "name")


def test_other_weights_are_another_model(plain_folder, copy):
    path, weights = copy / "float32.xml", copy / "float32.bin"
    before = fingerprint(path)
    assert before == fingerprint(plain_folder / "float32.xml") != fingerprint(plain_folder / "bfloat16.xml")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert fingerprint(path) != before


@pytest.mark.parametrize("missing", ["openvino", "tf2onnx", "onnx"])
def test_a_missing_extra_is_told(plain, plain_folder, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = rf'OpenVINO files need {missing}, which is not installed .*: pip install "vidmodel_tf\[openvino\]"$'
    with pytest.raises(InputError, match=message):
        export_openvino(plain.path, tmp_path / "name")
    assert not (tmp_path / "name").exists()
    if missing == "openvino":
        with pytest.raises(InputError, match=message):
            OpenVinoForm(plain_folder / "float32.xml")


@pytest.mark.slow
def test_what_fails_leaves_the_earlier_export(plain, tmp_path, monkeypatch):
    folder = tmp_path / "name" / "openvino"
    folder.mkdir(parents=True)
    (folder / "float32.xml").write_bytes(b"earlier")
    monkeypatch.setattr(export, "report_on", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_openvino(plain.path, tmp_path / "name")
    assert (folder / "float32.xml").read_bytes() == b"earlier"
    assert [path.name for path in folder.parent.iterdir()] == ["openvino"]
