"""`vidmodel words`: what is printed for people, for programs, and as subtitles."""

import json
import subprocess
import sys

import pytest

from tests.track_videos import TextTrack, write_tracks
from vidmodel_tf.cli import main
from vidmodel_tf.words.subtitles import read_subtitles

LINES = [(0.24, 1.0, "A goal"), (1.48, 2.76, "全场沸腾")]


@pytest.fixture
def clip(tmp_path):
    metadata = {"title": "The final"}
    path = write_tracks(tmp_path / "clip.mp4", [TextTrack("mov_text", LINES)], metadata=metadata)
    (tmp_path / "clip.txt").write_text("Beside it")
    return path


def printed(capsys, *arguments):
    code = main(["words", *map(str, arguments)])
    return code, capsys.readouterr()


def cue(start, end, field, text, source):
    return {"start_seconds": start, "end_seconds": end, "field": field, "text": text, "from": source}


def test_json(clip, capsys):
    code, out = printed(capsys, clip, clip.with_name("missing.mp4"), "--json")
    found, error = map(json.loads, out.out.splitlines())
    assert code == 0
    assert found == {
        "path": str(clip),
        "fields": {
            "title": "The final", "description": "Beside it", "tags": "", "subtitles": "A goal 全场沸腾",
            "screen_text": "", "speech": "",
        },
        "words_from": {
            "title": "tracks:metadata", "description": "sidecar:clip.txt", "subtitles": "tracks:eng",
        },
        "cues": [
            cue(0.0, None, "description", "Beside it", "sidecar:clip.txt"),
            cue(0.0, None, "title", "The final", "tracks:metadata"),
            cue(0.24, 1.0, "subtitles", "A goal", "tracks:eng"),
            cue(1.48, 2.76, "subtitles", "全场沸腾", "tracks:eng"),
        ],
    }  # fmt: skip
    assert error == {
        "path": str(clip.with_name("missing.mp4")), "error": "expected a video. There is no such file",
    }  # fmt: skip


def test_several_videos_in_their_order_each_with_its_own_words(clip, capsys):
    names = ["c.mkv", "bad.mp4", "a.mkv", "b.mkv"]
    for name in names:
        write_tracks(clip.with_name(name), metadata={"title": f"The title of {name}"})
    clip.with_name("bad.mp4").write_text("words")
    code, out = printed(capsys, *[clip.with_name(name) for name in names], "--json", "--set", "prepare.num_workers=2")
    answers = [json.loads(line) for line in out.out.splitlines()]
    assert code == 0
    assert [answer["path"] for answer in answers] == [str(clip.with_name(name)) for name in names]
    titles = [answer["fields"]["title"] if "fields" in answer else None for answer in answers]
    assert titles == ["The title of c.mkv", None, "The title of a.mkv", "The title of b.mkv"]


def test_srt_is_read_back(clip, capsys):
    code, out = printed(capsys, clip, "--srt")
    assert code == 0
    path = clip.with_name("out.srt")
    path.write_text(out.out, encoding="utf-8")
    assert [(cue.start_seconds, cue.end_seconds, cue.text) for cue in read_subtitles(path, "")] == LINES


def test_settings_are_those_of_prepare(clip, capsys):
    _, out = printed(capsys, clip, "--json", "--set", "prepare.words=[]")
    assert json.loads(out.out)["words_from"] == {"description": "sidecar:clip.txt"}


def test_a_table_for_people(clip, capsys):
    code, out = printed(capsys, clip)
    assert code == 0
    for text in (str(clip), "tracks:metadata", "The final", "A goal 全场沸腾"):
        assert text in out.out


def test_no_video_that_can_be_read(tmp_path, capsys):
    (tmp_path / "bad.mp4").write_text("words")
    code, out = printed(capsys, tmp_path / "bad.mp4")
    assert code == 2
    assert out.out == f"{tmp_path}/bad.mp4: error: expected a video. It is a text file\n"


def test_subtitles_of_several_videos_are_refused(clip, capsys):
    code, out = printed(capsys, clip, clip.with_name("b.mp4"), "--srt")
    assert code == 2
    assert "--srt: expected one video and no --json. Received: 2 videos" in out.err


def test_tensorflow_is_not_imported(clip):
    script = f"""
import sys
from vidmodel_tf.cli import main
main(["words", {str(clip)!r}, "--json"])
print("HEAVY", sorted({{"tensorflow", "keras"}} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "HEAVY []" in result.stdout
