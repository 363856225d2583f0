"""The TensorFlow Lite files as a phone has them: with the interpreter and NumPy alone."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tests.exports import ask_process, expected_scores, questions
from tests.sums import DAMAGES, without_sums
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.export import trained
from vidmodel_tf.export.lite import export as tflite
from vidmodel_tf.export.lite import files
from vidmodel_tf.export.lite.bias import with_corrected_bias
from vidmodel_tf.export.lite.calibration import Calibration, choose_calibration
from vidmodel_tf.export.lite.convert import convert
from vidmodel_tf.export.lite.files import convert_frame_features, file_makers
from vidmodel_tf.export.lite.frame_pair import frame_pair_function, frame_pair_specs
from vidmodel_tf.export.lite.measure import count_ops
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.lite_pair import LitePair
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.layers import MeanPooling, SlotMask, Standardization
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.scoring.clips import predict

# float32: sums in another order; float16: three digits of each weight, in models whose scores were spread on purpose
TOLERANCES = {"float32": 1e-4, "float16": 2e-2}
# What int8 loses in these small models, spread as they are, is large. But what they say must still follow what Keras
# says: an answer that is always the same has no correlation with it at all.
CORRELATIONS = {"dynamic": 0.9, "int8": 0.7}

ASK = """
import sys
for name in ("tensorflow", "keras", "vidmodel_tf"):
    sys.modules[name] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter
folder, questions, out = sys.argv[1:]
with np.load(questions) as given:
    frames, token_ids = given["frames"], given["token_ids"]
def load(name):
    return Interpreter(f"{folder}/{name}.tflite").get_signature_runner()
answers = {}
for name in ("float32", "float16", "dynamic", "int8"):
    model = load(name)
    for i in range(len(frames)):
        for head, scores in model(frames=frames[i:i+1], token_ids=token_ids[i:i+1]).items():
            answers.setdefault(f"{name}/{head}", []).append(scores[0])
np.savez(out, **answers)
"""


@pytest.fixture(scope="module")
def folder(run, exported):
    return exported(run.path, "lite")


def test_a_process_with_the_interpreter_alone_gives_the_scores_of_keras(run, folder, tmp_path):
    answers, expected = ask_process(ASK, folder, run, tmp_path), expected_scores(run)
    assert all(np.ptp(scores, axis=0).min() > 0.2 for scores in expected.values())
    for precision in precisions_to_hold(run):
        assert_near({head: answers[f"{precision}/{head}"] for head in expected}, expected, precision)


def precisions_to_hold(run):
    """All; but the stacked bidirectional model learns next to nothing from these clips, and its scores, spread all the
    same, are made of differences smaller than a step of int8."""
    return [name for name in (*TOLERANCES, *CORRELATIONS) if name != "int8" or not run.config.model.bidirectional]


def assert_near(answers, expected, precision):
    if precision in TOLERANCES:
        for head, scores in expected.items():
            np.testing.assert_allclose(answers[head], scores, atol=TOLERANCES[precision], err_msg=f"{precision} {head}")
    else:
        found, wanted = (np.concatenate([scores[head].ravel() for head in expected]) for scores in (answers, expected))
        assert np.corrcoef(found, wanted)[0, 1] > CORRELATIONS[precision], (precision, found, wanted)


def test_the_pair_gives_the_scores_of_keras_frame_by_frame(run, folder):
    if not run.config.model.has_frames:
        assert not (folder / "classify_features.tflite").exists()
        return
    frames, texts = questions(run)
    for precision in ("float32", "int8"):
        answers = LitePair(folder / f"frame_features_{precision}.tflite").scores(frames, texts)
        assert_near(answers, expected_scores(run), precision)


def test_the_least_motion_is_motion_in_the_encoder_of_every_precision(run, folder):
    if run.config.model.streams == "appearance":
        pytest.skip("the model sees no motion")
    still = np.full((1, run.config.model.height, run.config.model.width, 3), 100, np.uint8)
    moved = still.copy()
    moved[0, 5, 7, 1] += 1
    for precision in ("float32", "int8"):
        ask = Interpreter(str(folder / f"frame_features_{precision}.tflite")).get_signature_runner()
        features = {name: ask(frame=frame, previous_frame=still)["features"][0] for name, frame in
                    (("still", still), ("moved", moved))}  # fmt: skip
        num_features = len(features["still"])
        of_motion = slice(0 if run.config.model.streams == "motion" else num_features // 2, None)
        assert not features["still"][of_motion].any()
        assert features["moved"][of_motion].any()


def test_inputs_are_pixels_and_token_ids(run, folder):
    config = run.config.model
    for path in folder.glob("*.tflite"):
        details = Interpreter(str(path)).get_signature_runner().get_input_details()
        found = {name: (tuple(detail["shape"]), detail["dtype"]) for name, detail in details.items()}
        picture = (1, config.height, config.width, 3)
        if path.stem.startswith("frame_features"):
            expected = {"frame": (picture, np.uint8), "previous_frame": (picture, np.uint8)}
        else:
            expected = {"token_ids": ((1, config.num_tokens), np.int32)}
            if path.stem == "classify_features":
                num_features = config.projection_units * config.ensemble_size * (2 if config.streams == "both" else 1)
                expected["features"] = ((1, config.num_frames, num_features), np.float32)
            else:
                expected["frames"] = ((1, config.num_frames, *picture[1:]), np.uint8)
        assert found == expected, path.stem


def test_only_built_in_ops(run, folder):
    for path in folder.glob("*.tflite"):
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        assert not [code.customCode for code in model.operatorCodes if code.customCode]
        looks_at_frames = run.config.model.has_frames and path.stem != "classify_features"
        assert ("CONV_2D" in count_ops(path)) == looks_at_frames


def test_the_report_says_what_each_file_is_worth(run, folder):
    report = json.loads((folder / "report.json").read_text())
    assert set(report["files"]) == {path.stem for path in folder.glob("*.tflite")}
    assert (report["split"], report["num_clips"]) == ("test", 6)
    for name, values in report["files"].items():
        assert values["bytes"] == (folder / f"{name}.tflite").stat().st_size
        assert set(values["milliseconds"]) == {"1", "2"}
    whole = report["models"]["float32"]
    for head in run.labels:
        assert whole[head]["max_difference"] < 1e-4
        assert whole[head]["accuracy"] == report["keras"][head]
    sizes = {name: values["bytes"] for name, values in report["files"].items()}
    if run.config.model.has_frames:
        # the rest is the graph itself, which for models as small as these is long beside the weights
        assert sizes["dynamic"] < sizes["float16"] < 0.7 * sizes["float32"]


def test_opened_for_prediction_and_verified(run, folder):
    frames, texts = questions(run)
    for precision in precisions_to_hold(run):
        answers = open_model(folder / f"{precision}.tflite").scores(frames, texts)
        assert_near(answers, expected_scores(run), precision)
    assert verify(folder / "float16.tflite", run.path).passed


@pytest.fixture(scope="module")
def plain_folder(plain, exported):
    return exported(plain.path, "lite")


@pytest.mark.slow
def test_token_ids_out_of_range_are_answered(plain, plain_folder):
    model = Interpreter(str(plain_folder / "float32.tflite")).get_signature_runner()
    frames, texts = questions(plain)
    token_ids = encode_texts(texts, plain)[:1]
    token_ids[0, 0] = 1_000_000
    assert np.isfinite(model(frames=frames[:1], token_ids=token_ids)["colour"]).all()


def test_long_lstms_have_no_single_int8_file(plain, monkeypatch):
    calibration, parts = choose_calibration(plain, None), TrainedRun(plain).parts
    assert "int8" in file_makers(parts, calibration)
    monkeypatch.setattr(files, "MAX_UNROLLED_STEPS", plain.config.model.num_tokens - 1)
    makers = file_makers(parts, calibration)
    assert "int8" not in makers
    assert "frame_features_int8" in makers


@pytest.mark.slow
def test_files_do_not_depend_on_the_order_in_which_they_are_made(plain, plain_folder, tmp_path):
    parts = TrainedRun(plain).parts
    before = [model.get_weights() for model in (parts.backbone, parts.projection, parts.head)]
    makers = file_makers(parts, choose_calibration(plain, open_data_set(plain.data)))
    made = {name: makers[name]() for name in reversed(makers)}
    for name in ("float32", "float16", "classify_features", "frame_features_float32"):
        assert made[name] == (plain_folder / f"{name}.tflite").read_bytes(), name
    for name in ("dynamic", "int8"):  # two conversions of the same may differ in the last bits
        earlier, later = (
            Interpreter(**file).get_signature_runner()
            for file in ({"model_path": str(plain_folder / f"{name}.tflite")}, {"model_content": made[name]})
        )
        frames, texts = questions(plain)
        asked = {"frames": frames[:1], "token_ids": encode_texts(texts[:1], plain)}
        for head, scores in earlier(**asked).items():
            np.testing.assert_allclose(later(**asked)[head], scores, atol=1e-3, err_msg=name)
    after = [model.get_weights() for model in (parts.backbone, parts.projection, parts.head)]
    for earlier, later in zip(itertools.chain(*before), itertools.chain(*after), strict=True):
        np.testing.assert_array_equal(earlier, later)


def test_the_pair_is_opened_verified_and_evaluated_like_any_form(plain, plain_folder, clips_csv, capsys):
    pair, keras_form = plain_folder / "frame_features_float32.tflite", KerasForm(plain)
    assert verify(pair, plain.path).passed
    assert main(["verify", str(plain_folder / "frame_features_int8.tflite"), str(plain.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tolerance"] == 0.25
    expected, found = evaluate(keras_form), evaluate(pair)
    assert found.ablations == expected.ablations
    assert found.heads["colour"].confusion_matrix == expected.heads["colour"].confusion_matrix
    assert not (plain_folder / "evaluation").exists()  # an export is not to be written into
    video = clips_csv.parent / "clip00.mp4"
    (answer,), (keras_answer,) = predict(pair, [video]), predict(keras_form, [video])
    assert answer.heads["colour"].scores == pytest.approx(keras_answer.heads["colour"].scores, abs=1e-4)


@pytest.mark.parametrize("name", ["float32.tflite", "labels.json", "vocabulary.txt", "config.json"])
def test_files_that_are_not_as_they_were_written_are_refused(folder, tmp_path, name):
    for number, damage in enumerate(DAMAGES.values()):
        copy = shutil.copytree(folder, tmp_path / str(number))
        damage(copy / name)
        with pytest.raises(InputError, match=rf"{copy}: .*Received: {name} \(changed\); .*vidmodel export"):
            open_model(copy / "float32.tflite")


def test_half_of_the_pair_is_no_model(plain_folder, tmp_path):
    folder = plain_folder
    expected = r"is the second half of the streaming pair: expected the first half, such as .*features_int8\.tflite"
    with pytest.raises(InputError, match=expected):
        open_model(folder / "classify_features.tflite")
    without_sums(shutil.copytree(folder, tmp_path / "half"))
    (tmp_path / "half" / "classify_features.tflite").unlink()
    with pytest.raises(
        InputError, match=r"expected the other half .* beside it\. Received: no classify_features\.tflite"
    ):
        open_model(tmp_path / "half" / "frame_features_int8.tflite")
    shutil.copy(folder / "classify_features.tflite", tmp_path / "half" / "renamed.tflite")
    with pytest.raises(
        InputError, match=r"expected a whole model, of frames and token_ids\. Received: a part, of featu"
    ):
        open_model(tmp_path / "half" / "renamed.tflite")
    with pytest.raises(InputError, match="expected the settings that `vidmodel export` writes beside it"):
        open_model(shutil.copy(folder / "float32.tflite", tmp_path))
    without_sums(shutil.copytree(folder, tmp_path / "copy"))
    (tmp_path / "copy" / "int8.tflite").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"int8\.tflite cannot be read as a TensorFlow Lite file"):
        open_model(tmp_path / "copy" / "int8.tflite")


def test_without_the_data_set_files_are_made_and_the_report_says_what_is_missing(plain, tmp_path, monkeypatch, capsys):
    gone = dataclasses.replace(plain, data=tmp_path / "gone")
    monkeypatch.setattr(trained, "load_run", lambda path: gone)
    makers = {}

    def only_float32(*args):
        makers.update(file_makers(*args))
        return {"float32": makers["float32"]}

    monkeypatch.setattr(tflite, "file_makers", only_float32)
    assert main(["export", str(plain.path), "--out", str(tmp_path / "name"), "--format", "tflite"]) == 0
    report = json.loads((tmp_path / "name" / "tflite" / "report.json").read_text())
    assert (report["split"], report["num_clips"], report["keras"], report["models"]) == (None, 0, None, None)
    assert report["files"]["float32"]["bytes"] > 0
    assert {"int8", "frame_features_int8"} <= set(makers)  # calibrated with the examples of the run
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vidmodel export:")]
    assert line == f"vidmodel export: tflite: {'; '.join(report['notes'])}"
    assert f"the data set of the run is not at {tmp_path / 'gone'}: agreement with Keras" in line
    assert "examples of the run folder, not with training clips" in line


def test_without_any_clips_there_are_no_int8_files(plain):
    makers = file_makers(TrainedRun(plain).parts, Calibration(plain, ()))
    assert set(makers) == {"float32", "float16", "dynamic", "frame_features_float32", "classify_features"}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["dynamic", "int8"])
def test_rounded_outputs_are_standardised_as_exact_ones_on_average(plain, precision):
    pairs = choose_calibration(plain, open_data_set(plain.data)).frame_pairs

    def standardised(parts, outputs):
        (layer,) = [layer for layer in parts.projection.layers if isinstance(layer, Standardization)]
        return np.asarray(layer(np.concatenate(outputs)))

    parts = TrainedRun(plain).parts
    corrected = with_corrected_bias(parts, precision, pairs)
    encoder = build_frame_encoder(parts.config, parts.backbone, previous_given=True)
    encode = frame_pair_function(encoder, "output")
    file = convert(encode, frame_pair_specs(parts.config), [encoder], precision, pairs)
    ask = Interpreter(model_content=file).get_signature_runner()
    exact, rounded = [encode(**pair)["output"].numpy() for pair in pairs()], [ask(**pair)["output"] for pair in pairs()]
    expected = standardised(parts, exact).mean(axis=0)
    # means of some hundred float32 numbers of order 1
    np.testing.assert_allclose(standardised(corrected, rounded).mean(axis=0), expected, atol=1e-4)
    assert np.abs(standardised(parts, rounded).mean(axis=0) - expected).max() > 1e-2


@pytest.mark.slow
def test_int8_features_are_right_on_average(plain):
    calibration, parts = choose_calibration(plain, open_data_set(plain.data)), TrainedRun(plain).parts
    encode = frame_pair_function(parts.frame_features(previous_given=True), "features")

    def mean_error(file):
        ask, pairs = Interpreter(model_content=file).get_signature_runner(), calibration.frame_pairs()
        errors = [ask(**pair)["features"] - encode(**pair)["features"].numpy() for pair in pairs]
        return np.abs(np.mean(errors, axis=0)).mean()

    corrected = file_makers(parts, calibration)["frame_features_int8"]()
    # what is left comes from the matrix product after the standardisation, which is int8 itself
    assert mean_error(corrected) < 0.5 * mean_error(convert_frame_features(parts, "int8", calibration))


def test_a_mean_counts_slots_exactly_in_int8():
    features = keras.Input((8, 4), name="features")
    mean = MeanPooling()(features, mask=SlotMask()(features))
    model = keras.Model(features, {"mean": mean, "product": keras.layers.Dense(2)(mean)})  # one part has to be int8
    few, many = np.zeros((1, 8, 4), np.float32), np.ones((1, 8, 4), np.float32)
    few[:, 3] = 1  # clips to calibrate with have one slot each: a count in int8 would go no further
    spec = tf.TensorSpec((1, 8, 4), tf.float32, "features")
    file = convert(lambda features: model(features), [spec], [model], "int8", lambda: iter([{"features": few}]))
    answer = Interpreter(model_content=file).get_signature_runner()(features=many)["mean"]
    np.testing.assert_allclose(answer, 1, atol=1e-5)  # of float32; a count of one makes it 8


def test_a_folder_of_files_is_no_model(plain_folder):
    for folder in (plain_folder, plain_folder.parent):
        with pytest.raises(InputError, match=r"holds several models: expected one of them, such as .*float16\.tflite"):
            open_model(folder)
