"""What is too large is refused in one line, and what is just small enough is read."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from tests.manifests import faults, read_csv, read_jsonl, write_videos
from vidmodel_tf.clips.clip_range import expand_clips
from vidmodel_tf.clips.find_words import find_words
from vidmodel_tf.clips.manifest import limits, rows
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.config import MODEL_FIELDS, ModelConfig, PrepareConfig, TrainConfig, from_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import settings_file
from vidmodel_tf.scoring import policy
from vidmodel_tf.scoring.policy import load_policy
from vidmodel_tf.scoring.truth import read_truth
from vidmodel_tf.storage import read_json
from vidmodel_tf.text import vocabulary as vocabulary_module
from vidmodel_tf.text.fields import MAX_TEXT_BYTES, join_fields
from vidmodel_tf.text.vocabulary import Vocabulary

TWO_CLASSES = ("one,a", "two,b")


def test_of_very_many_faults_a_thousand_are_listed() -> None:
    error = InputError("many", [str(number) for number in range(2500)])
    assert error.details == (*map(str, range(1000)), "and 1,500 more")
    assert InputError("many", list("ab")).details == ("a", "b")


def test_a_manifest_with_very_many_bad_rows_is_not_read_to_its_end(tmp_path: Path) -> None:
    write_videos(tmp_path, "there.mp4")
    bad_rows = [f"gone{number}.mp4,x" for number in range(5000)]
    with pytest.raises(InputError, match=r"^1000 bad rows of the first 1001 in my.csv; correct or remove") as caught:
        read_csv(tmp_path, "path,label", "there.mp4,x", *bad_rows)
    assert len(caught.value.details) == 1000
    assert caught.value.details[0].startswith("row 3: path: expected a video file. Received: ")


def test_bad_lines_of_jsonl_truth_and_lists_end_reading_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^1000 bad rows of 1001 in my.jsonl"):
        read_jsonl(tmp_path, {"title": "one", "label": "a"}, *["{"] * 5000)
    truth = tmp_path / "truth.csv"
    truth.write_text("path,start_seconds,end_seconds,head,label\n" + "a.mp4,5,1,x,y\n" * 5000)
    with pytest.raises(InputError, match=r"1000 of 5000 rows in truth.csv cannot be used") as caught:
        read_truth(truth)
    assert len(caught.value.details) == 1000
    clips = tmp_path / "clips.csv"
    clips.write_text("path\n" + "gone.mp4\n" * 5000)
    with pytest.raises(InputError, match=r"expected rows of clips. Received: 1000 that cannot be used"):
        expand_clips([str(clips)])


@pytest.mark.parametrize(
    ("limit", "lines", "expected"),
    [
        ("MAX_ROWS", ["title,label", *TWO_CLASSES, "three,a"], "my.csv: expected at most 2 rows. Received: more"),
        ("MAX_COLUMNS", ["title,label,x", "one,a,1"], "my.csv: expected at most 2 columns. Received: 3"),
        ("MAX_LINE", ["title,label", '"one', 'two",b'], "my.csv: line 1: expected at most 2 characters. Received: 12"),
        ("MAX_NAME", ["title,label"], "expected names of columns of at most 2 characters. Received: 'title', 5 char"),
    ],
)
def test_tables_beyond_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, lines: list[str], expected: str
) -> None:
    monkeypatch.setattr(limits, limit, 2)
    with pytest.raises(InputError) as caught:
        read_csv(tmp_path, *lines)
    assert expected in caught.value.reason
    names, *values = csv.reader(lines)
    with pytest.raises(InputError) as caught:
        read_jsonl(tmp_path, *(dict(zip(names, row, strict=True)) for row in values or [["one", "a"]]))
    assert expected.replace("my.csv", "my.jsonl").partition(" Received")[0] in caught.value.reason


def test_as_many_rows_as_may_be_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS", 2)
    assert len(read_csv(tmp_path, "title,label", *TWO_CLASSES).clips) == 2
    assert len(read_jsonl(tmp_path, *({"title": title, "label": title} for title in "ab")).clips) == 2


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_BYTES", 20)
    with pytest.raises(InputError, match=r"my.csv: expected at most 20 bytes. Received: 24"):
        read_csv(tmp_path, "title,label", *TWO_CLASSES)


def test_a_head_with_very_many_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidmodel_tf.clips.manifest.read.MAX_CLASSES", 2)
    with pytest.raises(InputError, match=r"my.csv: head 'label': expected at most 2 classes. Received: 3"):
        read_csv(tmp_path, "title,label", *TWO_CLASSES, "three,c")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"a.mp4,{'x' * 1001},,", "row 2: label: expected a class name of at most 1,000 characters. Received: 'xxxx"),
        (f"a.mp4,x,{'x' * 4097},", "row 2: source: expected a name of at most 4,096 characters. Received: 'xxxx"),
        (f"{'x' * 4097},x,,", "row 2: path: expected a path of at most 4,096 characters. Received: 'xxxx"),
        (f"a.mp4,x,,{'é' * (MAX_TEXT_BYTES // 2)}", "row 2: title: expected at most 1,048,576 bytes of words a clip"),
    ],
    ids=["class", "source", "path", "words"],
)
def test_cells_beyond_a_limit(tmp_path: Path, line: str, expected: str) -> None:
    write_videos(tmp_path, "a.mp4")
    (fault,) = faults(tmp_path, "path,label,source,title", line)
    assert fault.startswith(expected)
    assert len(fault) < 250


def test_words_of_a_clip_count_together_and_as_bytes(tmp_path: Path) -> None:
    longest = "x" * (MAX_TEXT_BYTES - len(MODEL_FIELDS))
    row = {"title": longest[2:], "description": "é", "label": "a"}
    clip, _ = read_jsonl(tmp_path, row, {"title": "two", "label": "b"}).clips
    joined = join_fields(clip.text, MODEL_FIELDS)
    assert len(joined.encode()) <= MAX_TEXT_BYTES
    with pytest.raises(InputError, match="1 bad row of 2"):
        read_jsonl(tmp_path, row | {"tags": "xx"}, {"title": "two", "label": "b"})


def test_words_beside_a_video(tmp_path: Path) -> None:
    write_videos(tmp_path, "a/1.mp4", "b/2.mp4")
    (tmp_path / "a" / "1.txt").write_text("x" * MAX_TEXT_BYTES)
    with pytest.raises(InputError, match="1 bad of 2 videos") as caught:
        read_manifest(tmp_path)
    assert caught.value.details[0].startswith("a/1.mp4: expected at most 1,048,576 bytes of words a clip, all fields")


def test_words_in_a_video_and_in_the_manifest_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vidmodel_tf.words.cues import untimed
    from vidmodel_tf.words.remembered import Found
    from vidmodel_tf.words.words_in_videos import WordsInVideos

    write_videos(tmp_path, "a/1.mp4", "b/2.mp4")
    (tmp_path / "a" / "1.txt").write_text("x" * (MAX_TEXT_BYTES // 2))
    found = Found((untimed("title", "y" * (MAX_TEXT_BYTES // 2), "tracks:metadata"),), ())
    monkeypatch.setattr(WordsInVideos, "find_all", lambda self, fields_of: dict.fromkeys(fields_of, found))
    first, second = find_words(read_manifest(tmp_path), PrepareConfig()).clips
    assert first.fault is not None and first.fault.startswith("expected at most 1,048,576 bytes of words a clip")
    assert second.fault is None


def test_no_form_is_asked_about_more_words_than_another(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["x"], ["title"])
    assert vocabulary.encode("x " + "y" * (MAX_TEXT_BYTES - 2), 4).tolist() == [2, 3, 1, 0]
    for ask in (lambda text: vocabulary.encode(text, 4), lambda text: join_fields({"title": text}, ["title"])):
        with pytest.raises(InputError, match=r"1,048,576 bytes of words a clip, all fields together. Received: 1,048,"):
            ask("é" * (MAX_TEXT_BYTES // 2) + "x")


@pytest.mark.parametrize("key", ["source", "title", "label", "spare\ud800", "id"])
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(tmp_path: Path, key: str) -> None:
    row = json.dumps({"title": "one", "label": "a", key: "half \ud83d"})
    with pytest.raises(InputError) as caught:
        read_jsonl(tmp_path, row, {"title": "two", "label": "b"})
    text = "\n".join((str(caught.value), *caught.value.details))
    text.encode()
    assert "Unicode" in text or "control characters" in text


def test_numbers_of_thousands_of_digits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^my.jsonl: row 1: expected a JSON object. Received: .* \(Exceeds") as caught:
        read_jsonl(tmp_path, '{"title": "one", "label": ' + "1" * 5000 + "}")
    assert len(caught.value.reason) < 400
    write_videos(tmp_path, "a.mp4")
    (fault,) = jsonl_faults(tmp_path, '{"path": "a.mp4", "label": "a", "start_seconds": ' + "1" * 4000 + "}")
    assert fault.startswith("row 1: start_seconds: expected seconds from the beginning") and len(fault) < 400


def jsonl_faults(root: Path, *lines: str) -> tuple[str, ...]:
    with pytest.raises(InputError, match=r"bad rows? of") as caught:
        read_jsonl(root, *lines)
    return caught.value.details


def test_clips_compare_by_what_they_hold_whatever_was_asked_of_them(tmp_path: Path) -> None:
    clip, _ = read_csv(tmp_path, "title,label", *TWO_CLASSES).clips
    same = dataclasses.replace(clip)
    assert (clip.question, clip.footage) == ("", "row 2")
    assert clip == same


def test_a_message_stays_one_readable_line_whatever_is_named_in_it() -> None:
    error = InputError("x" * 10_000 + "\udcff", ["y" * 10_000], subject="\udcff.csv")
    assert (len(error.reason), len(error.details[0])) == (2005, 2005)
    assert str(error).startswith("\\udcff.csv: xxx") and str(error).endswith("xxx\\udcff")
    assert str(InputError("x" * 2000)) == "x" * 2000


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (ModelConfig, {"dropout": 10**4000}, r"^model.dropout: expected 0.0 to 0.95. Received: 1000"),
        (ModelConfig, {"num_frames": 10**4000}, r"^model.num_frames: expected 1 to 4096. Received: 1000"),
        (ModelConfig, {"backbone": "a\ud800"}, r"^model.backbone: expected Unicode text. Received: 'a\\ud800'$"),
        (
            ModelConfig,
            {"backbone": "a" * 4097},
            r"^model.backbone: expected at most 4,096 characters. Received: 4,097$",
        ),
        (
            ModelConfig,
            {"field_budgets": [0] * 1001},
            r"^model.field_budgets: expected at most 1,000 items. Received: 1,00",
        ),
        (ModelConfig, {"height": "x" * 5000}, r"^model.height: expected a whole number. Received: 'xxx"),
        (
            ModelConfig,
            {"vocabulary_size": 10**8},
            r"^model.vocabulary_size: expected 3 to 10000000. Received: 100000000$",
        ),
        (
            TrainConfig,
            {"head_weights": {"\ud800": 1.0}},
            r"^train.head_weights: expected Unicode text. Received: '\\ud800'$",
        ),
        (
            TrainConfig,
            {"head_weights": {"a": 10**4000}},
            r"^train.head_weights: expected 0 to 1000000. Received: a=1000",
        ),
        (PrepareConfig, {"source_pattern": "\ud800"}, r"^prepare.source_pattern: expected Unicode text"),
    ],
)
def test_settings_that_no_file_can_keep_or_no_number_can_hold(kind: type, values: dict, expected: str) -> None:
    section = kind.__name__.removesuffix("Config").lower()
    with pytest.raises(InputError, match=expected) as caught:
        from_mapping(kind, values, section)
    assert len(caught.value.reason) < 300


def test_files_of_settings_and_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    rule = {"name": "a", "head": "h", "label": "a", "on": 10**4000}
    path.write_text(json.dumps({"version": 1, "rules": [rule]}))
    with pytest.raises(InputError, match=r"file.json: rules\[0\].on: expected 0.0 to 1.0. Received: 1000"):
        load_policy(path)
    path.write_text(json.dumps({"version": 1, "rules": [rule | {"name": "\ud800", "on": 1}]}))
    with pytest.raises(InputError, match=r"file.json: rules\[0\].name: expected Unicode text"):
        load_policy(path)
    monkeypatch.setattr(policy, "MAX_RULES", 1)
    path.write_text(json.dumps({"version": 1, "rules": [rule, rule]}))
    with pytest.raises(InputError, match=r"file.json: policy.rules: expected at most 1 rules. Received: 2$"):
        load_policy(path)
    for module, read in [
        (policy, load_policy),
        (settings_file, lambda path: settings_file.read_settings_file(path, ("model",))),
    ]:
        monkeypatch.setattr(module, "MAX_BYTES", 20)
        with pytest.raises(InputError, match=r"file.json: expected at most 20 bytes. Received: \d"):
            read(path)
    monkeypatch.setattr("vidmodel_tf.storage.MAX_JSON_BYTES", 20)
    with pytest.raises(InputError, match=r"file.json: expected at most 20 bytes. Received: \d"):
        read_json(path)


def test_vocabularies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "vocabulary.txt"
    Vocabulary(["x", "y"], ["title"]).save(path)
    assert len(Vocabulary.load(path)) == 5
    monkeypatch.setattr(vocabulary_module, "MAX_VOCABULARY_SIZE", 4)
    with pytest.raises(InputError, match=r"vocabulary.txt: expected at most 4 lines. Received: 5"):
        Vocabulary.load(path)
    monkeypatch.setattr(vocabulary_module, "MAX_BYTES", 20)
    with pytest.raises(InputError, match=r"vocabulary.txt: expected at most 20 bytes. Received: 24"):
        Vocabulary.load(path)
