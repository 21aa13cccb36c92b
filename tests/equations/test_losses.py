"""Every loss on the page against Keras and the tape, central differences and its own extremes."""

import inspect
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_impl.parity.oracle import keras_floats
from scratchnet.backend import to_host
from scratchnet.equations import losses as page
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.losses.cases import DTYPES, make_data
from tests.strict_array import StrictArray, to_strict

EPSILON_32 = float(np.float32(1e-7))
"""Where Keras clips predictions for the mean squared logarithmic error, in float64 too."""


class Case(NamedTuple):
    """A loss on the page, Keras's function for it, and the data it is for."""

    name: str
    data: str
    settings: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    rounded: str = ""
    """The constant that Keras rounds to float32 even in float64; 1e-7 is agreement then."""

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.settings.items())])

    def forward(self, y_true, y_pred):
        return getattr(page, self.name)(y_true, y_pred, **self.settings)

    def backward(self, dvalues, y_true, y_pred):
        return getattr(page, f"{self.name}_backward")(dvalues, y_true, y_pred, **self.settings)

    def keras(self, y_true, y_pred, dvalues):
        """Return Keras's values and the tape's gradient from ``dvalues``."""
        name, _, logits = self.name.partition("_with_")
        settings = {**self.settings, **({"from_logits": True} if logits else {})}
        with keras_floats(y_pred.dtype.name), tf.GradientTape() as tape:
            predictions = tf.constant(y_pred)
            tape.watch(predictions)
            values = getattr(keras.losses, name)(tf.constant(y_true), predictions, **settings)
        gradient = tape.gradient(values, predictions, output_gradients=tf.constant(dvalues))
        return values.numpy(), gradient.numpy()


CASES = [
    Case("mean_squared_error", "numbers"),
    Case("mean_absolute_error", "numbers"),
    Case("mean_absolute_percentage_error", "numbers"),
    Case("mean_squared_logarithmic_error", "numbers"),
    Case("huber", "numbers"),
    Case("huber", "numbers", {"delta": 0.3}),
    Case("log_cosh", "numbers", rounded="log 2"),
    Case("cosine_similarity", "numbers"),
    Case("hinge", "signs"),
    Case("squared_hinge", "signs"),
    Case("categorical_hinge", "one_hot"),
    Case("kl_divergence", "distributions"),
    Case("poisson", "counts"),
    Case("binary_crossentropy", "probabilities"),
    Case("binary_crossentropy_with_logits", "bits"),
    Case("categorical_crossentropy", "distributions"),
    Case("categorical_crossentropy_with_logits", "one_hot"),
    Case("sparse_categorical_crossentropy", "labels_of_probabilities"),
    Case("sparse_categorical_crossentropy_with_logits", "labels"),
]

BY_NAME = {case.name: case for case in CASES}


@pytest.fixture
def rng():
    return np.random.default_rng(20240514)


def test_every_loss_on_the_page_is_here():
    functions = {name for name, _ in inspect.getmembers(page, inspect.isfunction)}
    forward = {name.removesuffix("_backward") for name in functions if name.endswith("_backward")}
    assert forward == set(BY_NAME)
    assert functions <= set(page.__all__)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 5), (3, 2, 5), (11, 2), (5,)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_keras(case, shape, dtype, rng):
    if case.name.startswith("sparse") and shape == (5,):
        shape = (1, 5)  # Keras wants a batch axis
    y_true, y_pred = make_data(case.data, rng, shape, dtype)
    dvalues = np.asarray(rng.standard_normal(shape[:-1]), dtype)
    expected, expected_gradient = case.keras(y_true, y_pred, dvalues)
    values = case.forward(y_true, y_pred)
    dy_pred = case.backward(dvalues, y_true, y_pred)
    assert values.dtype == dy_pred.dtype == dtype
    assert_not_negligible(expected, 1e-3)
    assert_not_negligible(expected_gradient, 1e-3)
    forward_tolerance = max(FORWARD_TOLERANCE[dtype], 1e-7 if case.rounded else 0)
    assert_agrees(values, expected, forward_tolerance, "values")
    assert_agrees(dy_pred, expected_gradient, GRADIENT_TOLERANCE[dtype], "dy_pred")


FLAT_WITH_ONE_OUTPUT = {
    "cosine_similarity",
    "categorical_crossentropy",
    "categorical_crossentropy_with_logits",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_with_logits",
}
"""A direction along a line and a share of one class are always 1."""


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 3), (3, 1)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_central_differences(case, shape, rng):
    y_true, y_pred = make_data(case.data, rng, shape, "float64")
    dvalues = rng.standard_normal(shape[:-1])
    if case.name == "categorical_crossentropy_with_logits":
        y_true = y_true + rng.uniform(0, 1, shape)  # the page's is right for any sum of labels
    numeric = central_differences(
        lambda x: np.sum(dvalues * case.forward(y_true, x)), y_pred, step=1e-6
    )
    dy_pred = case.backward(dvalues, y_true, y_pred)
    if not (shape[-1] == 1 and case.name in FLAT_WITH_ONE_OUTPUT):
        assert_not_negligible(numeric, 1e-2)
    assert np.abs(dy_pred - numeric).max() <= DIFFERENCES_TOLERANCE * max(1, np.abs(numeric).max())


KINKS = {
    "mean_absolute_error": ([1, 2, -3], [1, 2, -2]),
    "mean_absolute_percentage_error": ([0, 1, 1e-9], [0, 1, 1]),
    "mean_squared_logarithmic_error": ([1, 1, 2], [EPSILON_32, 0, -0.5]),
    "huber": ([0, 0, 0], [1, -1, 0]),
    "cosine_similarity": ([1, 2, 0], [0, 1e-8, 0]),
    "hinge": ([1, -1, 1], [1, -1, 2]),
    "squared_hinge": ([1, -1, 1], [1, -1, 2]),
    "categorical_hinge": ([1, 0, 0], [1.25, 0.25, 0.125]),
    "kl_divergence": ([0, 0.5, 1], [1e-7, 1, 0]),
    "binary_crossentropy": ([1, 0, 1, 1, 0], [1e-7, 1 - 1e-7, 0, 1, 1]),
    "categorical_crossentropy": ([0, 1, 0], [0, 0, 1]),
    "sparse_categorical_crossentropy": (1, [0, 1e-7, 1 - 1e-7, 1]),
}
"""Targets and predictions where a slope jumps or a clip begins."""

MORE_KINKS = [
    ("categorical_hinge", ([1, 0, 0, 0], [0.25, 0.5, 0.5, 0.25])),  # the best wrong class is tied
    ("categorical_hinge", ([1, 0, 0], [-0.5, 0, -0.25])),  # tied with the right one's 0
    ("categorical_hinge", ([1, 0, 0], [-0.5, -0.75, -0.25])),  # the right one's 0 is the best
    ("categorical_crossentropy", ([1, 0, 0], [1, 0, 0])),
    ("categorical_crossentropy", ([0.5, 0.5, 0], [1e-8, 0.5, 0.5])),
    ("cosine_similarity", ([1, 2, 0], [0, 0, 0])),
    ("cosine_similarity", ([0, 0, 0], [1, 2, 0])),
    ("kl_divergence", ([0.5, 0.5, 0], [2, 1e-9, 0.5])),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "kink"), [*KINKS.items(), *MORE_KINKS], ids=str)
def test_kinks_are_taken_as_tensorflow_takes_them(name, kink, dtype):
    case = BY_NAME[name]
    y_true, y_pred = np.array([kink[0]]), np.array([kink[1]], dtype)
    y_true = y_true.astype(int if case.data.startswith("labels") else dtype)
    dvalues = np.array([1.5], dtype)
    expected, expected_gradient = case.keras(y_true, y_pred, dvalues)
    assert_agrees(case.forward(y_true, y_pred), expected, FORWARD_TOLERANCE[dtype])
    dy_pred = case.backward(dvalues, y_true, y_pred)
    assert_agrees(dy_pred, expected_gradient, GRADIENT_TOLERANCE[dtype])
    assert np.array_equal(dy_pred == 0, expected_gradient == 0)


EXTREMES = np.array([-1e4, -1e3, -50, -EPSILON_32, 0, EPSILON_32, 50, 1e3, 1e4])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [case for case in CASES if case.data != "counts"], ids=str)
def test_extremes_neither_overflow_nor_warn(case, dtype, rng):
    """Targets 0 and 1, predictions up to ±1e4; a warning would fail the test."""
    y_true, _ = make_data(case.data, rng, (60, 3), dtype)
    if case.data not in ("labels", "labels_of_probabilities", "signs"):
        y_true = np.eye(3, dtype=dtype)[rng.integers(0, 3, 60)]
    y_pred = rng.choice(EXTREMES, (60, 3)).astype(dtype)
    if case.name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        y_pred = abs(y_pred) + dtype_epsilon(dtype)  # a sum of 0 has no probabilities
    dvalues = rng.standard_normal(60).astype(dtype)
    expected, expected_gradient = case.keras(y_true, y_pred, dvalues)
    values, dy_pred = case.forward(y_true, y_pred), case.backward(dvalues, y_true, y_pred)
    forward_tolerance = max(FORWARD_TOLERANCE[dtype], 1e-7 if case.rounded else 0)
    assert_agrees(values, expected, forward_tolerance)
    assert_agrees(dy_pred, expected_gradient, GRADIENT_TOLERANCE[dtype])
    assert np.isfinite(values).all()
    assert np.isfinite(dy_pred).all()


def dtype_epsilon(dtype):
    return np.finfo(dtype).eps


def test_poisson_of_extreme_counts(rng):
    y_true = rng.choice([0, 1, 1e4], (60, 3))
    y_pred = rng.choice([0, 1e-7, 1, 1e4], (60, 3))
    dvalues = rng.standard_normal(60)
    case = BY_NAME["poisson"]
    expected, expected_gradient = case.keras(y_true, y_pred, dvalues)
    assert_agrees(case.forward(y_true, y_pred), expected, 1e-12)
    assert_agrees(case.backward(dvalues, y_true, y_pred), expected_gradient, 1e-12)


def test_small_losses_of_logits_keep_their_digits():
    """The cost of a right answer with logit x is log(1 + exp(-x)), to the last digit or two."""
    x = np.array([10.0, 20.0, 30.0, 36.0])
    exact = np.log1p(np.exp(-x))
    np.testing.assert_allclose(
        page.binary_crossentropy_with_logits(np.ones((4, 1)), x[:, None]), exact, rtol=1e-15
    )
    np.testing.assert_allclose(
        page.binary_crossentropy_with_logits(np.zeros((4, 1)), -x[:, None]), exact, rtol=1e-15
    )


def test_labels_that_sum_to_zero_cost_nothing():
    """TensorFlow's gradient is the softmax even there; the derivative of 0 is 0."""
    zeros, logits = np.zeros((2, 3)), np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    assert not page.categorical_crossentropy_with_logits(zeros, logits).any()
    dlogits = page.categorical_crossentropy_with_logits_backward(np.ones(2), zeros, logits)
    assert not dlogits.any()


def test_binary_labels_become_signs_only_where_there_are_no_others():
    assert page.binary_labels_to_signs(np.array([0.0, 1.0, 0.0])).tolist() == [-1, 1, -1]
    assert page.binary_labels_to_signs(np.array([1.0, 1.0])).tolist() == [1, 1]
    assert page.binary_labels_to_signs(np.array([-1.0, 1.0, 0.0])).tolist() == [-1, 1, 0]


def test_smoothing_moves_labels_towards_the_middle():
    np.testing.assert_allclose(page.smooth_binary_labels(np.array([0.0, 1.0]), 0.2), [0.1, 0.9])
    np.testing.assert_allclose(
        page.smooth_categorical_labels(np.array([[0.0, 1.0, 0.0, 0.0]]), 0.2),
        [[0.05, 0.85, 0.05, 0.05]],
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_runs_where_its_arrays_are(case, rng):
    y_true, y_pred = make_data(case.data, rng, (6, 5), "float64")
    dvalues = rng.standard_normal(6)
    strict_true, strict_pred = to_strict(y_true), to_strict(y_pred)
    values = case.forward(strict_true, strict_pred)
    dy_pred = case.backward(to_strict(dvalues), strict_true, strict_pred)
    assert isinstance(values, StrictArray)
    assert isinstance(dy_pred, StrictArray)
    assert_agrees(to_host(values), case.forward(y_true, y_pred), 0)
    assert_agrees(to_host(dy_pred), case.backward(dvalues, y_true, y_pred), 0)
