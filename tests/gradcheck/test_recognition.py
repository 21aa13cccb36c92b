"""What a forward pass computes is found out in any layout, and nothing is seen where it is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scratchnet import gradcheck
from scratchnet.gradcheck.recognition import recognise
from scratchnet.gradcheck.subject import Subject


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Forward(Subject):
    """A forward pass alone."""

    def __init__(self, function, arrays, wrt, parameters):
        super().__init__("f", arrays, wrt, parameters)
        self.function = function

    def run(self, arrays):
        return {"y": self.function(**arrays)}


def lstm(order, out_in=False, axes=(0, 1, 2), joint="", candidate=np.tanh, sizes=(2, 3, 4, 2)):
    """Return a subject that is an LSTM, its gates in this order."""
    B, T, D, H = sizes
    rng = np.random.default_rng([sum(sizes), *map(ord, order)])
    back = np.argsort(axes)

    def forward(x, W, U, b):
        x = x.transpose(back)
        if out_in:
            W, U = W.T, U.T
        h, c, hs = np.zeros((B, H)), np.zeros((B, H)), []
        for t in range(T):
            if joint:
                a = np.hstack([h, x[:, t]] if joint == "hx" else [x[:, t], h]) @ W + b
            else:
                a = x[:, t] @ W + h @ U + b
            gate = {k: a[:, n * H : (n + 1) * H] for n, k in enumerate(order)}
            c = sigmoid(gate["f"]) * c + sigmoid(gate["i"]) * candidate(gate["g"])
            h = sigmoid(gate["o"]) * np.tanh(c)
            hs.append(h)
        return np.stack(hs, axis=1).transpose(axes)

    arrays = {"x": rng.normal(size=(B, T, D)).transpose(axes)}
    rows = D + H if joint else D
    arrays["W"] = rng.normal(size=(4 * H, rows) if out_in else (rows, 4 * H)) * 0.5
    arrays["U"] = rng.normal(size=(4 * H, H) if out_in else (H, 4 * H)) * 0.5
    arrays["b"] = rng.normal(size=4 * H) * 0.5
    if joint:
        del arrays["U"]
        whole = forward
        forward = lambda x, W, b: whole(x, W.T if out_in else W, None, b)  # noqa: E731
        if out_in:
            forward = lambda x, W, b: _joint(whole, x, W, b)  # noqa: E731
    names = tuple(arrays)
    return Forward(forward, arrays, names, names[1:])


def _joint(whole, x, W, b):
    return whole(x, W, np.zeros((1, 1)), b)


@pytest.mark.parametrize("order", ["".join(o) for o in itertools.permutations("ifgo")][::4])
@pytest.mark.parametrize("out_in", [False, True])
def test_gate_orders_and_layouts(order, out_in):
    found = recognise(lstm(order, out_in), np.random.default_rng(0))
    assert found is not None
    assert found.kind == "lstm"
    assert f"gates in the order {', '.join(order)}" in found.notes
    assert f"weights are ({'out, in' if out_in else 'in, out'})" in found.notes


@pytest.mark.parametrize(
    "sizes", [(1, 3, 4, 2), (2, 3, 3, 3), (3, 1, 2, 4), (1, 2, 1, 1), (4,) * 4]
)
@pytest.mark.parametrize("joint", ["", "hx", "xh"])
def test_sizes_that_look_alike(sizes, joint):
    found = recognise(lstm("figo", joint=joint, sizes=sizes), np.random.default_rng(0))
    assert found is not None
    assert found.kind == "lstm"
    if joint:
        assert f"one matrix over [{', '.join(joint)}]" in found.notes


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_orders_of_axes(axes):
    subject = lstm("ofig", axes=axes)
    found = recognise(subject, np.random.default_rng(0))
    assert found is not None
    x = found.canonical(subject.arrays)["x"]
    np.testing.assert_array_equal(x, subject.arrays["x"].transpose(np.argsort(axes)))


@pytest.mark.parametrize("candidate", [sigmoid, lambda a: np.maximum(a, 0), lambda a: a])
def test_what_is_nearly_an_lstm_is_none(candidate):
    assert recognise(lstm("ifgo", candidate=candidate), np.random.default_rng(0)) is None


def test_the_gradients_of_an_arrangement_are_those_of_the_code():
    subject = lstm("ogfi", out_in=True, axes=(1, 0, 2))
    found = recognise(subject, np.random.default_rng(0))
    built = found.build(found.canonical(subject.arrays))
    d = np.random.default_rng(1).normal(size=(3, 2, 2))
    ours = built.gradients(found.upstream({"y": d}))
    for name in subject.wrt:
        gradient = found.gradient(ours, name, subject.arrays[name])
        step = 1e-6 * np.random.default_rng(2).normal(size=gradient.shape)
        above = subject.run({**subject.arrays, name: subject.arrays[name] + step})["y"]
        below = subject.run({**subject.arrays, name: subject.arrays[name] - step})["y"]
        assert np.isclose(np.sum(gradient * step), np.sum(d * (above - below)) / 2, rtol=1e-6)


class NearlyTanh:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W, self.U = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))

    def forward(self, x):
        self.h = [np.zeros((len(x), 3))]
        self.x = x
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.W + 2 * self.h[-1] @ self.U))
        return np.stack(self.h[1:], axis=1)

    def backward(self, dy):
        self.dW, self.dU = np.zeros_like(self.W), np.zeros_like(self.U)
        dx, dh = np.zeros_like(self.x), 0
        for t in reversed(range(dy.shape[1])):
            da = (dy[:, t] + dh) * (1 - self.h[t + 1] ** 2)
            self.dW += self.x[:, t].T @ da
            self.dU += 2 * self.h[t].T @ da
            dx[:, t], dh = da @ self.W.T, 2 * da @ self.U.T
        return dx


def test_a_forward_pass_that_is_not_what_it_is_said_to_be():
    assert gradcheck.check_class(NearlyTanh, (2, 3, 4)).ok
    report = gradcheck.check_class(NearlyTanh, (2, 3, 4), like="SimpleRNN")
    assert [f.id for f in report.findings] == ["forward-differs"]
    assert report.status == 1
