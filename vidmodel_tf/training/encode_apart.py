"""The feature cache of a run that several machines train, encoded by all of them."""

from __future__ import annotations

from collections.abc import Callable

import keras

from vidmodel_tf.backend.hosts import Hosts
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.training.build_stage import fill_caches
from vidmodel_tf.training.plan import plan_stages


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
