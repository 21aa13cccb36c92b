"""No right gradient is called wrong: every style, dtype and size."""

from __future__ import annotations

import numpy as np
import pytest

from scratchnet import gradcheck
from scratchnet.gradcheck.loading import load
from scratchnet.gradcheck.report import WRONG
from tests.planted_bugs.learners.library import CODES

pytestmark = pytest.mark.slow

CASES = 500
SHARES = 5


def random_sizes(code, rng):
    """Return sizes from 1 to 64 for every letter of a code's shapes, seldom many large ones."""
    return {
        letter: int(min(64, 1 + rng.exponential(64 if rng.random() < 0.03 else 4)))
        for letter in code.sizes
    }


def report_of(code, seed):
    if code.style == "class":
        arguments = {k: v for k, v in code.arguments.items() if k != "like"}
        return gradcheck.check_class(code.load(), seed=seed, **arguments)
    forward, backward = load(code.target)
    rng = np.random.default_rng(seed)
    arrays = {name: rng.standard_normal(shape) for name, shape in code.shapes.items()}
    for name, (shape, below) in code.arguments.get("ids", {}).items():
        arrays[name] = rng.integers(below, size=shape)
    return gradcheck.check_function(forward, backward, seed=seed, **arrays)


@pytest.mark.parametrize("key", CODES)
def test_right_code_is_called_right(key):
    code = CODES[key]
    report = gradcheck.check_file(code.target, **code.arguments)
    assert report.ok, str(report)
    assert report.findings == []


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_no_right_code_is_called_wrong(share):
    """500 random cases: a code, sizes, numbers."""
    rng = np.random.default_rng([7, share])
    keys = list(CODES)
    for seed in range(share * CASES // SHARES, (share + 1) * CASES // SHARES):
        code = CODES[keys[int(rng.integers(len(keys)))]]
        code = code.at(**random_sizes(code, rng))
        report = report_of(code, seed)
        assert report.verdict != WRONG, f"{code.key} {code.sizes} seed {seed}\n{report}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(3))
def test_our_layers_are_called_right(dtype, seed):
    from scratchnet.layers import GRU, LSTM, Dense, SimpleRNN

    for layer in (LSTM(3, return_sequences=True, dtype=dtype), GRU(2, dtype=dtype)):
        assert gradcheck.check_layer(layer, (2, 5, 4), seed=seed, keras=False).ok
    assert gradcheck.check_layer(SimpleRNN(7, dtype=dtype), (1, 3, 1), seed=seed, keras=False).ok
    assert gradcheck.check_layer(Dense(5, "relu", dtype=dtype), (4, 3), seed=seed, keras=False).ok
