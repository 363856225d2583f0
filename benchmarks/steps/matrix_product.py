"""What the machine can do: a product of two matrices with as many operations as the work has in ResNet50."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from serve import serve
from work import Work

SIDE = 3072

work = Work.from_command_line()
matrix = tf.constant(np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32))
matrix = tf.cast(matrix, tf.dtypes.as_dtype(work.precision))
num_products, left = divmod(work.num_operations, 2 * SIDE**3)
num_columns = round(left / (2 * SIDE**2))  # of the last product, for what is less than a whole one


@tf.function
def step() -> tf.Tensor:
    product = matrix
    for _ in range(int(num_products)):
        product = tf.matmul(matrix, product)
    return product[0, 0] + tf.reduce_sum(tf.matmul(matrix, matrix[:, :num_columns])[0])


def run(number: int) -> None:
    for _ in range(number):
        step().numpy()


serve(run)
