"""What `prepare` tells, as a value and as JSON; reports of earlier versions."""

import json

import pytest

from tests.conftest import NUM_CLIPS
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.prepare_report import PrepareReport, read_report


def test_what_it_counts(data_set):
    report = read_report(data_set)
    assert report.num_clips == NUM_CLIPS
    assert sum(counts.clips for counts in report.counts.values()) == NUM_CLIPS
    assert sum(counts.labels["colour"]["red"] for counts in report.counts.values()) == 12
    assert report.decoder["name"]
    assert report.settings.num_stored_frames == 8


def test_json_there_and_back(data_set):
    report, values = read_report(data_set), json.loads((data_set / "prepare_report.json").read_text())
    assert PrepareReport.from_json(values) == report
    assert json.loads(json.dumps(report.to_json())) == values
    assert values["num_refused"] == 0


def test_a_report_without_later_fields(data_set):
    values = json.loads((data_set / "prepare_report.json").read_text())
    del values["clip_warnings"], values["passed_over"], values["settings"]["languages"]
    report = PrepareReport.from_json(values)
    assert (report.clip_warnings, report.passed_over, report.settings.languages) == ({}, {}, ("en",))


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"counts": 3}'])
def test_no_report(tmp_path, content):
    if content is not None:
        (tmp_path / "prepare_report.json").write_text(content)
    with pytest.raises(InputError, match=r"cannot read .*report that `vidmodel prepare` writes; prepare the data set"):
        read_report(tmp_path)
