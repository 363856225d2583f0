"""The report on an export: what is in it, and how calls are timed."""

from __future__ import annotations

from vidmodel_tf.export.agreement import MeasuredHead, MeasuredModels
from vidmodel_tf.export.report import NUM_TIMED_CALLS, FileReport, FormReport, median_milliseconds
from vidmodel_tf.forms.agreement import Agreement

FILE = FileReport(num_bytes=12, ops={"CONV_2D": 3, "ADD": 1}, milliseconds={1: 2.5, 2: 1.5})
MODELS = MeasuredModels(
    split="test",
    num_clips=6,
    keras={"colour": 0.5, "topic": None},
    models={
        "int8": {"colour": MeasuredHead(Agreement(0.25, 1.0), 0.5), "topic": MeasuredHead(Agreement(None, 0.0), None)}
    },
)
FILE_JSON = {"bytes": 12, "ops": {"CONV_2D": 3, "ADD": 1}, "milliseconds": {"1": 2.5, "2": 1.5}}


def test_what_programs_read():
    assert FormReport({"int8": FILE}, MODELS).to_json() == {
        "split": "test",
        "num_clips": 6,
        "keras": {"colour": 0.5, "topic": None},
        "files": {"int8": FILE_JSON},
        "models": {
            "int8": {
                "colour": {"max_difference": 0.25, "label_agreement": 1.0, "accuracy": 0.5},
                "topic": {"max_difference": None, "label_agreement": 0.0, "accuracy": None},
            }
        },
        "notes": [],
    }


def test_what_programs_read_without_the_data_set():
    report = FormReport({"model": FILE}, None, keras_milliseconds=7.0, notes=("the data set is gone",))
    assert report.to_json() == {
        "split": None,
        "num_clips": 0,
        "keras": None,
        "keras_milliseconds": 7.0,
        "files": {"model": FILE_JSON},
        "models": None,
        "notes": ["the data set is gone"],
    }


def test_calls_are_timed_by_turns():
    called = []
    times = median_milliseconds({name: lambda name=name: called.append(name) for name in ("one", "other")})
    assert called == ["one", "other"] * (1 + NUM_TIMED_CALLS)
    assert set(times) == {"one", "other"}
    assert min(times.values()) >= 0


def test_the_first_call_is_not_counted(monkeypatch):
    now, durations = [0.0], iter([100.0, *range(1, NUM_TIMED_CALLS + 1)])

    def call():
        now[0] += next(durations)

    monkeypatch.setattr("vidmodel_tf.export.report.time.perf_counter", lambda: now[0])
    (milliseconds,) = median_milliseconds({"call": call}).values()
    assert milliseconds == 1000 * (NUM_TIMED_CALLS + 1) / 2  # the median of 1, 2, ..., n seconds
