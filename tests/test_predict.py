import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import BLUE, RED
from tests.videos import write_video
from vidmodel_tf.clips.question import Refusal
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.scoring.clips import predict


@pytest.fixture(scope="module")
def model(run_dir):
    return KerasForm(load_run(run_dir))


def test_a_clip_of_the_data_set_gets_the_scores_that_the_data_set_gives(model, run_dir, clips_csv, tmp_path):
    examples = json.loads((run_dir / "examples" / "examples.json").read_text())
    for example in examples:
        path = shutil.copy(clips_csv.parent / example["id"], tmp_path)
        (tmp_path / example["id"]).with_suffix(".json").write_text(json.dumps(example["text"]), encoding="utf-8")
        (answer,) = predict(model, [path])
        for head, values in example["scores"].items():
            assert list(answer.heads[head].scores.values()) == pytest.approx(values, abs=1e-4)


def test_a_broken_file_gets_a_row_and_the_others_still_answer(model, tmp_path):
    for i in range(6):
        write_video(tmp_path / f"{i}.mp4", color=RED if i % 2 else BLUE)
    (tmp_path / "3.mp4").write_bytes(b"no video")
    answers = list(predict(model, [tmp_path, tmp_path / "missing.mp4"]))
    assert [Path(answer.id).name for answer in answers] == [*(f"{i}.mp4" for i in range(6)), "missing.mp4"]
    assert [i for i, answer in enumerate(answers) if isinstance(answer, Refusal)] == [3, 6]
    assert answers[3].reason.startswith("expected a video")
    (alone,) = predict(model, [tmp_path / "4.mp4"])
    assert_same_scores(answers[4], alone)


def assert_same_scores(answer, other):
    # float32 sums in another order: a clip's scores depend a little on the size of its batch
    for head in other.heads:
        assert answer.heads[head].scores == pytest.approx(other.heads[head].scores, abs=1e-5)


def test_sidecar_words_are_read_and_text_takes_their_place(model, tmp_path):
    plain, worded = write_video(tmp_path / "a.mp4"), write_video(tmp_path / "b.mp4")
    worded.with_suffix(".json").write_text(json.dumps({"title": "A blue film"}))
    a, b = predict(model, [plain, worded])
    (c,) = predict(model, [plain], text="A blue film")
    assert_same_scores(b, c)
    with pytest.raises(AssertionError):
        assert_same_scores(a, b)
    (d,) = predict(model, [plain], text="\x02A blue film")  # a marker in a user's words is no marker
    assert d.heads == c.heads


def test_a_glob_that_matches_nothing(model, tmp_path):
    with pytest.raises(InputError, match=r"none\*\.mp4"):
        list(predict(model, [str(tmp_path / "none*.mp4")]))


def test_no_model(tmp_path):
    with pytest.raises(InputError, match=r"there is no model at .*expected a run folder or an exported model"):
        list(predict(tmp_path / "none", ["a.mp4"]))
