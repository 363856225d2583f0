from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.timeline_documents import make_event
from vidmodel_tf.timelines.event_table import write_event_table


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_an_event_with_all_fields(tmp_path):
    events = [
        make_event(1, 0.0, 2.5, label='a "b", c', score=0.9001, peak_seconds=1.0),
        make_event(2, 3.0, 4.0, label="打架\nund Streit", decision="review"),
    ]
    write_event_table(tmp_path / "a.csv", events)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[:2] == [
        "id,rule,head,label,start_seconds,end_seconds,peak_seconds,score,decision",
        'e1,fights,label,"a ""b"", c",0.0,2.5,1.0,0.9001,',
    ]
    assert read(tmp_path / "a.csv")[1] == {
        "id": "e2",
        "rule": "fights",
        "head": "label",
        "label": "打架 und Streit",
        "start_seconds": "3.0",
        "end_seconds": "4.0",
        "peak_seconds": "3.5",
        "score": "0.9",
        "decision": "review",
    }


def test_no_events_leave_the_names_of_the_columns(tmp_path):
    write_event_table(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").read_text().startswith("id,rule,")
    assert read(tmp_path / "a.csv") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_name_comes_back_and_none_is_a_formula(tmp_path, label):
    write_event_table(tmp_path / "a.csv", [make_event(label=label)])
    (row,) = read(tmp_path / "a.csv")
    assert row["label"].removeprefix("'") == " ".join(label.splitlines()).removeprefix("'")
    assert row["label"][:1] not in {"=", "+", "-", "@", "\t"}
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 2
