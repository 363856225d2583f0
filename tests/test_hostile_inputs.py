"""The judgement of answers to hostile inputs, and a tenth of these inputs (`tests/hostile/inputs.py` has all)."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.case import Answer, Case
from tests.hostile.good import SECRET
from tests.hostile.judge import LIMIT_MEGABYTES, judge
from tests.hostile.mutate import damage, damage_json, damage_text

LIMIT = 10.0
ROOT = Path(__file__).parents[1]
REFUSED = Answer(2, 1.0, 1.0, 10.0, "", "vidmodel predict: a.mp4: expected a video\n")
ANSWERED = Answer(0, 1.0, 1.0, 10.0, '{"path": "a", "score": 0.25}\n', "")
PREDICT = Case(("predict",), whole=("predict", "whole"))


def test_a_refusal_and_a_right_answer_are_allowed(tmp_path):
    assert judge(PREDICT, REFUSED, None, tmp_path / "out", [], LIMIT) == []
    assert judge(PREDICT, ANSWERED, ANSWERED, tmp_path / "out", [], LIMIT) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"stderr": "Traceback (most recent call last):\n  ValueError\n", "code": 1}, "traceback"),
        ({"code": None, "end": "late"}, "hang"),
        ({"code": None, "end": "died"}, "crash"),
        ({"processor_seconds": LIMIT + 1}, "hang"),
        ({"code": 2}, "no message"),
        ({"code": 3, "stderr": "x"}, "exit code 3"),
        ({"megabytes": LIMIT_MEGABYTES + 1}, "memory"),
        ({"stdout": '{"path": "b", "score": 0.26}\n'}, "changed answer"),
        ({"stdout": ""}, "changed answer"),
        ({"stderr": f"read {SECRET}"}, "file read"),
    ],
)
def test_faults(tmp_path, changes, fault):
    answer = dataclasses.replace(ANSWERED, **({"stdout": ""} | changes if "code" in changes else changes))
    assert judge(PREDICT, answer, ANSWERED, tmp_path / "out", [], LIMIT) == [fault]


def test_an_address_that_is_read_is_a_fault(tmp_path):
    assert judge(PREDICT, REFUSED, None, tmp_path / "out", [b"a connection"], LIMIT) == ["address read"]


def test_what_is_left_in_the_output(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "features.json").touch()
    assert judge(Case(("prepare",), is_whole_or_absent=True), REFUSED, None, out, [], LIMIT) == ["half written"]
    (out / ".model.abc_1234.keras").touch()
    assert judge(PREDICT, ANSWERED, None, out, [], LIMIT) == ["half written"]
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "a.tfrecord").write_text(SECRET)
    assert judge(PREDICT, ANSWERED, None, tmp_path / "out", [], LIMIT) == ["file read", "half written"]


def test_a_seed_gives_the_same_damage():
    for way, whole in (
        (damage, b"0123456789" * 50),
        (damage_text, "a,b\nc,d\n"),
        (damage_json, {"a": [1, {"b": "c"}]}),
    ):
        results = [[way(random.Random(seed), whole) for seed in range(50)] for _ in range(2)]
        assert results[0] == results[1]
        assert len(set(results[0])) > 10


@pytest.mark.slow
def test_a_tenth_of_the_inputs(tmp_path):
    arguments = ["--share", "0.1", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "tests.hostile.inputs", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
