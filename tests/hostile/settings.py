"""Kinds of hostile settings, policies, truths, thresholds and logs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable

from tests.hostile.case import Case, Place
from tests.hostile.mutate import damage, damage_json, damage_text
from tests.hostile.videos import prepare
from tests.hostile.words import hostile_texts, train
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig

SECTIONS = {"prepare": PrepareConfig(), "model": ModelConfig(), "train": TrainConfig()}
COSTLY = ("num_workers", "epochs", "fine_tune_epochs", "ensemble_size", "timeout_seconds")  # right, and long


def _set(place: Place) -> Case:
    section = place.rng.choice(list(SECTIONS))
    names = [field.name for field in dataclasses.fields(SECTIONS[section]) if field.name not in COSTLY]
    name = place.rng.choice((*names, *names, "nonsense", "__class__", ""))
    setting = f"{name}={place.rng.choice(hostile_texts())}"
    if section == "prepare":
        return prepare(place, place.good.clips, setting)
    return train(place, "--set", f"{section}.{setting}")


def _config(place: Place) -> Case:
    section = place.rng.choice(list(SECTIONS))
    settings = {key: value for key, value in dataclasses.asdict(SECTIONS[section]).items() if key not in COSTLY}
    path = place.write("config.json", damage_json(place.rng, {section: settings}))
    case = prepare(place, place.good.clips) if section == "prepare" else train(place)
    return dataclasses.replace(case, arguments=(*case.arguments, "--config", str(path)))


def _flags(place: Place) -> Case:
    value = place.rng.choice(hostile_texts())
    good = place.good
    commands = (
        ("evaluate", str(good.run), "--split", value),
        ("inspect", value),
        ("predict", value, str(good.videos[0])),
        ("train", str(good.data), "--out", str(place.out), "--fold", value),
        ("timeline", str(good.run), str(good.videos[0]), "--out", str(place.out), "--window", value),
        ("timeline", str(good.run), str(good.videos[0]), "--out", str(place.out), "--hop", value),
        ("predict", str(good.run), str(good.videos[0]), f"--text={value}"),
        ("export", value, "--out", str(place.out)),
        ("verify", value, str(good.run)),
        (value, "--help"),
    )
    return Case(place.rng.choice(commands))


def _policy(place: Place) -> Case:
    policy = json.loads((place.good.folder / "policy.json").read_text())
    return _decide(place, damage_json(place.rng, policy), (place.good.timelines / "a.timeline.json").read_bytes())


def _document(place: Place) -> Case:
    content = (place.good.timelines / "a.timeline.json").read_bytes()
    content = damage_json(place.rng, json.loads(content)) if place.rng.random() < 0.7 else damage(place.rng, content)
    return _decide(place, (place.good.folder / "policy.json").read_bytes(), content)


def _decide(place: Place, policy: bytes, document: bytes) -> Case:
    place.write("out/a.timeline.json", document)
    return Case(("decide", str(place.out), "--policy", str(place.write("policy.json", policy)), "--json"))


def _truth(place: Place) -> Case:
    shutil.copytree(place.good.timelines, place.folder / "timelines")
    text = "path,start_seconds,end_seconds,head,label\n" + "".join(
        f"{place.good.videos[0]},{start},{start + 0.5},label,fight\n" for start in (0, 1, 2, 3)
    )
    path = place.write("truth.csv", damage_text(place.rng, text))
    out = str(place.out / "policy.json")
    return Case(("calibrate", str(place.folder / "timelines"), "--truth", str(path), "--out", out))


def _thresholds(place: Place) -> Case:
    run = shutil.copytree(place.good.run, place.folder / "run")
    path = run / "thresholds.json"
    path.write_bytes(damage_json(place.rng, json.loads(path.read_bytes())))
    return Case(("predict", str(run), str(place.good.videos[0]), "--json"))


def _audit(place: Place) -> Case:
    lines = [{"number": number, "video": "a", "decision": "review", "hash": "0" * 64} for number in range(3)]
    text = b"\n".join(json.dumps(line).encode() for line in lines)
    content = damage_json(place.rng, lines[0]) if place.rng.random() < 0.5 else damage(place.rng, text)
    return Case(("audit", str(place.write("audit.jsonl", content))))


KINDS: dict[str, Callable[[Place], Case]] = {
    "settings: --set": _set,
    "settings: --config": _config,
    "arguments": _flags,
    "policies": _policy,
    "timelines": _document,
    "truth": _truth,
    "thresholds": _thresholds,
    "audit logs": _audit,
}
