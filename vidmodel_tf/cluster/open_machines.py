"""The machines that an argument `cluster` means."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from vidmodel_tf.cluster.cluster import Cluster
from vidmodel_tf.machines import Machines, ThisMachine


@contextlib.contextmanager
def open_machines(cluster: str | None) -> Iterator[Machines]:
    """Gives this machine, or a cluster, which is left when the block ends.

    Args:
        cluster: The address of a Ray cluster; None: this machine.

    Raises:
        InputError: There is no such cluster.
    """
    if cluster is None:
        yield ThisMachine()
        return
    with open_cluster(cluster) as machines:
        yield machines


@contextlib.contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Gives a cluster, which is left when the block ends; a line on standard error says how large it is.

    Raises:
        InputError: There is no such cluster.
    """
    cluster = Cluster(address)
    try:
        print(f"cluster {address}: nodes {cluster.num_nodes}, cores {cluster.num_cores}", file=sys.stderr, flush=True)
        yield cluster
    finally:
        cluster.close()
