from __future__ import annotations

import pytest

from tests.timeline_documents import make_document, make_event
from vidmodel_tf.timelines.document import read_document
from vidmodel_tf.timelines.outputs import write_outputs


def test_files_of_one_video(tmp_path):
    document = make_document(events=[make_event()])
    written = write_outputs(tmp_path / "out", "a.b", document)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.b.csv", "a.b.timeline.json", "a.b.vtt"]
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    assert read_document(tmp_path / "out" / "a.b.timeline.json").to_json() == document.to_json()
    assert "e1,fights" in (tmp_path / "out" / "a.b.csv").read_text()
    assert "fight 0.90" in (tmp_path / "out" / "a.b.vtt").read_text()


def test_a_failure_leaves_the_files_of_before(tmp_path, monkeypatch):
    write_outputs(tmp_path, "a", make_document(events=[make_event()]))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_outputs(tmp_path, "a", make_document(events=[make_event(label="walk")]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
