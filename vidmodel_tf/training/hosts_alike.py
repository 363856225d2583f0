"""Several machines that train one run: whether they do the same, and what each does apart beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable

import keras

from vidmodel_tf.backend.choose import chosen_backend
from vidmodel_tf.backend.hosts import Hosts
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run, settings_of
from vidmodel_tf.training.build_stage import fill_caches
from vidmodel_tf.training.machine import backend_version
from vidmodel_tf.training.plan import plan_stages
from vidmodel_tf.version import __version__


def check_alike(run: Run, hosts: Hosts) -> None:
    """Refuses machines that were called for different runs, or compute them by different versions.

    Args:
        run: What this machine is to train.
        hosts: The machines, which have joined; nobody goes on before all have come.

    Raises:
        InputError: They differ.
    """
    versions = {"vidmodel_tf": __version__, "keras": keras.version(), chosen_backend(): backend_version()}
    hosts.check_equal(json.dumps(versions), "versions of vidmodel_tf, Keras and JAX")
    settings = {**settings_of(run), "data": ""}  # where it lies may differ, and its fingerprint is there too
    state = [layout.is_finished(run.path), settings]
    hosts.check_equal(json.dumps(state, sort_keys=True), "data set, settings and run folder")


def check_sees_folder(run: Run, hosts: Hosts) -> None:
    """Refuses a machine that does not see what the first one has begun to write.

    Raises:
        InputError: The run folder is not on a file system that the machines share.
    """
    hosts.wait_for_all()
    if not layout.is_run_folder(run.path):
        raise InputError(
            f"{run.path}: expected a folder that all hosts share, which {hosts.addresses[0]} has begun to write. "
            f"Received: no such folder on {hosts.addresses[hosts.number]}"
        )


def encode_apart(run: Run, data: DataSet, build: Callable[[], keras.Model], hosts: Hosts) -> None:
    """Fills the feature cache, each machine its part of it.

    A model that is spread over all machines computes on all of them at once, and only on parts of one batch.

    Args:
        run: What is to be trained.
        data: Its data set.
        build: Builds the run's model with the weights of its backbone.
        hosts: The machines, which have joined.
    """
    if not any(stage.is_on_cnn for stage in plan_stages(run.config, refit=False)):
        return
    model, splits = build(), [split for split in ("train", "validation") if data.count(split)]
    fill_caches(run, data, model, splits, hosts=hosts)
    hosts.wait_for_all()
    fill_caches(run, data, model, splits)  # where the cache lies in a folder that is not shared
