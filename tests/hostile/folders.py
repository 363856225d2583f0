"""Kinds of damage to what the commands made themselves: data sets, runs, exports; and to backbones of strangers."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import Case, Place
from tests.hostile.mutate import damage, damage_json
from tests.hostile.words import train
from tests.sums import without_sums
from vidmodel_tf.quiet import import_tensorflow


def _is_listed(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "SHA256SUMS"))


def _damage_one(place: Place, files: list[Path]) -> None:
    """Damages, removes, empties or exchanges one file."""
    path = place.rng.choice(files)
    choice = place.rng.random()
    if choice < 0.1:
        path.unlink()
    elif choice < 0.25 and len(files) > 1:
        shutil.copyfile(place.rng.choice([other for other in files if other != path]), path)
    elif choice < 0.6 and path.suffix == ".json":
        path.write_bytes(damage_json(place.rng, json.loads(path.read_bytes())))
    else:
        path.write_bytes(damage(place.rng, path.read_bytes()))


def _data(is_kind: Callable[[Path], bool]) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        data = shutil.copytree(place.good.data, place.folder / "data")
        _damage_one(place, sorted(path for path in data.rglob("*") if _is_listed(path) and is_kind(path)))
        choice = place.rng.random()
        if choice < 0.45:
            return Case(("inspect", str(data), "--json"), ("inspect", str(place.good.data), "--json"))
        if choice < 0.9:
            evaluate = ("evaluate", str(place.good.run), "--json", "--data")
            return Case((*evaluate, str(data)), (*evaluate, str(place.good.data)))
        case = train(place)
        return Case(tuple(str(data) if part == str(place.good.data) else part for part in case.arguments))

    return make


def _jpeg(place: Place) -> Case:
    """A record is whole and its checksum right, and its pictures are none, or bombs."""
    import_tensorflow()
    import tensorflow as tf

    data = without_sums(shutil.copytree(place.good.data, place.folder / "data"))
    shard = next(path for path in sorted(data.iterdir()) if "tfrecord" in path.name and "test" in path.name)
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]
    at = place.rng.randrange(len(records))
    example = tf.train.Example.FromString(records[at])
    frames = next(value for name, value in example.features.feature.items() if name.endswith("frames")).bytes_list.value
    frame = place.rng.randrange(len(frames))
    frames[frame] = hostile_jpeg(place.rng, frames[frame])
    if place.rng.random() < 0.2:
        del frames[1:]
    records[at] = example.SerializeToString()
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in records:
            writer.write(record)
    command = ("inspect",) if place.rng.random() < 0.5 else ("evaluate", str(place.good.run), "--data")
    if place.rng.random() < 0.5:  # a stranger's data set need not hold the sums of its files
        (data / "SHA256SUMS").unlink(missing_ok=True)
        return Case((*command, str(data), "--json"))
    return Case((*command, str(data), "--json"), (*command, str(place.good.data), "--json"))


def hostile_jpeg(rng, jpeg: bytes) -> bytes:
    """No JPEG, a damaged one, another format, or one that claims to be 65,500 pixels high and wide."""
    at = jpeg.find(b"\xff\xc0")
    bomb = jpeg[: at + 5] + b"\xff\xdc\xff\xdc" + jpeg[at + 9 :]
    grey = bytearray(jpeg)
    grey[at + 9] = rng.choice((0, 1, 2, 4))
    return rng.choice((bomb, bytes(grey), b"", b"\xff\xd8\xff", b"GIF89a" + jpeg, b"\x89PNG\r\n", damage(rng, jpeg)))


def _run(is_kind: Callable[[Path], bool]) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        good = place.good
        run = shutil.copytree(good.run, place.folder / "run", ignore=shutil.ignore_patterns("logs", "checkpoints"))
        _damage_one(place, sorted(path for path in run.rglob("*") if _is_listed(path) and is_kind(path)))
        video, choice = str(good.videos[0]), place.rng.random()
        if choice < 0.1:
            return Case(("export", str(run), "--out", str(place.out)), is_whole_or_absent=True)
        if choice < 0.75:
            return Case(("predict", str(run), video, "--json"), ("predict", str(good.run), video, "--json"))
        saved_model = str(good.exports / "saved_model")
        return Case(("verify", saved_model, str(run), "--json"), ("verify", saved_model, str(good.run), "--json"))

    return make


def _export(form: str) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        good = place.good
        exports = shutil.copytree(good.exports / form, place.folder / form)
        model = Path() if form == "saved_model" else Path("tflite") / "float32.tflite"
        read = [path for path in exports.rglob("*") if _is_listed(path) and _is_read(path)]
        _damage_one(place, sorted(read))
        damaged, whole = (str(folder / model) for folder in (exports, good.exports / form))
        if place.rng.random() < 0.3:
            return Case(("verify", damaged, str(good.run), "--json"), ("verify", whole, str(good.run), "--json"))
        video = str(good.videos[0])
        return Case(("predict", damaged, video, "--json"), ("predict", whole, video, "--json"))

    return make


def _is_read(path: Path) -> bool:
    others = ("tf_serving_warmup_requests", "report.json", "signatures.json")
    return path.name not in others and (path.suffix != ".tflite" or path.name == "float32.tflite")


def _backbone(place: Place) -> Case:
    """A `.keras` file: a zip with a configuration of layers and weights."""
    with zipfile.ZipFile(place.good.run / "model.keras") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    name = place.rng.choice(sorted(parts))
    if name.endswith(".json") and place.rng.random() < 0.8:
        parts[name] = damage_json(place.rng, json.loads(parts[name]))
    else:
        parts[name] = damage(place.rng, parts[name])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as damaged:
        for name, part in parts.items():
            damaged.writestr(name, part)
    content = content.getvalue() if place.rng.random() < 0.8 else damage(place.rng, content.getvalue())
    path = place.write("mine.keras", content)
    case = train(place)
    return Case(tuple(str(path) if part == "small_cnn" else part for part in case.arguments))


def _graph(which: str) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        folder = str(place.good.exports / "saved_model" / "1")
        return Case(("graph", which, folder, str(place.good.run), str(place.rng.randrange(2**31))))

    return make


KINDS: dict[str, Callable[[Place], Case]] = {
    "data sets: shards": _data(lambda path: "tfrecord" in path.name),
    "data sets: metadata": _data(lambda path: "tfrecord" not in path.name),
    "data sets: JPEGs in records": _jpeg,
    "runs: settings and labels": _run(lambda path: path.name in ("config.json", "labels.json")),
    "runs: vocabularies": _run(lambda path: path.name == "vocabulary.txt"),
    "runs: weights": _run(lambda path: path.name == "model.keras"),
    "runs: examples and history": _run(lambda path: "examples" in path.parts or path.name == "history.csv"),
    "exports: SavedModel": _export("saved_model"),
    "exports: TFLite": _export("tflite"),
    "backbones of strangers": _backbone,
    "requests: shapes and numbers": _graph("shapes"),
    "requests: JPEGs": _graph("jpegs"),
    "requests: texts": _graph("texts"),
}
