"""Every loss with its options, weights and masks: on a device what it is on the host."""

import numpy as np
import pytest

from scratchnet import losses, metrics
from scratchnet.backend import to_host
from scratchnet.queued import Queue, queued
from tests.device.places import assert_close
from tests.helpers import DEVICE_TOLERANCE
from tests.layers.cases import every_dtype
from tests.losses.cases import CASES, CLASSES, make_data

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", None)
WEIGHTS = {"plain": (False, False), "weighted-and-masked": (True, True)}
every_loss = pytest.mark.parametrize("case", CASES, ids=str)


def test_there_is_a_case_for_every_loss():
    assert {case.name for case in CASES} == set(losses.__all__) - {"Loss", "get"}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def given(case, rng, dtype, weighted=True, masked=True, shape=(4, 3, CLASSES)):
    """Return targets, predictions, weights and mask, which leaves some rows."""
    y_true, y_pred = make_data(case.data, rng, shape, dtype)
    weight = rng.uniform(0.5, 2, shape[:-1]).astype(dtype) if weighted else None
    mask = rng.random(shape[:-1]) < 0.7 if masked else None
    if masked:
        mask[0, 0] = True
    return y_true, y_pred, weight, mask


@every_loss
@every_dtype
@pytest.mark.parametrize("how", WEIGHTS)
def test_every_reduction(case, dtype, how, rng, place):
    data = given(case, rng, dtype, *WEIGHTS[how])
    there = place.put(*data)
    for reduction in REDUCTIONS:
        loss = case.ours(reduction=reduction)
        assert_close(loss(*there), np.asarray(loss(*data)), f"{reduction}")
        assert_close(loss.gradient(*there), loss.gradient(*data), f"{reduction}")


@every_loss
@every_dtype
@pytest.mark.parametrize("how", WEIGHTS)
def test_within_a_step_nobody_looks(case, dtype, how, rng, place):
    data = given(case, rng, dtype, *WEIGHTS[how])
    there = place.put(*data)
    for reduction in REDUCTIONS[:3]:
        loss = case.ours(reduction=reduction)
        expected, dy_pred = loss.value_and_gradient(*data)
        with queued(Queue(place.xp)), place.no_waiting():
            found, slope = loss.value_and_gradient(*there)
        assert found.shape == ()
        assert float(found) == pytest.approx(float(expected), rel=DEVICE_TOLERANCE[dtype])
        assert_close(slope, dy_pred, f"{reduction}")


@every_loss
def test_where_nothing_counts(case, rng, place):
    data = given(case, rng, "float64")
    for weight, mask in ((0, True), (1, False)):
        nothing = (*data[:2], data[2] * weight, data[3] & mask)
        loss = case.ours()
        expected, dy_pred = loss.value_and_gradient(*nothing)
        with queued(Queue(place.xp)), place.no_waiting():
            found, slope = loss.value_and_gradient(*place.put(*nothing))
        assert float(found) == float(expected)
        np.testing.assert_array_equal(to_host(slope), dy_pred)


METRICS = [
    metrics.BinaryAccuracy(), metrics.CategoricalAccuracy(), metrics.SparseCategoricalAccuracy(),
    metrics.MeanSquaredError(), metrics.MeanAbsoluteError(), metrics.Precision(), metrics.Recall(),
]  # fmt: skip


def test_there_is_a_case_for_every_metric():
    defined = {
        kind.__name__
        for kind in vars(metrics).values()
        if isinstance(kind, type) and kind.__module__ == metrics.__name__
    }
    bases = {"Metric", "MeanMetric", "_ShareOfPositives"}
    assert {type(metric).__name__ for metric in METRICS} == defined - bases


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
@every_dtype
def test_every_metric(metric, dtype, rng, place):
    y_pred = rng.random((4, 3, CLASSES)).astype(dtype)
    name, y_true = type(metric).__name__, rng.integers(2, size=y_pred.shape)
    if "Categorical" in name:
        some = rng.random((4, 3)) < 0.6
        y_true = np.where(some, y_pred.argmax(axis=-1), rng.integers(CLASSES, size=some.shape))
        y_true = y_true if "Sparse" in name else np.eye(CLASSES, dtype="int64")[y_true]
    weight, mask = rng.random((4, 3)), rng.random((4, 3)) < 0.7
    for weights in ((None, None), (weight, None), (None, mask), (weight, mask)):
        found = []
        for put in (lambda value: value, place.put):
            metric.reset()
            for _ in range(2):
                metric.update(put(y_true), put(y_pred), *map(put, weights))
            found.append(metric.result())
        assert found[1] == pytest.approx(found[0], rel=DEVICE_TOLERANCE[dtype])
        assert found[0] > 0
