"""Several formats of one run: built from one model and one data set, and shown with what each of them is worth."""

from __future__ import annotations

import importlib.util
import json
import shutil

import keras
import pytest
import tensorflow_datasets
import tf2onnx

from tests.sums import without_sums
from vidmodel_tf.cli import main
from vidmodel_tf.export import export_formats
from vidmodel_tf.export.export_formats import FORMATS
from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.lite import export as tflite
from vidmodel_tf.export.lite.files import file_makers
from vidmodel_tf.export.onnx.export import write_onnx
from vidmodel_tf.export.openvino.export import write_openvino
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.model import build


@pytest.fixture
def calls(monkeypatch):
    """How often each of the costly steps is taken."""
    counts = {}

    def count(owner, name):
        original = getattr(owner, name)
        counts[name] = 0

        def counted(*args, **kwargs):
            counts[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    count(build, "build_model")
    count(keras.saving, "load_model")
    count(tensorflow_datasets, "builder_from_directory")
    count(tf2onnx.convert, "from_function")
    return counts


@pytest.mark.slow
def test_all_formats_are_made_of_one_model_and_one_data_set(plain, tmp_path, capsys, calls, monkeypatch):
    def two_files(*args):  # one of them calibrated; all of them would take long
        return {name: make for name, make in file_makers(*args).items() if name in ("float16", "dynamic")}

    monkeypatch.setattr(tflite, "file_makers", two_files)
    out = tmp_path / "name"
    assert main(["export", str(plain.path), "--out", str(out), "--format", "all"]) == 0
    assert calls == {"build_model": 1, "load_model": 1, "builder_from_directory": 1, "from_function": 1}
    shown = capsys.readouterr()
    assert "vidmodel export:" not in shown.err  # nothing was left out
    for title in (
        "tflite: files",
        "tflite: 6 clips of the split test",
        "onnx: files, beside",
        "onnx: 6 clips of the spl",
        "openvino: files, beside",
        "openvino: 6 clips of the spl",
    ):
        assert title in shown.out
    for path in ("1", "onnx/model.onnx", "openvino/float32.xml", "tflite/float16.tflite"):
        assert f"check: vidmodel verify {out / path} {plain.path}" in shown.out
        assert open_model(out / path).run.labels == plain.labels


def writers_that_record(monkeypatch, written):
    def writer(name):
        def write(trained, out):
            written[name] = trained
            return Exported(out / name, out / name)

        return write

    monkeypatch.setattr(export_formats, "_WRITERS", {name: writer(name) for name in FORMATS})


@pytest.mark.parametrize("chosen", ["tflite", "onnx", "openvino", "saved_model", "all"])
def test_each_format_alone_and_the_saved_model_last(plain, tmp_path, capsys, calls, monkeypatch, chosen):
    written = {}
    writers_that_record(monkeypatch, written)
    assert main(["export", str(plain.path), "--out", str(tmp_path), "--format", chosen, "--json"]) == 0
    names = ["tflite", "onnx", "openvino", "saved_model"] if chosen == "all" else [chosen]
    assert list(written) == names
    assert json.loads(capsys.readouterr().out) == {name: str(tmp_path / name) for name in names}
    assert calls["builder_from_directory"] == (chosen != "saved_model")  # which needs none


@pytest.mark.parametrize(
    ("package", "left_out"),
    [
        ("onnxruntime", {"onnx"}),
        ("openvino", {"openvino"}),
        ("tf2onnx", {"onnx", "openvino"}),
        ("onnx", {"onnx", "openvino"}),
    ],
)
def test_what_all_formats_leave_out_is_told(plain, tmp_path, capsys, monkeypatch, package, left_out):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))
    written = {}
    writers_that_record(monkeypatch, written)
    assert main(["export", str(plain.path), "--out", str(tmp_path), "--format", "all"]) == 0
    assert set(written) == set(FORMATS) - left_out
    assert capsys.readouterr().err.splitlines() == [
        f'vidmodel export: {name} is left out, as {package} is not installed: pip install "vidmodel_tf[{name}]"'
        for name in sorted(left_out)
    ]


@pytest.mark.parametrize("chosen", ["onnx", "openvino", "all"])
def test_a_model_that_tf2onnx_cannot_convert_has_the_other_formats(plain, tmp_path, capsys, monkeypatch, chosen):
    written = {}
    writers_that_record(monkeypatch, written)
    for name, write in {"onnx": write_onnx, "openvino": write_openvino}.items():
        monkeypatch.setitem(export_formats._WRITERS, name, write)
    monkeypatch.setattr(tf2onnx.convert, "from_function", lambda *args, **kwargs: {}["GatherV3"])
    code = main(["export", str(plain.path), "--out", str(tmp_path / "name"), "--format", chosen])
    said = "tf2onnx cannot convert this model: 'GatherV3'. Export it as a SavedModel or to TensorFlow Lite instead\n"
    shown = capsys.readouterr()
    if chosen != "all":
        assert (code, written, shown.err.count("\n")) == (2, {}, 1)
        assert shown.err.endswith(said)
    else:
        assert (code, list(written)) == (0, ["tflite", "saved_model"])
        for name in ("onnx", "openvino"):
            assert f"vidmodel export: {name} is left out: {said}" in shown.err
        assert "check: vidmodel verify " in shown.out
    assert not list((tmp_path / "name").glob("*"))


def test_a_data_set_that_was_moved_can_be_named(plain, tmp_path, capsys, monkeypatch):
    moved = shutil.copytree(plain.data, tmp_path / "moved")
    written = {}
    writers_that_record(monkeypatch, written)
    arguments = ["export", str(plain.path), "--out", str(tmp_path / "name"), "--format", "tflite", "--data"]
    assert main([*arguments, str(moved)]) == 0
    assert written["tflite"].run.data == written["tflite"].data.path == moved
    assert main([*arguments, str(tmp_path / "nothing")]) == 2
    assert (
        "nothing is not a prepared data set (no features.json in it): expected a folder made by"
        in capsys.readouterr().err
    )
    report = without_sums(moved) / "prepare_report.json"
    report.write_text(report.read_text().replace('"fingerprint": "', '"fingerprint": "other'))
    assert main([*arguments, str(moved)]) == 2
    assert "was trained on. Received: another one" in capsys.readouterr().err


def test_what_cannot_be_exported_publishes_no_version(plain, tmp_path, capsys):
    gone = tmp_path / "gone"
    for kind, said in (
        ("all", "gone is not a prepared data set (no features.json in it): expected a folder made by"),
        ("saved_model", "--data: a SavedModel needs no"),
    ):
        arguments = ["export", str(plain.path), "--out", str(tmp_path / "name"), "--format", kind, "--data", str(gone)]
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "name").exists()
