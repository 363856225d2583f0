from __future__ import annotations

import html
import os
import re
import urllib.parse
from pathlib import Path

import pytest

from tests.timeline_documents import make_document, make_event
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.timelines.document import read_document
from vidmodel_tf.timelines.outputs import write_outputs


def test_files_of_one_video(tmp_path):
    document = make_document(events=[make_event()])
    written = write_outputs(tmp_path / "out", "a.b", document)
    assert [path.name for path in written] == ["a.b.timeline.json", "a.b.html", "a.b.csv", "a.b.vtt"]
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    assert read_document(tmp_path / "out" / "a.b.timeline.json").to_json() == document.to_json()
    assert "e1,fights" in (tmp_path / "out" / "a.b.csv").read_text()
    assert "fight 0.90" in (tmp_path / "out" / "a.b.vtt").read_text()


def test_a_video_whose_name_is_not_unicode(tmp_path):
    video = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    written, page, *_ = write_outputs(tmp_path, os.fsdecode(b"caf\xe9"), make_document(video))
    assert read_document(written).video.path == str(video)
    text = page.read_text(encoding="utf-8")
    assert "<title>caf\\udce9.mp4" in text
    assert 'src="caf%E9.mp4"' in text


@pytest.mark.parametrize("folder", ["films/out", "films", "else/where"])
def test_the_page_finds_the_video(tmp_path, folder):
    video = tmp_path / "films" / "100% 猫 #1?.mp4"
    _, page, *_ = write_outputs(tmp_path / folder, "a", make_document(video))
    (source,) = re.findall(r'<video[^>]* src="([^"]*)"', page.read_text(encoding="utf-8"))
    named = urllib.parse.unquote(urllib.parse.urljoin(page.as_uri(), html.unescape(source)))
    assert named == f"file://{video}"
    assert str(tmp_path) not in page.read_text(encoding="utf-8")


def test_the_page_has_the_rules_of_the_policy(tmp_path):
    policy = Policy(rules=(Rule(name="a rule of mine", head="label", label="fight"),))
    _, page, *_ = write_outputs(tmp_path, "a", make_document(), policy=policy)
    assert "a rule of mine" in page.read_text(encoding="utf-8")


def test_a_policy_of_another_model_writes_nothing(tmp_path):
    policy = Policy(rules=(Rule(name="r", head="label", label="no such class"),))
    with pytest.raises(InputError, match="no such class"):
        write_outputs(tmp_path, "a", make_document(), policy=policy)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_files_of_before(tmp_path, monkeypatch):
    write_outputs(tmp_path, "a", make_document(events=[make_event()]))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_outputs(tmp_path, "a", make_document(events=[make_event(label="walk")]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
