"""Several questions about one clip: which rows may stand together, what is decoded, what is asked."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from tests.manifests import faults, read_csv, write_videos
from tests.videos import write_video
from vidmodel_tf.clips.clip_range import ClipRange, expand_clips
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.clips.splits.assign import assign_splits
from vidmodel_tf.commands.show import open_console, print_answers
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.labels import Labels
from vidmodel_tf.records import shards
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.inspect import inspect
from vidmodel_tf.records.plan import CLIPS_PER_SHARD
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.run_folder.run import Run, RunConfig
from vidmodel_tf.scoring import questions as scoring_questions
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.text.vocabulary import Vocabulary
from vidmodel_tf.timelines.words_of_range import find_cues, words_of_range

WHAT, WHO = "What is he doing?", "Who is it?"
ASKING = dataclasses.replace(MODEL, text_fields=("question", "title"))


@pytest.fixture
def root(tmp_path):
    write_videos(tmp_path, *(f"{name}.mp4" for name in "abcdefgh"))
    return tmp_path


def run_of(folder, model):
    return Run(
        folder, RunConfig(model, TRAIN, PREPARE), Labels({"x": ["a", "b"]}), Vocabulary([], model.text_fields), {}
    )


def test_a_clip_with_a_question_is_known_by_both(root):
    rows = [f"a.mp4,1,2,{WHAT},x", "a.mp4,1,2,Who\t is  it? ,y", f"a.mp4,,,{WHAT},x", "a.mp4,,,,y"]
    manifest = read_csv(root, "path,start_seconds,end_seconds,question,label", *rows)
    assert [clip.id for clip in manifest.clips] == [
        "a.mp4@1-2?What is he doing?", "a.mp4@1-2?Who is it?", "a.mp4?What is he doing?", "a.mp4",
    ]  # fmt: skip
    assert {clip.source for clip in manifest.clips} == {"a.mp4"}
    first, *_, last = manifest.clips
    assert (first.text["question"], first.words_from["question"]) == (WHAT, "manifest")
    assert "question" not in last.text


def test_the_same_question_about_the_same_clip_is_refused(root):
    (root / "link.mp4").symlink_to(root / "a.mp4")
    assert faults(root, "path,question,label", f"a.mp4,{WHO},x", f"a.mp4,{WHAT},y", f"a.mp4, {WHO} ,y") == (
        "row 4: question: the same question about the same clip as row 2; remove one, or ask another",
    )
    (fault,) = faults(root, "path,question,source,label", f"a.mp4,{WHO},s,x", f"link.mp4,{WHO},s,y")
    assert fault.startswith("row 3: question: the same question about the same clip as row 2")
    (fault,) = faults(root, "path,question,label", "a.mp4,,x", "a.mp4,,y")
    assert fault.startswith("row 3: path: the same clip as row 2")


def test_a_file_whose_name_looks_like_a_question_is_no_other_clip(root):
    write_videos(root, "a.mp4?b.mp4")
    (fault,) = faults(root, "path,question,label", "a.mp4,b.mp4,x", "a.mp4?b.mp4,,y")
    assert "the same clip as row 2" in fault


@pytest.mark.parametrize("second", ["a.mp4,{},t,y", "link.mp4,{},,y"])
def test_questions_about_one_clip_have_one_source(root, second):
    (root / "link.mp4").symlink_to(root / "a.mp4")
    (fault,) = faults(root, "path,question,source,label", f"a.mp4,{WHAT},s,x", second.format(WHO))
    assert fault.startswith("row 3: source: expected 's', as row 2 has it, which asks about the same clip. Received: ")


def test_questions_about_words_alone_have_one_source(root):
    rows = [f"scene,{WHAT},s,a fight,x", f"scene,{WHO},t,a fight,y"]
    (fault,) = faults(root, "id,question,source,description,label", *rows)
    assert fault.startswith("row 3: source: expected 's', as row 2 has it, which asks about the same clip. Received: ")


@pytest.mark.parametrize(
    ("second", "received"), [("link.mp4,,5", "link.mp4@0-5"), ("a.mp4,0,5", None), ("a.mp4,0,", "a.mp4@0-")]
)
def test_a_clip_is_written_alike_in_all_questions_about_it(root, second, received):
    (root / "link.mp4").symlink_to(root / "a.mp4")
    columns, first = "path,start_seconds,end_seconds,question,source,label", "a.mp4,," + second.split(",")[-1]
    rows = [f"{first},{WHAT},s,x", f"{second},{WHO},s,y"]
    if received is None:  # the same id, however a start at 0 is written
        assert len({clip.footage for clip in read_csv(root, columns, *rows).clips}) == 1
    else:
        (fault,) = faults(root, columns, *rows)
        assert fault.startswith("row 3: path: expected 'a.mp4")
        assert fault.endswith(f"Received: {received!r}; write both alike")


def test_questions_about_one_clip_are_in_one_split(root):
    rows = [f"{name}.mp4,{asked},{label}" for name in "abcdefgh" for asked, label in ((WHAT, "x"), (WHO, "y"))]
    manifest = read_csv(root, "path,question,label", *rows)
    for seed in range(20):
        splits, _ = assign_splits(manifest.clips, validation_fraction=0.2, test_fraction=0.2, seed=seed)
        found = {(clip.path, splits[clip.id]) for clip in manifest.clips}
        assert len(found) == 8
    (fault,) = faults_of_splits(root)
    assert "source 'a.mp4': expected one split. Received: test (a.mp4?Who is it?) and train" in fault


def faults_of_splits(root):
    manifest = read_csv(root, "path,question,label,split", f"a.mp4,{WHAT},x,train", f"a.mp4,{WHO},y,test", "b.mp4,,x,")
    with pytest.raises(InputError) as caught:
        assign_splits(manifest.clips, validation_fraction=0.2, test_fraction=0.2, seed=0)
    yield str(caught.value)


def test_sources_are_taken_from_paths_as_without_questions(root):
    rows = [f"{name}.mp4,{asked},{label}" for name in "ab" for asked, label in ((WHAT, "x"), (WHO, "y"))]
    path = root / "my.csv"
    path.write_text("\n".join(["path,question,label", *rows]))
    manifest = read_manifest(path, dataclasses.replace(PREPARE, source_pattern="."))
    assert [clip.source for clip in manifest.clips] == ["a", "a", "b", "b"]


def test_nothing_beside_a_video_asks(root):
    (root / "a.json").write_text(json.dumps({"title": "A film", "question": WHO}))
    manifest = read_csv(root, "path,label,question", "a.mp4,x,", "b.mp4,y,")
    assert all("question" not in clip.text and "question" not in clip.open_fields for clip in manifest.clips)
    assert manifest.clips[0].text["title"] == "A film"
    assert manifest == read_csv(root, "path,label", "a.mp4,x", "b.mp4,y")  # so the data set is the same


def test_words_without_videos_may_be_asked_about(root):
    rows = [f"s,A long story,{WHO},x", f"s,A long story,{WHAT},y"]
    manifest = read_csv(root, "id,description,question,label", *rows)
    assert [(clip.id, clip.source) for clip in manifest.clips] == [(f"s?{WHO}", "s"), (f"s?{WHAT}", "s")]
    (fault,) = faults(root, "id,description,question,label", *rows, rows[0])
    assert fault.startswith("row 4: question: the same question about the same clip as row 2")


def test_a_model_reads_the_question_first():
    assert ModelConfig(text_fields=("question", "title")).text_fields[0] == "question"
    with pytest.raises(InputError, match=r"expected 'question' before the others.*Received: \['title', 'question'\]"):
        ModelConfig(text_fields=("title", "question"))


NUM_QUESTIONS = 12


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Nine videos with twelve questions each, which stand apart in the manifest; the requests to decode are counted."""
    folder = tmp_path_factory.mktemp("asked")
    for number in range(9):
        write_video(folder / f"{number}.mp4", num_frames=12, first_number=20 * number)
    (folder / "9.mp4").write_bytes(b"no video")
    rows = [
        f"{number}.mp4,question {question}?,{'abc'[(number + question) % 3]}"
        for question in range(NUM_QUESTIONS)
        for number in range(10)
    ]
    (folder / "my.csv").write_text("\n".join(["path,question,label", *rows]))
    asked = []

    def counting(requests, **settings):
        asked.extend(Path(request.path).name for request in requests)
        return read_clips(requests, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "read_clips", counting)
        report = prepare(folder / "my.csv", folder / "data", PREPARE)
    return report, open_data_set(folder / "data"), asked


def test_each_video_is_decoded_once_whatever_is_asked(prepared):
    report, data, asked = prepared
    assert Counter(asked) == {f"{number}.mp4": 1 for number in range(9)}  # the last is known to be no video
    assert (report.num_clips, report.num_refused) == (9 * NUM_QUESTIONS, NUM_QUESTIONS)
    assert data.count("train") > CLIPS_PER_SHARD  # several shards, and no video is in two
    for split in data.split_names:
        frames = {}
        for clip, stored in data.frames(split):
            frames.setdefault(clip.footage, set()).add(stored.jpegs)
        assert all(len(each) == 1 for each in frames.values())
        assert len(set().union(*frames.values())) == len(frames)


def test_a_data_set_holds_the_question(prepared):
    _, data, _ = prepared
    clip = data.clips[0]
    assert clip.id == f"{clip.footage}?{clip.text['question']}"
    assert "question" in data.features["text"]
    for clip, asked in data.questions("train", ASKING):
        assert asked.words == f"\x01{clip.text['question']}"


def test_where_a_few_clips_stand_for_all_their_frames_differ_and_so_do_their_questions(prepared):
    _, data, _ = prepared
    found = list(data.one_question_a_clip("train", ASKING))
    clips = {clip.footage for clip in data.in_split("train")}
    assert sorted(clip.footage for clip, _ in found) == sorted(clips)
    assert len({clip.text["question"] for clip, _ in found}) == len(clips)
    assert all(question.id == clip.id for clip, question in found)


def test_one_clip_with_several_questions_is_no_leak(prepared):
    _, data, _ = prepared
    found = inspect(data.path)
    assert found.leaks.same_frames == ()
    assert found.words["question"].clips_with_words == 9 * NUM_QUESTIONS
    seconds = sum(split.seconds for split in found.splits.values())
    assert seconds == pytest.approx(9 * 12 / 25, abs=0.2)


def test_data_without_questions_is_stored_as_before(data_set):
    data = open_data_set(data_set)
    assert "question" not in data.features["text"]
    assert all("question" not in clip.text for clip in data.clips)
    assert "question" not in inspect(data_set).words


@pytest.fixture
def asked_list(tmp_path):
    for name in ("a", "b"):
        write_video(tmp_path / f"{name}.mp4", first_number=100 * (name == "b"))
    (tmp_path / "a.json").write_text(json.dumps({"title": "A film"}))
    rows = [f"a.mp4,{WHAT}", f"b.mp4,{WHAT}", f"a.mp4,{WHO}", f"b.mp4,{WHAT} ", "b.mp4,"]
    path = tmp_path / "asked.csv"
    path.write_text("\n".join(["path,question", *rows]))
    return path


def test_a_list_of_questions_goes_clip_by_clip(asked_list):
    a, b = asked_list.with_name("a.mp4"), asked_list.with_name("b.mp4")
    assert expand_clips([str(asked_list), str(a)]) == [
        *(ClipRange(a, question=question) for question in (WHAT, WHO, "")),
        *(ClipRange(b, question=question) for question in (WHAT, "")),
    ]


def test_each_clip_of_a_list_is_read_once(asked_list, tmp_path, monkeypatch, capsys):
    requests = []

    def counting(wanted, **settings):
        requests.extend(wanted := list(wanted))
        return read_clips(wanted, **settings)

    monkeypatch.setattr(scoring_questions, "read_clips", counting)
    found = list(read_questions(run_of(tmp_path, ASKING), expand_clips([str(asked_list)]), None))
    assert [Path(request.path).name for request in requests] == ["a.mp4", "b.mp4"]
    assert [(Path(each.id).name, each.question, each.words) for each in found] == [
        ("a.mp4", WHAT, f"\x01{WHAT}\x02A film"),
        ("a.mp4", WHO, f"\x01{WHO}\x02A film"),
        ("b.mp4", WHAT, f"\x01{WHAT}"),
        ("b.mp4", "", ""),
    ]
    assert found[0].jpeg_frames == found[1].jpeg_frames != found[2].jpeg_frames
    assert "warning: nothing is asked about 1 of 4 clips" in capsys.readouterr().err


class CountingForm(Form):
    """The score of class a is the length of the words."""

    def __init__(self, run):
        self.run, self.num_encoded = run, 0

    def encode(self, frames, previous=None):
        self.num_encoded += len(frames)
        return frames.mean(axis=(2, 3, 4))

    def classify(self, features, words):
        lengths = np.array([len(each) for each in words]) / 100
        return {"x": np.stack([lengths, 1 - lengths], axis=1)}


def test_answers_name_the_question_and_each_clip_is_encoded_once(asked_list, tmp_path):
    form = CountingForm(run_of(tmp_path, ASKING))
    asked_list.with_name("bad.mp4").write_bytes(b"no video")
    asked_list.write_text(asked_list.read_text() + f"\nbad.mp4,{WHO}\n")
    answers = list(predict(form, [asked_list]))
    found = [answer.to_json() for answer in answers]
    assert form.num_encoded == 2
    named = [(Path(str(each["path"])).name, each.get("question")) for each in found]
    assert named == [("a.mp4", WHAT), ("a.mp4", WHO), ("b.mp4", WHAT), ("b.mp4", None), ("bad.mp4", WHO)]
    scores = [each["heads"]["x"]["scores"]["a"] for each in found[:4]]
    assert scores == pytest.approx(
        [(len(words)) / 100 for words in (f"_{WHAT}_A film", f"_{WHO}_A film", f"_{WHAT}", "")]
    )
    assert "error" in found[4]
    table = io.StringIO()
    with contextlib.redirect_stdout(table):
        print_answers(answers, open_console())
    assert f"a.mp4: {WHO}" in table.getvalue()


def test_a_timeline_asks_by_text(asked_list, tmp_path):
    run, video = run_of(tmp_path, ASKING), asked_list.with_name("a.mp4")
    assert words_of_range(run, find_cues(run, video, WHO))(0.0, 1.0) == f"\x01{WHO}"
    assert words_of_range(run, find_cues(run, video, None))(0.0, 1.0) == "\x02A film"


def test_text_asks_the_same_of_all_clips(asked_list, tmp_path):
    (found,) = read_questions(run_of(tmp_path, ASKING), [ClipRange(asked_list.with_name("a.mp4"))], WHO)
    assert found.words == f"\x01{WHO}"


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (MODEL, None, r"column 'question': expected a model that reads questions .* one that reads title, description"),
        (dataclasses.replace(ASKING, branches="video"), None, r"Received: one that reads no words"),
        (ASKING, WHO, r"expected a column 'question' or --text, .* Received: both"),
    ],
)
def test_questions_that_would_not_be_read_are_refused(asked_list, tmp_path, model, text, message):
    with pytest.raises(InputError, match=message):
        next(read_questions(run_of(tmp_path, model), expand_clips([str(asked_list)]), text))
