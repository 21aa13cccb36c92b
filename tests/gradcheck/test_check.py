"""From code to a verdict: right, wrong, cannot be checked; sizes, dtypes, odd code."""

from __future__ import annotations

import numpy as np
import pytest

from scratchnet import gradcheck, layers, losses
from scratchnet.gradcheck import numeric
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG
from scratchnet.model import Sequential

W = np.random.default_rng(0).normal(size=(4, 3))
KEPT = {"W": np.zeros((4, 3))}


def dense(x, W):
    return x @ W, (x, W)


def dense_backward(dy, cache):
    x, W = cache
    return dy @ W.T, x.T @ dy


def checked(forward, backward, x=None, **arrays):
    x = np.random.default_rng(1).normal(size=(5, 4)) if x is None else x
    return gradcheck.check_function(forward, backward, x=x, **arrays)


def ids(report):
    return [finding.id for finding in report.findings]


def test_right_is_0():
    report = checked(dense, dense_backward, W=W)
    assert (report.verdict, report.status, report.findings) == (RIGHT, 0, [])


def test_wrong_is_1():
    report = checked(dense, lambda dy, cache: (dy @ cache[1].T, 2 * cache[0].T @ dy), W=W)
    assert (report.verdict, report.status, ids(report)) == (WRONG, 1, ["constant-factor"])
    assert report.arrays == ["W"]
    assert report.smallest == "" or "dW" in report.smallest


def test_random_numbers_in_the_forward_pass_cannot_be_checked():
    def dropout(x, W):
        keep = np.random.rand(*x.shape) < 0.7  # noqa: NPY002
        return (x * keep) @ W, (x * keep, keep, W)

    def backward(dy, cache):
        x, keep, W = cache
        return dy @ W.T * keep, x.T @ dy

    report = checked(dropout, backward, W=W)
    assert (report.verdict, report.status, ids(report)) == (UNJUDGED, 2, ["not-repeatable"])
    assert "forward" in report.findings[0].explanation
    assert report.rows == []


def test_random_numbers_in_the_backward_pass_cannot_be_checked():
    def backward(dy, cache):
        return tuple(d + 1e-3 * np.random.rand() for d in dense_backward(dy, cache))  # noqa: NPY002

    report = checked(dense, backward, W=W)
    assert (report.status, ids(report)) == (2, ["not-repeatable"])
    assert "backward" in report.findings[0].explanation


class OwnGenerator:
    """Dropout from a generator of its own: every new object draws the same."""

    def __init__(self):
        self.rng = np.random.default_rng(3)

    def forward(self, x):
        self.keep = self.rng.random(x.shape) < 0.7
        return x * self.keep

    def backward(self, dy):
        return dy * self.keep


def test_a_generator_that_belongs_to_the_object_is_checked():
    assert gradcheck.check_class(OwnGenerator, (3, 4)).ok


def test_a_buffer_outside_the_code_is_stale():
    KEPT["W"][...] = 0

    def backward(dy, cache):
        x, W = cache
        KEPT["W"] += x.T @ dy
        return {"dx": dy @ W.T, "dW": KEPT["W"]}

    report = checked(dense, backward, W=W)
    assert (report.status, ids(report)) == (1, ["stale"])


class InPlace:
    def forward(self, x):
        x *= 2
        self.x = x
        return x**2

    def backward(self, dy):
        return 4 * self.x * dy


def test_a_forward_pass_that_writes_into_its_input_is_not_stale():
    assert gradcheck.check_class(InPlace, (3, 4)).ok


class SayingW:
    """Its ``return`` names W, and gives dx."""

    def __init__(self):
        self.w = W[:, 0].copy()

    def forward(self, x):
        self.x = x
        return float(np.sum(x @ self.w))

    def backward(self, dy):
        self.dw = self.x.sum(axis=0) * dy
        return np.broadcast_to(self.w, self.x.shape) * dy


def test_a_return_statement_that_names_another_array():
    report = gradcheck.check_class(SayingW, (5, 4))
    assert report.ok, str(report)
    assert {row.array for row in report.rows} == {"x", "w"}


@pytest.mark.parametrize(
    ("backward", "id"),
    [
        (lambda dy, c: {"dx": dy @ c[1].T}, "missing"),
        (lambda dy, c: {"dx": dy @ c[1].T, "dW": dy.T @ c[0]}, "wrong-shape"),
        (lambda dy, c: {"dx": dy @ c[1].T, "dW": c[0].T @ dy * np.nan}, "not-finite"),
    ],
)
def test_gradients_that_cannot_be_compared(backward, id):
    report = checked(dense, backward, W=W)
    assert (report.status, ids(report)) == (1, [id])
    assert report.findings[0].array == "W"


def relu(x):
    return np.maximum(x, 0), (x,)


def relu_backward(dy, cache):
    return dy * (cache[0] > 0)


def test_a_kink_is_not_judged_and_what_is_beside_it_is():
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert checked(relu, relu_backward, x).ok
    x[:] = 0
    report = checked(relu, relu_backward, x)
    assert (report.verdict, report.status) == (UNJUDGED, 2)
    assert "kink" in report.rows[0].reason


def test_a_step_has_the_derivative_0_where_it_has_one():
    x = np.random.default_rng(0).normal(size=(4, 3))

    def step(x):
        return (x > 0).astype(float), (x,)

    assert checked(step, lambda dy, cache: 0 * dy, x).ok
    assert checked(step, lambda dy, cache: dy, x).status == 1
    assert checked(step, lambda dy, cache: 0 * dy, 0 * x).status == 2


def test_saturation_is_never_called_wrong():
    def sigmoid(x):
        y = 1 / (1 + np.exp(-x))
        return y, y

    for scale in (1.0, 30.0, 300.0):
        x = scale * np.random.default_rng(0).normal(size=(4, 3))
        assert checked(sigmoid, lambda dy, y: dy * y * (1 - y), x).verdict != WRONG


def test_outputs_that_are_nan_cannot_be_judged():
    report = checked(lambda x: (np.sqrt(-np.abs(x)), x), lambda dy, x: dy)
    assert (report.verdict, report.status) == (UNJUDGED, 2)


def test_code_in_float32():
    def forward(x, W):
        x, W = x.astype(np.float32), W.astype(np.float32)
        return x @ W, (x, W)

    assert checked(forward, dense_backward, W=W).ok
    wrong = checked(forward, lambda dy, c: (dy @ c[1].T, -(c[0].T @ dy)), W=W)
    assert ids(wrong) == ["wrong-sign"]


def test_large_arrays_are_sampled():
    arrays = {"x": np.zeros((100, 200)), "W": np.zeros((200, 300)), "b": np.zeros(3)}
    outputs = {"y": np.zeros((100, 300))}
    assert numeric.affordable({"x": np.zeros(10)}, {}) == numeric.MOST_ENTRIES
    limit = numeric.affordable(arrays, outputs)
    assert numeric.FEWEST_ENTRIES <= limit < numeric.MOST_ENTRIES
    chosen, complete = numeric.choose(arrays, list(arrays), limit, np.random.default_rng(0))
    assert not complete
    assert len(chosen) < 2 * limit
    assert {name for name, _ in chosen} == set(arrays)


@pytest.mark.slow
def test_one_wrong_entry_of_a_large_array_is_seen():
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(40, 60)), rng.normal(size=(60, 80))

    def backward(dy, cache):
        dx, dW = dense_backward(dy, cache)
        dW[31, 47] += 1.0
        return dx, dW

    report = checked(dense, backward, x, W=W)
    assert (report.status, report.arrays) == (1, ["W"])
    assert checked(dense, dense_backward, x, W=W).ok


def test_layers_losses_and_models():
    layer = layers.Dense(3, "tanh", dtype="float64")
    assert gradcheck.check_layer(layer, (2, 4), keras=False).ok
    assert gradcheck.check_loss(losses.get("mse"), (3, 4), keras=False).ok
    model = Sequential([layers.Dense(3, "tanh", dtype="float64"), layers.Dense(2, dtype="float64")])
    assert gradcheck.check_model(model, (5, 4), loss="mse", keras=False).ok


def test_the_same_seed_gives_the_same_report():
    one, other = (checked(dense, dense_backward, W=W).to_dict() for _ in range(2))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}
