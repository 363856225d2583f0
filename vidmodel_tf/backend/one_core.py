"""A process that computes on one core and no GPU, as one of many that train small models at once."""

from __future__ import annotations

import os

import keras


def use_one_core() -> None:
    """Keeps TensorFlow and the backend of Keras to one thread and off the GPU; call it before either computes."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_platforms", "cpu")
        os.environ["NPROC"] = "1"  # the size of XLA's thread pool
