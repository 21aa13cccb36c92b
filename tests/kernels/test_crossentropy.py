"""The cross-entropies that come with gradient and probabilities, held equal to the page's."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scratchnet import losses
from scratchnet.backend import to_host
from scratchnet.equations import losses as page
from scratchnet.equations.activations import sigmoid, softmax
from scratchnet.kernels import crossentropy as kernels
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.strict_array import to_strict

ACTIVATION = {"binary": sigmoid, "categorical": softmax, "sparse_categorical": softmax}
KINDS = pytest.mark.parametrize("kind", ACTIVATION)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
LOSS = {
    "binary": losses.BinaryCrossentropy,
    "categorical": losses.CategoricalCrossentropy,
    "sparse_categorical": losses.SparseCategoricalCrossentropy,
}


def data(kind, shape, dtype, seed=0, scale=3.0):
    """Return dvalues, targets and logits."""
    rng = np.random.default_rng(seed)
    logits = (scale * rng.standard_normal(shape)).astype(dtype)
    if kind == "sparse_categorical":
        y_true = rng.integers(0, shape[-1], shape[:-1])
    elif kind == "categorical":
        y_true = rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(dtype)
    else:
        y_true = rng.uniform(size=shape).astype(dtype)
    return rng.standard_normal(shape[:-1]).astype(dtype), y_true, logits


def assert_equals_page(kind, dvalues, y_true, logits):
    name, dtype = f"{kind}_crossentropy_with_logits", logits.dtype.name
    kept = [array.copy() for array in (dvalues, y_true, logits)]
    values, dlogits, p = getattr(kernels, name)(dvalues, y_true, logits)
    for array, before in zip((dvalues, y_true, logits), kept, strict=True):
        np.testing.assert_array_equal(array, before)  # nothing that is given is written to
    assert values.dtype == dlogits.dtype == p.dtype == logits.dtype
    assert_agrees(values, getattr(page, name)(y_true, logits), FORWARD_TOLERANCE[dtype])
    dx = getattr(page, f"{name}_backward")(dvalues, y_true, logits)
    assert_agrees(dlogits, dx, GRADIENT_TOLERANCE[dtype])
    np.testing.assert_array_equal(p, ACTIVATION[kind](logits))
    return dx


@KINDS
@DTYPES
@pytest.mark.parametrize("shape", [(1, 2), (7, 5), (3, 4, 11), (13, 997)], ids=str)
def test_equals_the_page(kind, dtype, shape):
    assert_not_negligible(assert_equals_page(kind, *data(kind, shape, dtype)), 1e-3)


@DTYPES
def test_one_output_equals_the_page(dtype):
    assert_not_negligible(assert_equals_page("binary", *data("binary", (10, 1), dtype)))


@KINDS
@DTYPES
@pytest.mark.parametrize("scale", [1e-7, 40.0, 1e4])
def test_extreme_logits_equal_the_page(kind, dtype, scale):
    assert_not_negligible(assert_equals_page(kind, *data(kind, (9, 6), dtype, scale=scale)))


@KINDS
def test_logits_of_0_equal_the_page(kind):
    dvalues, y_true, logits = data(kind, (4, 3), "float64")
    assert_not_negligible(assert_equals_page(kind, dvalues, y_true, 0 * logits))


@given(
    st.sampled_from(sorted(ACTIVATION)),
    st.sampled_from(["float32", "float64"]),
    st.lists(st.integers(1, 6), min_size=2, max_size=3),
    st.integers(0, 2**32),
    st.sampled_from([0.1, 1.0, 30.0]),
)
@example("sparse_categorical", "float32", [1, 1], 0, 1.0)
def test_any_shape_equals_the_page(kind, dtype, shape, seed, scale):
    dvalues, y_true, logits = data(kind, tuple(shape), dtype, seed, scale)
    name = f"{kind}_crossentropy_with_logits"
    values, dlogits, p = getattr(kernels, name)(dvalues, y_true, logits)
    close = {"rtol": 0, "atol": 1e-12 if dtype == "float64" else 1e-4}  # p - y may be near 0
    np.testing.assert_allclose(values, getattr(page, name)(y_true, logits), **close)
    dx = getattr(page, f"{name}_backward")(dvalues, y_true, logits)
    np.testing.assert_allclose(dlogits, dx, **close)
    np.testing.assert_array_equal(p, ACTIVATION[kind](logits))


@KINDS
def test_runs_where_the_arrays_are(kind):
    given = data(kind, (5, 4), "float64")
    function = getattr(kernels, f"{kind}_crossentropy_with_logits")
    found = function(*map(to_strict, given))
    for array, expected in zip(found, function(*given), strict=True):
        np.testing.assert_array_equal(to_host(array), expected)


def test_probabilities_that_nobody_wants_are_not_made():
    found = kernels.sparse_categorical_crossentropy_with_logits(
        *data("sparse_categorical", (5, 4), "float64"), wants_p=False
    )
    expected = kernels.sparse_categorical_crossentropy_with_logits(
        *data("sparse_categorical", (5, 4), "float64")
    )
    assert found[2] is None
    for array, same in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(array, same)


# The losses that call them


@KINDS
@DTYPES
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighed", ["", "weight", "mask", "weight mask"])
def test_a_loss_says_the_same_with_and_without_its_output(kind, dtype, reduction, weighed):
    _, y_true, logits = data(kind, (6, 4, 3), dtype)
    rng = np.random.default_rng(1)
    arguments = {
        "sample_weight": rng.uniform(0.2, 3, (6, 4)) if "weight" in weighed else None,
        "mask": rng.uniform(size=(6, 4)) > 0.4 if "mask" in weighed else None,
    }
    loss = LOSS[kind](from_logits=True, reduction=reduction)
    value, dlogits, output = loss.value_gradient_and_output(y_true, logits, **arguments)
    expected, dx = loss.value_and_gradient(y_true, logits, **arguments)
    assert_not_negligible(dx, 1e-3)
    assert_agrees(value, expected, FORWARD_TOLERANCE[dtype])
    assert_agrees(dlogits, dx, GRADIENT_TOLERANCE[dtype])
    np.testing.assert_array_equal(output, ACTIVATION[kind](logits))
    assert loss.value_gradient_and_output(y_true, logits, wants_output=False)[2] is None


@pytest.mark.parametrize("kind", ["binary", "categorical"])
@pytest.mark.parametrize("options", [{"label_smoothing": 0.3}, {"axis": 1}], ids=str)
def test_smoothed_labels_and_other_axes(kind, options):
    _, y_true, logits = data(kind, (4, 5, 3), "float64")
    loss = LOSS[kind](from_logits=True, **options)
    value, dlogits, output = loss.value_gradient_and_output(y_true, logits)
    expected, dx = loss.value_and_gradient(y_true, logits)
    assert_agrees(value, expected, 1e-12)
    assert_agrees(dlogits, dx, 1e-12)
    assert (output is None) == ("axis" in options)


def test_ignored_samples_count_nothing_whatever_their_logits():
    _, y_true, logits = data("sparse_categorical", (8, 5), "float64")
    y_true[[1, 4]], logits[4] = -1, np.nan
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    value, dlogits, output = loss.value_gradient_and_output(y_true, logits)
    expected, dx = loss.value_and_gradient(y_true, logits)
    assert_agrees(value, expected, 1e-12)
    assert_agrees(dlogits, dx, 1e-12)
    assert not dlogits[[1, 4]].any()
    assert output is None


def test_labels_as_a_column_are_labels():
    _, y_true, logits = data("sparse_categorical", (8, 5), "float64")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    column, flat = (
        loss.value_gradient_and_output(labels, logits) for labels in (y_true[:, None], y_true)
    )
    for array, same in zip(column, flat, strict=True):
        np.testing.assert_array_equal(array, same)
    value, dlogits, output = losses.BinaryCrossentropy(True).value_gradient_and_output(
        np.array([1.0, 0.0, 1.0])[:, None], np.array([0.3, -2.0, 1.0])
    )
    assert dlogits.shape == output.shape == (3,)
    assert value > 0


@pytest.mark.parametrize("count", ["1", "2", "3"])
@pytest.mark.parametrize("rows", [1, 3, 10])
def test_rows_divided_among_threads_have_the_same_bits(rows, count, monkeypatch):
    rng = np.random.default_rng(4)
    logits, labels = 5 * rng.standard_normal((rows, 7)), rng.integers(0, 7, rows)
    dvalues = rng.standard_normal(rows)
    arguments = (dvalues, labels, logits)
    expected = kernels.sparse_categorical_crossentropy_with_logits(*arguments)
    monkeypatch.setattr(kernels, "LARGE", 0)
    monkeypatch.setenv("SCRATCHNET_THREADS", count)
    found = kernels.sparse_categorical_crossentropy_with_logits(*arguments)
    for array, same in zip(expected, found, strict=True):
        assert np.abs(array).max() > 1e-3
        np.testing.assert_array_equal(array, same)
