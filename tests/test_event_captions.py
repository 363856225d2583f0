from __future__ import annotations

import html

import pysubs2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.timeline_documents import make_event
from vidmodel_tf.timelines.event_captions import write_event_captions
from vidmodel_tf.words.subtitles import read_subtitles


def test_a_cue_an_event(tmp_path):
    events = [
        make_event(1, 0.0, 2.5, score=0.876),
        make_event(2, 2.0, 7200.123, label="<b>打架</b> & {\\i1}C:\\new\n-->", score=1.0),
    ]
    write_event_captions(tmp_path / "a.vtt", events)
    cues = pysubs2.load(str(tmp_path / "a.vtt")).events
    assert [(cue.start, cue.end) for cue in cues] == [(0, 2500), (2000, 7_200_123)]
    assert cues[0].text == "fight 0.88"
    assert html.unescape(cues[1].text) == "<b>打架</b> & {\\i1}C:\\new --> 1.00"
    assert (tmp_path / "a.vtt").read_text(encoding="utf-8").startswith("WEBVTT\n")


def test_no_events_are_an_empty_file_of_captions(tmp_path):
    write_event_captions(tmp_path / "a.vtt", [])
    assert (tmp_path / "a.vtt").read_text().strip() == "WEBVTT"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1))
def test_any_label_comes_back(tmp_path, label):
    write_event_captions(tmp_path / "a.vtt", [make_event(label=label, score=0.5), make_event(2, 3.0, 4.0)])
    first, second = read_subtitles(tmp_path / "a.vtt", "a.vtt")
    assert first.text == " ".join(f"{label} 0.50".split())
    assert (second.text, second.start_seconds, second.end_seconds) == ("fight 0.90", 3.0, 4.0)
