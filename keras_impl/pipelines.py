"""A problem's data as ``tf.data``: rows are gathered batch by batch, nothing is copied whole.

A text's windows overlap in memory, and a table's rows stand one behind the other; both are rows
that start at equal distances in one flat tensor, which is held once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from scratchnet.backend import Array
from scratchnet.experiments.problem import Problem


def training_batches(problem: Problem, epoch: int = 0, batch: int = 0) -> tf.data.Dataset:
    """Return the batches of all epochs, from one of them on, in `Problem.batches`' order."""
    rows = _rows(problem, epoch, batch)
    return _gathered(rows, problem.x_train, problem.y_train, problem.dtype)


def shared_batches(
    problem: Problem, workers: int, index: int, epoch: int = 0, batch: int = 0
) -> tf.data.Dataset:
    """Return a worker's rows of the same batches, and what part of each batch they are.

    The shares are as equal as can be, and together they are the batch in its order.  A worker whose
    share is of no rows gets the batch's first, with part 0: networks do not take empty batches.
    """

    def own(rows: Any) -> tuple[Any, Any]:
        count = tf.size(rows)
        first, last = count * index // workers, count * (index + 1) // workers
        chosen = tf.cond(last > first, lambda: rows[first:last], lambda: rows[:1])
        return chosen, tf.cast((last - first) / count, problem.dtype)

    inputs, targets = (_gatherer(a, problem.dtype) for a in (problem.x_train, problem.y_train))
    shares = _rows(problem, epoch, batch).map(own)
    return shares.map(
        lambda rows, part: (inputs(rows), targets(rows), part), num_parallel_calls=tf.data.AUTOTUNE
    ).prefetch(tf.data.AUTOTUNE)


def batches_in_order(x: Array, y: Array, batch_size: int, dtype: str) -> tf.data.Dataset:
    """Return the batches of data that are evaluated."""
    return _gathered(tf.data.Dataset.range(len(x)).batch(batch_size), x, y, dtype)


def as_keras_takes_it(array: Array, dtype: str) -> Array:
    """Return floating-point numbers in the engine's dtype, and ids and labels as they are."""
    return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array


def _rows(problem: Problem, epoch: int, batch: int) -> tf.data.Dataset:
    """Return the numbers of each batch's rows: every epoch's order is decided by the seed alone."""

    def order(number: Any) -> Any:
        rows = tf.numpy_function(lambda n: np.concatenate(problem.batches(n)), [number], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(rows, [None]))

    epochs = tf.data.Dataset.range(epoch, problem.epochs)
    return epochs.flat_map(lambda number: order(number).batch(problem.batch_size)).skip(batch)


def _gathered(rows: tf.data.Dataset, x: Array, y: Array, dtype: str) -> tf.data.Dataset:
    inputs, targets = _gatherer(x, dtype), _gatherer(y, dtype)
    batches = rows.map(
        lambda chosen: (inputs(chosen), targets(chosen)), num_parallel_calls=tf.data.AUTOTUNE
    )
    return batches.prefetch(tf.data.AUTOTUNE)


def _gatherer(array: Array, dtype: str) -> Callable[[Any], Any]:
    """Return a function from row numbers (B,) to those rows (B, …) of an array."""
    array = as_keras_takes_it(array, dtype)
    flat, step = _flat(array)
    tensor, within = tf.constant(flat), tf.range(array[0].size, dtype=tf.int64)
    shape = (-1, *array.shape[1:])
    return lambda rows: tf.reshape(tf.gather(tensor, rows[:, None] * step + within), shape)


def _flat(array: Array) -> tuple[Array, int]:
    """Return the memory from an array's first number to its last, and how far rows are apart."""
    distance, size = array.strides[0], array.itemsize
    if distance < 0 or distance % size or not array[0].flags.c_contiguous:
        return _flat(np.ascontiguousarray(array))
    step = distance // size
    length = (len(array) - 1) * step + array[0].size
    return np.lib.stride_tricks.as_strided(array, (length,), (size,), writeable=False), step
