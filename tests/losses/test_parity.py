"""Every loss and its gradient against Keras and the tape: reductions, weights, masks, ranks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_impl.parity.oracle import keras_floats
from scratchnet import losses
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.losses.cases import CASES, CLASSES, DTYPES, Case, keras_answer, make_data

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None]
SPARSE = Case("SparseCategoricalCrossentropy", "labels", {"from_logits": True})
SQUARED = Case("MeanSquaredError", "numbers")


def assert_matches_keras(case, y_true, y_pred, sample_weight=None, mask=None, **more):
    loss = case.ours(**more)
    value = loss(y_true, y_pred, sample_weight, mask)
    gradient = loss.gradient(y_true, y_pred, sample_weight, mask)
    expected, expected_gradient = keras_answer(case, y_true, y_pred, sample_weight, mask, **more)
    dtype = y_pred.dtype.name
    assert value.dtype == gradient.dtype == y_pred.dtype
    assert_not_negligible(expected, 1e-3)
    assert_not_negligible(expected_gradient, 1e-3)
    assert_agrees(value, expected, case.tolerance(FORWARD_TOLERANCE, dtype), "loss")
    assert_agrees(gradient, expected_gradient, GRADIENT_TOLERANCE[dtype], "gradient")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_and_gradient(case, reduction, weighted, dtype, rng):
    y_true, y_pred = make_data(case.data, rng, (11, CLASSES), dtype)
    weights = rng.uniform(0.1, 2, 11).astype(dtype) if weighted else None
    assert_matches_keras(case, y_true, y_pred, weights, reduction=reduction)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_masked_sequences(case, reduction, weighted, rng):
    y_true, y_pred = make_data(case.data, rng, (3, 7, CLASSES), "float64")
    weights = rng.uniform(0.1, 2, (3, 7)) if weighted else None
    mask = rng.random((3, 7)) > 0.4
    mask[1] = False
    assert_matches_keras(case, y_true, y_pred, weights, mask, reduction=reduction)
    gradient = case.ours(reduction=reduction).gradient(y_true, y_pred, weights, mask)
    assert not gradient[~mask].any()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_all_masked_is_zero(reduction, rng):
    y_true, y_pred = make_data("labels", rng, (3, 7, CLASSES), "float32")
    mask = np.zeros((3, 7), bool)
    expected, expected_gradient = keras_answer(
        SPARSE, y_true, y_pred, mask=mask, reduction=reduction
    )
    loss = SPARSE.ours(reduction=reduction)
    assert not np.any(expected)
    assert not expected_gradient.any()
    assert not np.any(loss(y_true, y_pred, mask=mask))
    assert not loss.gradient(y_true, y_pred, mask=mask).any()


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ignored_class_joins_the_mask(reduction, from_logits, rng):
    case = Case("SparseCategoricalCrossentropy", "", {"ignore_class": -1})
    kind = "labels" if from_logits else "labels_of_probabilities"
    y_true, y_pred = make_data(kind, rng, (4, 6, CLASSES), "float64")
    y_true[rng.random((4, 6)) < 0.4] = -1
    mask = rng.random((4, 6)) > 0.3
    weights = rng.uniform(0.1, 2, (4, 6))
    more = {"reduction": reduction, "from_logits": from_logits}
    assert_matches_keras(case, y_true, y_pred, **more)
    assert_matches_keras(case, y_true, y_pred, weights, mask, **more)


def test_ignored_predictions_may_be_anything(rng):
    y_true, y_pred = make_data("labels", rng, (5, CLASSES), "float64")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    y_true[:] = 1
    kept, kept_gradient = loss(y_true, y_pred), loss.gradient(y_true, y_pred)
    y_true = np.append(y_true, 0)
    y_pred = np.vstack([y_pred, np.full(CLASSES, np.nan)])
    assert loss(y_true, y_pred) == kept
    gradient = loss.gradient(y_true, y_pred)
    assert_agrees(gradient[:-1], kept_gradient, 0)
    assert not gradient[-1].any()


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"),
    [((9,), (9, 1)), ((9, 1), (9,)), ((9,), (9,)), ((4, 5), (4, 5, 1)), ((4, 5, 1), (4, 5))],
    ids=str,
)
@pytest.mark.parametrize(
    "case",
    [SQUARED, Case("BinaryCrossentropy", "bits", {"from_logits": True}), Case("Hinge", "signs")],
    ids=str,
)
def test_ranks_that_differ_by_a_last_axis_of_one(case, true_shape, pred_shape, rng):
    y_true, _ = make_data(case.data, rng, true_shape, "float64")
    _, y_pred = make_data(case.data, rng, pred_shape, "float64")
    assert_matches_keras(case, y_true, y_pred)
    assert_matches_keras(case, y_true, y_pred, reduction=None)


@pytest.mark.parametrize("label_type", [int, np.int32, np.uint8, np.float32, bool])
@pytest.mark.parametrize("trailing", [(), (1,)])
def test_labels_of_any_integer_type(label_type, trailing, rng):
    y_true, y_pred = make_data("labels", rng, (6, 2), "float64")
    y_true = y_true.reshape(6, *trailing).astype(label_type)
    assert_matches_keras(SPARSE, y_true, y_pred)


@pytest.mark.parametrize("shape", [(4, 1), (1, 6), (1, 1), ()], ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_that_broadcast(shape, reduction, rng):
    y_true, y_pred = make_data("numbers", rng, (4, 6, 3), "float64")
    weights = np.asarray(rng.uniform(0.5, 2, shape))
    assert_matches_keras(SQUARED, y_true, y_pred, weights, reduction=reduction)


def test_weights_may_have_a_last_axis_of_one(rng):
    y_true, y_pred = make_data("numbers", rng, (7, 3), "float64")
    weights = rng.uniform(0.5, 2, (7, 1))
    assert_matches_keras(SQUARED, y_true, y_pred, weights)
    assert SQUARED.ours(reduction=None)(y_true, y_pred, weights).shape == (7,)


def test_a_mask_that_broadcasts_counts_what_it_covers(rng):
    y_true, y_pred = make_data("numbers", rng, (4, 6, 3), "float64")
    mask = np.array([[True], [False], [True], [True]])
    whole = np.broadcast_to(mask, (4, 6))
    expected, _ = keras_answer(SQUARED, y_true, y_pred, mask=whole)
    assert_agrees(SQUARED.ours()(y_true, y_pred, mask=mask), expected, 1e-12)


def test_weights_that_sum_to_zero_divide_to_zero(rng):
    y_true, y_pred = make_data("numbers", rng, (2, 3), "float64")
    loss = SQUARED.ours(reduction="mean_with_sample_weight")
    expected, _ = keras_answer(
        SQUARED, y_true, y_pred, np.array([1.0, -1.0]), reduction="mean_with_sample_weight"
    )
    assert expected == loss(y_true, y_pred, [1.0, -1.0]) == 0
    assert not loss.gradient(y_true, y_pred, [1.0, -1.0]).any()


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize(
    "case",
    [
        Case("CosineSimilarity", "numbers"),
        Case("BinaryCrossentropy", "probabilities", {"label_smoothing": 0.2}),
        Case("CategoricalCrossentropy", "distributions"),
        Case("CategoricalCrossentropy", "one_hot", {"from_logits": True}),
    ],
    ids=str,
)
def test_axis(case, axis, rng):
    shape = np.array([3, 4, 5])
    axis_last = (*np.delete(shape, axis), shape[axis])
    y_true, y_pred = (
        np.moveaxis(array, -1, axis) for array in make_data(case.data, rng, axis_last, "float64")
    )
    weights = rng.uniform(0.1, 2, np.delete(shape, axis))
    assert_matches_keras(case, y_true, y_pred, weights, axis=axis)


@pytest.mark.filterwarnings("ignore:In loss categorical_crossentropy:SyntaxWarning")  # of 1 class
@settings(max_examples=60)
@given(
    case=st.sampled_from(CASES),
    shape=st.lists(st.integers(1, 7), min_size=2, max_size=3).map(tuple),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape(case, shape, dtype, seed):
    """As `test_value_and_gradient`, where a reference may be as small as it likes."""
    if "Sparse" in case.name:
        shape = (*shape, 3)  # Keras takes a last axis of 1 for one to squeeze
    y_true, y_pred = make_data(case.data, np.random.default_rng(seed), shape, dtype)
    expected, expected_gradient = keras_answer(case, y_true, y_pred)
    loss = case.ours()
    assert_close(loss(y_true, y_pred), expected, case.tolerance(FORWARD_TOLERANCE, dtype))
    assert_close(loss.gradient(y_true, y_pred), expected_gradient, GRADIENT_TOLERANCE[dtype])


def assert_close(actual, expected, tolerance):
    assert actual.shape == expected.shape
    allowed = tolerance * max(1, np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=0, atol=allowed)


THREE_OF_FIVE_WRONG = np.array([-60.0, -70.0, -64.95, 40.0, 50.0])
"""Logits of the right answer: p is 9e-27, 4e-31, 6e-29, 1 and 1."""


def through_keras(loss, y_true, activation, logits):
    """Keras's loss on the activation's output, which remembers its logits, and on its numbers."""
    with keras_floats("float64"):
        y_pred = activation(tf.constant(logits))
        return float(loss(y_true, y_pred)), float(loss(y_true, y_pred.numpy()))


@pytest.mark.parametrize(
    "name", ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"]
)
def test_logits_and_probabilities_of_the_same_numbers(name):
    """A loss called on probabilities clips those below 1e-8, which costs them their gradient."""
    loss, twin = getattr(losses, name)(), getattr(keras.losses, name)
    if name == "BinaryCrossentropy":
        logits, y_true = THREE_OF_FIVE_WRONG[:, None], np.ones((5, 1))
    else:
        logits = THREE_OF_FIVE_WRONG[:, None] * [1, 0]
        y_true = np.zeros(5, int) if name.startswith("Sparse") else np.eye(2)[np.zeros(5, int)]
    activation = getattr(keras.activations, loss.activation_with_logits)
    with keras_floats("float64"):
        p = activation(tf.constant(logits)).numpy()
        expected = through_keras(twin(), y_true, activation, logits)
    assert p.min() < 1e-8
    assert [round(value, 2) for value in expected] == [38.99, 9.67]
    assert_agrees(loss.on_logits()(y_true, logits), expected[0], 1e-12)
    assert_agrees(loss(y_true, p), expected[1], 1e-12)
    right = np.s_[:3, 0]
    assert not loss.gradient(y_true, p)[right].any()
    assert_agrees(loss.on_logits().gradient(y_true, logits)[right], np.full(3, -0.2), 1e-12)
