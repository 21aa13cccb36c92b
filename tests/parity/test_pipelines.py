"""The data as Keras gets it: the same batches in the same order, windows never copied whole."""

import numpy as np
import pytest
import tensorflow as tf

from keras_impl import pipelines
from keras_impl.pipelines import batches_in_order, training_batches
from scratchnet.experiments import language, wisconsin
from scratchnet.experiments.language import Settings

TEXT = "in the beginning was the word, and the word was with us; the end. " * 3


def text_problem(dtype="float32", epochs=2, **settings):
    """A small text, and a small network for it."""
    chosen = {"window": 8, "units": 4, "batch_size": 15, "samples": 0, **settings}
    return language.problem("text", TEXT, Settings(**chosen), 3, dtype, epochs)


def in_numpy(dataset):
    return [(x.numpy(), y.numpy()) for x, y in dataset]


@pytest.mark.parametrize("make", [text_problem, lambda: wisconsin.problem(epochs=2)])
def test_the_batches_are_those_of_scratchnet(make):
    problem = make()
    found = in_numpy(training_batches(problem))
    expected = [rows for epoch in range(2) for rows in problem.batches(epoch)]
    assert len(found) == len(expected)
    assert len(expected[-1]) < problem.batch_size  # the last one is smaller
    for (x, y), rows in zip(found, expected, strict=True):
        for array, whole in ((x, problem.x_train), (y, problem.y_train)):
            dtype = "float32" if whole.dtype.kind == "f" else whole.dtype
            np.testing.assert_array_equal(array, whole[rows].astype(dtype), strict=True)


@pytest.mark.parametrize(("epoch", "batch"), [(0, 2), (1, 0), (1, 3)])
def test_from_any_batch_on(epoch, batch):
    problem = text_problem()
    whole = in_numpy(training_batches(problem))
    rest = in_numpy(training_batches(problem, epoch, batch))
    steps = len(problem.batches(0))
    assert len(rest) == len(whole) - epoch * steps - batch > 0
    for got, expected in zip(rest, whole[-len(rest) :], strict=True):
        np.testing.assert_array_equal(got[0], expected[0])
        np.testing.assert_array_equal(got[1], expected[1])


def test_what_is_evaluated_comes_in_order():
    problem = text_problem(validation=0.3)
    x, y = problem.validation
    found = in_numpy(batches_in_order(x, y, 7, "float32"))
    np.testing.assert_array_equal(np.concatenate([a for a, _ in found]), x)
    np.testing.assert_array_equal(np.concatenate([b for _, b in found]), y)


table = np.random.default_rng(2).normal(size=(50, 9))
ids = np.random.default_rng(3).integers(0, 57, 1003).astype("int32")
windows = np.lib.stride_tricks.sliding_window_view(ids, 40)
ARRAYS = {
    "windows": (windows[:-1:3], 1000),
    "some windows": (windows[5:20], 54),
    "targets": (ids[40::3], 961),
    "table": (table, 450),
    "its columns": (table[:, 2:5], 49 * 9 + 3),
    "columns first": (np.asfortranarray(table), 450),
    "backwards": (table[::-1], 450),
    "every other column": (table[:, ::2], 250),
    "three axes": (table.reshape(5, 10, 9), 450),
    "three axes, turned": (table.reshape(5, 10, 9).transpose(2, 0, 1), 450),
    "one row again and again": (np.broadcast_to(ids[:7], (9, 7)), 7),
    "one row": (ids[None, :7], 7),
    "yes or no": (ids > 30, 1003),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_rows_of_any_array_are_gathered_from_one_that_is_no_larger(name):
    array, size = ARRAYS[name]
    flat, _ = pipelines._flat(array)
    assert flat.shape == (size,)
    rows = np.random.default_rng(4).integers(0, len(array), 13)
    found = pipelines._gatherer(array, "float64")(tf.constant(rows)).numpy()
    np.testing.assert_array_equal(found, array[rows], strict=True)


def test_windows_are_never_copied_whole():
    """Neither here nor in what TensorFlow is given."""
    problem = text_problem()
    given = []
    real = tf.constant

    def constant(value, *arguments):
        given.append(np.asarray(value).nbytes)
        return real(value, *arguments)

    pipelines.tf.constant, before = constant, pipelines.tf.constant
    try:
        training_batches(problem)
    finally:
        pipelines.tf.constant = before
    assert max(given) < problem.x_train.size * problem.x_train.itemsize / 2
