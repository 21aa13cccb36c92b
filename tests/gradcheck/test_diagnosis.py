"""What a diagnosis says: the patterns, behaviour, two mistakes, two explanations, none."""

from __future__ import annotations

import numpy as np
import pytest

from scratchnet import gradcheck
from scratchnet.gradcheck.diagnosis.transforms import close, factor_name, negligible, transforms

pytestmark = pytest.mark.slow

SIZES = {"batch size": 3, "number of time steps": 7}


def found(ours, right, parameter=None):
    return [t.id for t in transforms(ours, right, parameter, SIZES, 1e-9)]


def test_transforms_of_random_arrays():
    rng = np.random.default_rng(0)
    right, W = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    assert found(0 * right, right) == ["all-zero"]
    assert found(-right, right) == ["wrong-sign"]
    assert found(right / 3, right) == ["constant-factor"]
    assert found(right.T, right) == ["transposed"]
    assert found(right + W, right, W) == ["plus-parameter"]
    assert found(np.roll(right, 2, axis=1), right) == ["gates-swapped"] * 2
    assert found(right + rng.normal(size=right.shape), right, W) == []
    assert found(right, right) == []


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / 3, "0.333333 (1 / batch size)"),
        (7.0, "7 (the number of time steps)"),
        (1 / 21, "0.047619 (1 / (batch size × number of time steps))"),
        (2.0, "2"),
        (0.77, "0.77"),
    ],
)
def test_factors_are_named_after_what_they_may_be(factor, words):
    assert factor_name(factor, SIZES) == words


def test_entries_that_are_not_known_are_not_compared():
    a, b = np.array([1.0, 2.0]), np.array([1.0, np.nan])
    assert close(a, b, 1e-9)
    assert not close(a, np.array([1.1, np.nan]), 1e-9)
    assert negligible(np.array([np.nan, 0.0]), [a])
    assert not negligible(b, [a])


RNN = """
import numpy as np


class RNN:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.params = {"W": rng.normal(size=(4, 3)), "U": rng.normal(size=(3, 3)), "b": np.zeros(3)}

    def forward(self, x):
        p, self.x = self.params, x
        self.h = [np.zeros((len(x), 3))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ p["W"] + self.h[t] @ p["U"] + p["b"]))
        return np.stack(self.h[1:], axis=1)

    def backward(self, dy):
        p = self.params
        self.grads = {k: np.zeros_like(v) for k, v in p.items()}
        dx = np.zeros_like(self.x)
        dh = np.zeros((len(dy), 3))
        for t in reversed(range(dy.shape[1])):
            dh = dh + dy[:, t]
            da = dh * (1 - self.h[t + 1] ** 2)
            self.grads["W"] += self.x[:, t].T @ da
            self.grads["U"] += self.h[t].T @ da
            self.grads["b"] += da.sum(axis=0)
            dx[:, t] = da @ p["W"].T
            dh = da @ p["U"].T
        return dx
"""


def report(tmp_path, *changes, shape=(3, 5, 4)):
    source = RNN
    for right, wrong in changes:
        assert source.count(right) == 1
        source = source.replace(right, wrong)
    (tmp_path / "mine.py").write_text(source)
    return gradcheck.check_file(f"{tmp_path / 'mine.py'}:RNN", input_shape=shape)


def line_of(text):
    return next(k for k, line in enumerate(RNN.splitlines(), start=1) if text in line)


def test_right_code_gets_no_finding(tmp_path):
    assert report(tmp_path).findings == []


@pytest.mark.parametrize(
    ("right", "wrong", "id"),
    [
        ("dh * (1 - self.h[t + 1] ** 2)", "dh", "derivative-missing"),
        ("dh * (1 - self.h[t + 1] ** 2)", "dh * (1 - self.h[t] ** 2)", "wrong-operand"),
        ("dh * (1 - self.h[t + 1] ** 2)", "dh * (1 - self.h[t + 1]) ** 2", "derivative-of-another"),
        ("dh = dh + dy[:, t]", "dh = dy[:, t]", "recurrent-term-lost"),
        ('dh = da @ p["U"].T', 'dh = da @ p["U"]', "weights-transposed"),
        ('dh = da @ p["U"].T', 'dh = dh @ p["U"].T', "derivative-missing"),
        ("+= self.h[t].T @ da", "+= self.h[t + 1].T @ da", "state-unshifted"),
        ("+= self.h[t].T @ da", "+= self.h[t].T @ dh", "derivative-missing"),
        ('self.grads["b"] += da.sum(axis=0)', 'self.grads["b"] += da[0]', "bias-axis"),
    ],
)
def test_the_mistake_and_its_line(tmp_path, right, wrong, id):
    first = report(tmp_path, (right, wrong)).findings[0]
    assert first.id == id
    assert first.line is not None
    assert first.line.number == line_of(right)
    assert "random cases" in first.evidence
    assert first.equation


def test_two_mistakes_at_once(tmp_path):
    changes = [("dh = dh + dy[:, t]", "dh = dy[:, t]")]
    changes.append(("+= da.sum(axis=0)", "-= da.sum(axis=0)"))
    ids = {f.id for f in report(tmp_path, *changes).findings}
    assert ids == {"recurrent-term-lost", "wrong-sign"}


def test_nothing_is_named_where_nothing_known_fits(tmp_path):
    noise = ("return dx", "return dx + 0.1 * np.sin(7 * dx)")
    (finding,) = report(tmp_path, noise).findings
    assert finding.id == "unnamed"
    assert finding.array == "x"


def test_a_gradient_that_is_trivially_right_for_one_step_says_nothing(tmp_path):
    """Of U for one step there is only 0, so that "right for one step" would mislead."""
    odd = ("+= self.h[t].T @ da", "+= self.h[t].T @ (da * np.cos(da))")
    (finding,) = report(tmp_path, odd).findings
    assert finding.id == "unnamed"


def test_the_smallest_case(tmp_path):
    found = report(tmp_path, ("+= self.h[t].T @ da", "+= self.h[t + 1].T @ da"))
    assert found.smallest.startswith("1 batch row and 1 time step: dU[")


def test_a_long_case_is_diagnosed_on_a_short_one(tmp_path):
    found = report(tmp_path, ("dh = dh + dy[:, t]", "dh = dy[:, t]"), shape=(20, 60, 4))
    assert found.findings[0].id == "recurrent-term-lost"
    assert found.findings[0].line.number == line_of("dh = dh + dy[:, t]")


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, (p,)


def test_square_weights_untransposed():
    """The way back through square weights, untransposed."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(4, 4))

    def backward(dy, cache):
        x, W = cache
        return dy @ W, x.T @ dy

    report = gradcheck.check_function(
        lambda x, W: (x @ W, (x, W)), backward, x=rng.normal(size=(3, 4)), W=W
    )
    assert report.findings[0].id == "weights-transposed"


def test_softmax_as_if_each_output_had_one_input():
    x = np.random.default_rng(0).normal(size=(3, 4))
    report = gradcheck.check_function(softmax, lambda dy, c: dy * c[0] * (1 - c[0]), x=x)
    assert [f.id for f in report.findings] == ["softmax-elementwise"]


def test_two_explanations_that_fit_are_both_shown():
    """Nothing comes back to x: its gradient is zero, and the one way back to it is left out."""

    def forward(x, w):
        return x @ w, (x, w)

    def backward(dy, cache):
        x, _ = cache
        return np.zeros_like(x), x.T @ dy

    x, w = np.random.default_rng(0).standard_normal((2, 4, 4))
    report = gradcheck.check_function(forward, backward, x[:3], w)
    (finding,) = report.findings
    assert finding.id == "all-zero"
    assert finding.alternatives == ("path-lost",)
    assert gradcheck.TITLES["path-lost"] in str(report)
