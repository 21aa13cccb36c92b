"""Mistakes made on purpose: each says what it is, runs at any size, and spoils the gradients."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from scratchnet.gradcheck import references
from scratchnet.gradcheck.findings import TITLES
from scratchnet.gradcheck.mistakes import all_mistakes

pytestmark = pytest.mark.slow

SIZES = [(3, 3, 4, 2), (1, 1, 2, 2), (2, 2, 3, 3), (3, 4, 2, 5), (2, 1, 4, 3)]
"""B, T, D, H."""


def recurrent(gates, biases, states, rng, sizes, mask=False, projected=False):
    B, T, D, H = sizes
    arrays = {"x": rng.normal(size=(B, T, D))} | {s: rng.normal(size=(B, H)) for s in states}
    for gate in gates:
        arrays[f"Wx.{gate}"] = rng.normal(size=(D, H))
        arrays[f"Wh.{gate}"] = rng.normal(size=(H, H))
        arrays |= {f"{bias}.{gate}": rng.normal(size=H) for bias in biases}
    if mask:
        arrays["mask"] = rng.random((B, T)) < 0.5
        arrays["mask"][0, :1] = False
    if projected:
        arrays |= {"Wy": rng.normal(size=(H, 3)), "by": rng.normal(size=3)}
    return arrays


def lstm(rng, sizes, **more):
    return references.lstm(recurrent("ifgo", ["b"], ["h0", "c0"], rng, sizes, **more))


def rnn(rng, sizes, **more):
    return references.simple_rnn(recurrent([""], ["b"], ["h0"], rng, sizes, **more))


def gru(rng, sizes, reset_after=True, z_keeps=True):
    arrays = recurrent("zrn", ["bx", "bh"], ["h0"], rng, sizes)
    return references.gru(arrays, reset_after, z_keeps)


def dense(rng, sizes, activations=("tanh", "softmax"), loss=""):
    B, O, D, H = sizes  # noqa: E741
    O += 1  # noqa: E741 - a softmax over one output is constant
    arrays = {"x": rng.normal(size=(B, D)), "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H)}
    arrays |= {"W2": rng.normal(size=(H, O)), "b2": rng.normal(size=O)}
    arrays["target"] = rng.integers(O, size=B) if "entropy" in loss else rng.normal(size=(B, O))
    return references.dense_chain(arrays, activations, loss)


def embedding(rng, sizes):
    W = rng.normal(size=(4, sizes[3]))
    return references.embedding({"W": W, "ids": rng.integers(4, size=(3, 5))})


CASES = {
    "lstm": lstm,
    "masked lstm": functools.partial(lstm, mask=True),
    "rnn": rnn,
    "projected rnn": functools.partial(rnn, projected=True),
    "gru": gru,
    "gru, reset before": functools.partial(gru, reset_after=False),
    "gru, 1 - z keeps": functools.partial(gru, z_keeps=False),
    "dense": dense,
    "dense, relu and loss": functools.partial(
        dense, activations=("relu", "sigmoid"), loss="mean squared error"
    ),
    "dense, cross-entropy": functools.partial(dense, loss="mean cross-entropy"),
    "embedding": embedding,
}


def upstream_of(built, rng):
    """Return random gradients of the outputs, of the last states too."""
    d = {name: rng.normal(size=np.shape(y)) for name, y in built.values().items()}
    for state in "hc":
        if f"{state}s" in d:
            d[state] = rng.normal(size=d[f"{state}s"][:, -1].shape)
    return d


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_every_mistake_runs_and_leaves_the_graph_as_it_was(name, sizes):
    rng = np.random.default_rng(0)
    built = CASES[name](rng, sizes)
    d = upstream_of(built, rng)
    before = {key: array.copy() for key, array in built.gradients(d).items()}
    mistakes = list(all_mistakes(built))
    assert len(mistakes) >= (2 if name == "embedding" else 12)
    for mistake in mistakes:
        assert mistake.id in TITLES
        assert mistake.explanation.endswith((".", ")"))
        assert mistake.equation
        wrong = mistake.apply(built, d)
        for key, array in before.items():
            if key in wrong:
                assert np.shape(wrong[key]) == array.shape, (mistake.explanation, key)
                assert np.isfinite(wrong[key]).all()
    after = built.gradients(d)
    for key, array in before.items():
        np.testing.assert_array_equal(after[key], array)


@pytest.mark.parametrize("name", CASES)
def test_no_mistake_gives_the_right_gradients(name):
    """In a generic case: all sizes above 1 and different, every gradient of every output."""
    rng = np.random.default_rng(1)
    built = CASES[name](rng, (4, 3, 3, 2))
    d = upstream_of(built, rng)
    right = built.gradients(d)
    harmless = []
    for mistake in all_mistakes(built):
        wrong = mistake.apply(built, d)
        if all(np.allclose(wrong[key], right[key], rtol=1e-9, atol=1e-12) for key in right):
            harmless.append(f"{mistake.id}: {mistake.explanation}")
    assert not harmless, "\n".join(harmless)
