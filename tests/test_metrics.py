"""Metrics over several batches against Keras's, their names, and what they refuse."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src import backend
from keras.src.trainers.compile_utils import get_metric

from keras_impl.parity.oracle import keras_floats
from scratchnet import metrics
from scratchnet.errors import InputError
from tests.helpers import FORWARD_TOLERANCE, assert_agrees
from tests.strict_array import to_strict

DTYPES = ["float64", "float32"]


class Case(NamedTuple):
    """A metric with arguments, and the kind of targets it is for."""

    name: str
    targets: str
    arguments: dict[str, Any] = {}  # noqa: RUF012  (never written to)

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.arguments.items())])

    def ours(self) -> metrics.Metric:
        return getattr(metrics, self.name)(**self.arguments)

    def keras(self) -> keras.metrics.Metric:
        return getattr(keras.metrics, self.name)(**self.arguments)


CASES = [
    Case("BinaryAccuracy", "bits"),
    Case("BinaryAccuracy", "bits", {"threshold": 0.25}),
    Case("CategoricalAccuracy", "one_hot"),
    Case("SparseCategoricalAccuracy", "labels"),
    Case("MeanSquaredError", "numbers"),
    Case("MeanAbsoluteError", "numbers"),
    Case("Precision", "bits"),
    Case("Precision", "bits", {"thresholds": 0.75}),
    Case("Recall", "bits"),
    Case("Recall", "bits", {"thresholds": 0.75}),
]


def make_batches(targets, rng, shape, dtype, batches=3):
    """Return batches of different sizes, so that a mean of means would be wrong."""
    for extra in range(batches):
        shape_now = (shape[0] + 2 * extra, *shape[1:])
        y_pred = rng.uniform(0, 1, shape_now).astype(dtype)
        if targets == "bits":
            y_true = rng.integers(0, 2, shape_now).astype(dtype)
        elif targets == "one_hot":
            y_true = np.eye(shape[-1], dtype=dtype)[rng.integers(0, shape[-1], shape_now[:-1])]
        elif targets == "labels":
            y_true = rng.integers(0, shape[-1], shape_now[:-1])
        else:
            y_true = rng.uniform(0, 1, shape_now).astype(dtype)
        yield y_true, y_pred


def compare(case, batches, dtype, weigh=None, mask_of=None):
    """Update both with every batch; compare after each."""
    metric = case.ours()
    assert metric.result() == 0
    with keras_floats(dtype):
        twin = case.keras()
        for y_true, y_pred in batches:
            weights = None if weigh is None else weigh(y_pred).astype(dtype)
            mask = None if mask_of is None else mask_of(y_pred)
            metric.update(y_true, y_pred, weights, mask)
            predictions = tf.constant(y_pred)
            if mask is not None:
                backend.set_keras_mask(predictions, tf.constant(mask))
            twin.update_state(y_true, predictions, sample_weight=weights)
            assert isinstance(metric.result(), float)
            expected = float(twin.result())
            assert 0 < expected < 1
            assert_agrees(metric.result(), expected, FORWARD_TOLERANCE[dtype])
    metric.reset()
    assert metric.result() == 0
    metric.update(y_true, y_pred)
    alone = case.ours()
    alone.update(y_true, y_pred)
    assert metric.result() == alone.result()


@pytest.fixture
def rng():
    return np.random.default_rng(20240515)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(11, 1), (7, 3), (5, 4, 3)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_several_batches(case, shape, weighted, dtype, rng):
    if shape[-1] == 1 and case.targets in ("one_hot", "labels"):
        shape = (11, 2)
    weigh = (lambda y: rng.uniform(0.1, 2, len(y))) if weighted else None
    if len(shape) == 3 and case.name in ("Precision", "Recall"):
        weigh = (lambda y: rng.uniform(0.1, 2, y.shape[:2])) if weighted else None
    compare(case, make_batches(case.targets, rng, shape, dtype), dtype, weigh)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_of_time_steps(case, rng):
    batches = make_batches(case.targets, rng, (5, 4, 3), "float64")
    compare(case, batches, "float64", lambda y: rng.uniform(0.1, 2, y.shape[:2]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in "Precision Recall"], ids=str
)
def test_masked_time_steps(case, weighted, rng):
    compare(
        case,
        make_batches(case.targets, rng, (5, 4, 3), "float64"),
        "float64",
        (lambda y: rng.uniform(0.1, 2, y.shape[:2])) if weighted else None,
        lambda y: rng.random(y.shape[:2]) > 0.4,
    )


@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_masked_steps_are_no_positives(name, rng):
    """Keras's two overlook masks; here what is masked does not count."""
    ((y_true, y_pred),) = make_batches("bits", rng, (5, 4, 1), "float64", batches=1)
    mask = rng.random((5, 4)) > 0.4
    masked, left = getattr(metrics, name)(), getattr(metrics, name)()
    masked.update(y_true, y_pred, mask=mask)
    left.update(y_true[mask], y_pred[mask])
    assert 0 < masked.result() < 1
    assert_agrees(masked.result(), left.result(), 1e-15)


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((23,), (23, 1)), ((23, 1), (23,)), ((23,), (23,))], ids=str
)
@pytest.mark.parametrize("name", ["BinaryAccuracy", "Precision", "Recall", "MeanSquaredError"])
def test_ranks_that_differ_by_a_last_axis_of_one(name, true_shape, pred_shape, rng):
    y_true = rng.integers(0, 2, true_shape).astype(float)
    compare(Case(name, ""), [(y_true, rng.uniform(0, 1, pred_shape))], "float64")


@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_no_positives_is_zero(name):
    metric = getattr(metrics, name)()
    metric.update([0, 0, 1, 1], [0.2, 0.1, 0.4, 0.3], sample_weight=[1, 1, 0, 0])
    assert metric.result() == 0


def test_a_prediction_at_the_threshold_is_negative():
    metric = metrics.BinaryAccuracy()
    metric.update([0, 0, 0, 1], [0.5, 0.5, 0.5, 0.5])
    assert metric.result() == 0.75
    assert metrics.confusion_matrix([0, 1], [0.5, 0.5]).tolist() == [[1, 0], [1, 0]]


def test_labels_beyond_float32_are_told_apart():
    y_pred = np.zeros((1, 2**24 + 2), np.float32)
    y_pred[0, 2**24] = 1
    metric = metrics.SparseCategoricalAccuracy()
    metric.update([2**24 + 1], y_pred)  # 2**24 in float32
    assert metric.result() == 0


def test_confusion_matrix_counts():
    y_true = np.array([0, 0, 0, 0, 1, 1, 1, 0, 1, 1])
    y_pred = np.array([0.1, 0.2, 0.9, 0.4, 0.8, 0.3, 0.6, 0.45, 0.7, 0.95])
    assert metrics.confusion_matrix(y_true, y_pred).tolist() == [[4, 1], [1, 4]]
    assert metrics.confusion_matrix(y_true, y_pred[:, None], 0.35).tolist() == [[2, 3], [1, 4]]
    assert metrics.confusion_matrix(y_true, y_pred, threshold=0.99).tolist() == [[5, 0], [5, 0]]


SHAPES = [((9,), (9, 1)), ((9, 1), (9, 1)), ((9,), (9, 3)), ((9, 1), (9, 3)), ((9, 3), (9, 3))]
SHAPES += [((9, 4), (9, 4, 3)), ((9, 4, 3), (9, 4, 3)), ((9, 4, 1), (9, 4, 1))]


@pytest.mark.parametrize("identifier", ["accuracy", "acc", "Accuracy"])
@pytest.mark.parametrize(("true_shape", "pred_shape"), SHAPES, ids=str)
def test_accuracy_is_chosen_by_shapes_as_keras_does(identifier, true_shape, pred_shape):
    y_true, y_pred = np.zeros(true_shape), np.zeros(pred_shape)
    metric, twin = metrics.get(identifier, y_true, y_pred), get_metric(identifier, y_true, y_pred)
    assert type(metric).__name__ == type(twin).__name__
    assert metric.name == twin.name == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        *("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "precision"),
        *("recall", "mean_squared_error", "mean_absolute_error", "mse", "MSE", "mae", "MAE"),
        *("BinaryAccuracy", "Precision", "Recall", "MeanSquaredError"),
    ],
)
def test_names_that_keras_resolves(identifier):
    ones = np.ones((3, 1))
    metric, twin = metrics.get(identifier, ones, ones), get_metric(identifier, ones, ones)
    assert type(metric).__name__ == type(twin).__name__
    assert metric.name == twin.name == identifier


def test_a_metric_passes_through_get():
    metric = metrics.Recall(thresholds=0.3, name="found")
    assert metrics.get(metric, np.ones(2), np.ones(2)) is metric
    assert metric.name == "found"
    assert metrics.BinaryAccuracy().name == "binary_accuracy"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_runs_where_its_arrays_are(case, rng):
    ((y_true, y_pred),) = make_batches(case.targets, rng, (5, 4, 3), "float64", batches=1)
    weights, mask = rng.uniform(1, 2, 5), rng.random((5, 4)) > 0.3
    here, there = case.ours(), case.ours()
    for given in ((None, None), (weights, mask)):
        here.update(y_true, y_pred, *given)
        strict = [None if array is None else to_strict(array) for array in given]
        there.update(to_strict(y_true), to_strict(y_pred), *strict)
    assert here.result() == there.result()


# Errors

ONES = np.ones((4, 3))


@pytest.mark.parametrize("identifier", ["precison", None, 7])
def test_unknown_names_are_refused(identifier):
    with pytest.raises(InputError, match="Metric: expected") as raised:
        metrics.get(identifier, ONES, ONES)
    if identifier == "precison":
        assert "Did you mean precision" in str(raised.value)


@pytest.mark.parametrize(
    ("metric", "arguments", "message"),
    [
        (
            metrics.BinaryAccuracy(),
            (np.ones((4, 1)), ONES),
            r"y_pred's shape \(4, 3\), got \(4, 1\)",
        ),
        (metrics.Precision(), (np.ones(4), ONES), r"Precision: expected y_true .* got \(4,\)"),
        (metrics.MeanSquaredError(), (np.ones((3, 3)), ONES), r"got \(3, 3\)\. Reshape"),
        (metrics.SparseCategoricalAccuracy(), (ONES, ONES), r"of shape \(4,\), one label"),
        (metrics.CategoricalAccuracy(), (ONES, ONES, np.ones(3)), r"sample_weight of shape \(4,\)"),
        (
            metrics.Recall(),
            (ONES, ONES, None, np.ones((3, 3))),
            r"mask of shape \(4, 3\) or of its",
        ),
        (metrics.Recall(), (ONES, "text"), r"Recall: expected y_pred to be a numeric array"),
    ],
)
def test_what_does_not_fit_is_refused(metric, arguments, message):
    with pytest.raises(InputError, match=message) as raised:
        metric.update(*arguments)
    assert "\n" not in str(raised.value)


def test_confusion_matrix_refuses_other_shapes():
    with pytest.raises(InputError, match="confusion_matrix: expected y_true"):
        metrics.confusion_matrix(np.ones(3), np.ones(4))
