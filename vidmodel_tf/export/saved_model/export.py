"""A run folder -> a version of a SavedModel that TF Serving loads, with nothing but TensorFlow."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.place import check_place
from vidmodel_tf.export.saved_model.describe import describe_signatures
from vidmodel_tf.export.saved_model.graph import InferenceGraph
from vidmodel_tf.export.saved_model.ops import check_portable
from vidmodel_tf.export.saved_model.signatures import ServedModel
from vidmodel_tf.export.saved_model.warmup import write_warmup_requests
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.integrity import write_sums
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import load_run, write_settings
from vidmodel_tf.storage import write_json


def export_saved_model(run_dir: str | Path, out: str | Path) -> Path:
    """Writes the next version of a model for TF Serving.

    The folder of a version appears only when it is whole, so a server that watches `out` never sees half of one.

    Args:
        run_dir: A run folder.
        out: The folder of the model's versions, `saved_models/NAME`; made if missing.

    Returns:
        The folder of the new version, `OUT/VERSION`, with the signatures of `signatures.py` beside this file.

    Raises:
        InputError: There is no finished run, or `out` is no place for it.
        VidmodelError: The graph holds an op that would tie it to this machine.
    """
    return write_saved_model(TrainedRun(load_run(run_dir)), out).path


def write_saved_model(trained: TrainedRun, out: str | Path) -> Exported:
    """Writes what `export_saved_model` does, of a run that is open already."""
    out = Path(out)
    check_place(out)
    served = ServedModel(trained.run, InferenceGraph(trained.parts))
    signatures = served.signatures()
    partial = out / "partial"  # a server reads folders whose names are numbers
    shutil.rmtree(partial, ignore_errors=True)
    try:
        tf.saved_model.save(served, str(partial), signatures=signatures)
        check_portable(partial)
        _forget_random_id(partial)
        _write_extras(partial, served, out.resolve().name, sorted(signatures))
        write_sums(partial, layout.CONTENT_OF_VERSION)
        version = out / str(1 + max(layout.versions_in(out), default=0))
        partial.rename(version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Exported(version, version)


def _forget_random_id(path: Path) -> None:
    """Two exports of one model are told apart by nothing else in the fingerprint, and TensorFlow reads it without."""
    file = path / "fingerprint.pb"
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(file.read_bytes())
    fingerprint.ClearField("uuid")  # pyright: ignore[reportArgumentType] (the types are of an older TensorFlow)
    file.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _write_extras(path: Path, served: ServedModel, model_name: str, signature_names: list[str]) -> None:
    run = served.run
    write_settings(dataclasses.replace(run, path=path / layout.EXPORTED_RUN))
    write_json(path / layout.SIGNATURES, describe_signatures(path, run))
    write_warmup_requests(path / layout.WARMUP_REQUESTS, run, model_name, signature_names, served.graph.num_features)
