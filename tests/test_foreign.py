from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.manifests import read_csv, write_videos
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.errors import InputError


def refusal(source: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        read_manifest(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trainlist01.txt", "is a text file; write a CSV with the header path,label"),
        ("train.list", "is a text file"),
        ("a.TSV", "separated by tabs; save it as CSV"),
        ("label_studio.json", 'one JSON document; write it as .jsonl, a line such as {"path": "a.mp4", "label"'),
        ("a.xlsx", "workbook; save its sheet as CSV"),
        ("a.parquet", "binary format; save it as CSV"),
        ("clips.tar.gz", "archive; unpack it"),
        ("a.mp4", "is a video; give a folder"),
        ("a.qqq", "is something else"),
    ],
)
def test_files_of_other_kinds(tmp_path: Path, name: str, message: str) -> None:
    write_videos(tmp_path, name)
    text = refusal(tmp_path / name)
    assert text.startswith("expected a folder of class folders, a .csv or a .jsonl file. Received: ")
    assert message in text


@pytest.mark.parametrize("source", ["none.csv", "no such folder"])
def test_what_is_not_there(tmp_path: Path, source: str) -> None:
    assert refusal(tmp_path / source).endswith(f"{source}, which does not exist")


@pytest.mark.parametrize("source", ["https://x.org/clips.csv", "s3://bucket/clips"])
def test_addresses(source: str) -> None:
    assert refusal(source).endswith("which is an address; download it first")


@pytest.mark.parametrize(
    "lines",
    [
        ["a.mp4 3", "b.mp4 4"],  # VideoMAE
        ["some/folder/a.mp4 120 3"],
        ["frames/a 120 3", "frames/b 90 4"],  # folders of frames, MMAction2
        ["a.mp4,walk", "b.mp4,run"],
        ["/videos/my clip.mp4,walk"],
        ["ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1"],
    ],
)
def test_lists_without_a_header(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "train.csv"
    path.write_text("\n".join(lines))
    text = refusal(path)
    assert text.startswith("train.csv: expected a header in the first line, such as path,label. Received: ")
    assert lines[0] in text


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("path;label", "separated by commas. Received: 'path;label'"),
        ("path\tlabel", "separated by commas"),
        ("path label", "separated by commas. Received: 'path label'"),
    ],
)
def test_other_separators(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_csv(tmp_path, header, "a.mp4;x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps([{"path": "a.mp4", "label": "x"}]), "one JSON array"),
        (json.dumps([{"path": "a.mp4", "label": "x"}], indent=1), "one JSON array"),
        ("[]", "one JSON array"),
        (json.dumps({"videos": [{"path": "a.mp4"}]}, indent=1), "one JSON document over several lines"),
    ],
)
def test_one_document_in_a_jsonl_file(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    assert f"a.jsonl: expected one JSON object a line. Received: {message}; write each clip on a line" in refusal(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_pointer_of_git_lfs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert refusal(tmp_path / name).endswith("is a pointer of Git LFS, not the file itself: run 'git lfs pull'")
