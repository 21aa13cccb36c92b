"""A gradient that fades over hundreds of steps: dropped where no sum can see it, and only there."""

import numpy as np
import pytest

from scratchnet.kernels import sweep
from scratchnet.layers import GRU, LSTM, SimpleRNN
from tests.helpers import assert_agrees
from tests.kernels.dividing import divided

B, T, D, H = 3, 400, 4, 5


def run(cell, dtype="float32", scale=1.0, masked=False, d_state=True, **options):
    """Gradients of a layer whose last step alone is seen, by name."""
    layer = cell(H, dtype=dtype, **options)
    layer.build((B, T, D))
    rng = np.random.default_rng(5)
    layer.set_weights([0.3 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    x = rng.standard_normal((B, T, D))
    mask = np.arange(T) >= np.array([[0], [150], [T - 3]]) if masked else None
    y = layer.forward(x, training=True, mask=mask)
    dy = scale * rng.standard_normal(y.shape)
    ends = [scale * rng.standard_normal(y.shape) for _ in layer.state_names]
    dx = layer.backward(dy, d_state=tuple(ends) if d_state else None)
    first = {f"d_initial_state {i}": d for i, d in enumerate(layer.d_initial_state)}
    return {"dx": dx, **layer.grads, **first}


every_cell = pytest.mark.parametrize("cell", [LSTM, GRU, SimpleRNN])
in_chunks = pytest.mark.parametrize("steps", [None, 7])
"""A gradient may fade in the middle of a chunk, or where one ends."""


@every_cell
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
@in_chunks
def test_sums_are_those_of_the_page(cell, masked, scale, steps):
    with divided(steps):
        fast = run(cell, scale=scale, masked=masked)
    page = run(cell, scale=scale, masked=masked, page=True)
    for name in ("dx", "kernel", "recurrent_kernel", "bias"):
        assert np.abs(page[name]).max() > 1e-3 * scale
        assert_agrees(fast[name], page[name], 1e-5, name)


@every_cell
@pytest.mark.parametrize("masked", [False, True])
def test_no_number_is_left_that_a_processor_is_slow_with(cell, masked, monkeypatch):
    smallest = np.finfo("float32").tiny

    def subnormal(found):
        return sum(((abs(a) > 0) & (abs(a) < smallest)).sum() for a in found.values())

    assert subnormal(run(cell, masked=masked)) == 0
    monkeypatch.setattr(sweep, "FADED", 0.0)
    assert subnormal(run(cell, masked=masked)) > 0


@every_cell
def test_float64_keeps_every_number(cell):
    fast, page = run(cell, "float64"), run(cell, "float64", page=True)
    for name, reference in page.items():
        assert np.abs(reference).max() > 0
        assert_agrees(fast[name], reference, 1e-12, name)


@every_cell
def test_a_gradient_of_zeros_is_answered_with_zeros(cell):
    run(cell)
    found = run(cell, scale=0.0)
    assert all(not array.any() for array in found.values())


@every_cell
@in_chunks
def test_what_an_earlier_pass_left_does_not_come_back(cell, steps):
    """Memory is used again: what belongs to steps before nothing was left is set to zero."""
    with divided(steps):
        assert_nothing_comes_back(cell)


def assert_nothing_comes_back(cell):
    layer = cell(H)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((B, T, D)).astype("float32")
    layer.build(x.shape)
    layer.set_weights([0.3 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    layer.return_sequences = True
    y = layer.forward(x, training=True)
    assert np.abs(layer.backward(rng.standard_normal(y.shape))[:, :50]).max() > 1e-3
    layer.return_sequences = False
    y = layer.forward(x, training=True)
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy)
    assert not dx[:, :50].any()
    assert np.abs(dx[:, -1]).max() > 1e-3
    page = cell(H, page=True)
    page.build(x.shape)
    page.set_weights(layer.get_weights())
    page.forward(x, training=True)
    page.backward(dy)
    for key, gradient in page.grads.items():
        assert_agrees(layer.grads[key], gradient, 1e-5, key)


@every_cell
def test_a_row_that_is_not_finite_harms_no_other(cell):
    layer = cell(H)
    x = np.random.default_rng(3).standard_normal((B, T, D)).astype("float32")
    y = layer.forward(x, training=True)
    dy = np.ones_like(y)
    expected = layer.backward(dy)
    dy[1, 2] = np.nan
    layer.forward(x, training=True)
    dx = layer.backward(dy)
    assert np.isnan(dx[1]).any()
    for row in (0, 2):
        assert_agrees(dx[row], expected[row], 1e-5)


@every_cell
def test_gradients_of_very_different_samples_are_not_rounded_alike(cell):
    """A sample counts for 1e-20 of another: its own rows are still right to float32's digits."""
    layer, page = cell(H), cell(H, page=True)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((B, 6, D)).astype("float32")
    for one in (layer, page):
        one.build(x.shape)
    page.set_weights(layer.get_weights())
    dy = rng.standard_normal((B, H)).astype("float32") * np.array([[1.0], [1e-20], [1.0]], "f4")
    found = []
    for one in (layer, page):
        one.forward(x, training=True)
        found.append(one.backward(dy)[1])
    assert_agrees(*found, 1e-5)


@every_cell
@in_chunks
def test_each_part_of_a_batch_fades_by_itself(cell, steps):
    """Of two parts, one has next to no gradient, and the other a large one, or none has any."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((64, 60, D)).astype("float32")
    layer, page = cell(H), cell(H, page=True)
    for one in (layer, page):
        one.build(x.shape)
    layer.set_weights([0.3 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    page.set_weights(layer.get_weights())
    for scales in ((1, 0), (0, 1), (1e-15, 1), (0, 0)):
        dy = rng.standard_normal((64, H)) * np.repeat(scales, 32)[:, None]
        found = []
        with divided(steps):
            for one in (layer, page):
                one.forward(x, training=True)
                found.append([one.backward(dy), *one.d_initial_state, *one.grads.values()])
        for array, reference in zip(*found, strict=True):
            assert_agrees(array, reference, 1e-5)
        assert found[0][0].any() == any(scales)


@every_cell
def test_a_sequence_whose_end_has_no_gradient(cell):
    """Nothing has faded there: it comes in further to the left."""
    found = []
    rng = np.random.default_rng(6)
    x = rng.standard_normal((B, 20, D)).astype("float32")
    dy = rng.standard_normal((B, 20, H)).astype("float32")
    dy[:, 9:] = 0
    for page in (False, True):
        layer = cell(H, return_sequences=True, page=page)
        layer.build(x.shape)
        layer.set_weights(
            [np.linspace(-1, 1, w.size).reshape(w.shape) for w in layer.get_weights()]
        )
        layer.forward(x, training=True)
        found.append([layer.backward(dy), *layer.grads.values()])
    for actual, reference in zip(*found, strict=True):
        assert np.abs(reference).max() > 1e-3
        assert_agrees(actual, reference, 1e-5)


@every_cell
@pytest.mark.parametrize("chunk", [1, 3, 8, 16])
def test_it_may_fade_anywhere_in_a_chunk(cell, chunk, monkeypatch):
    monkeypatch.setattr(sweep, "CHUNK", chunk * B * H)
    fast, page = run(cell), run(cell, page=True)
    for name in ("dx", "kernel", "recurrent_kernel", "bias"):
        assert_agrees(fast[name], page[name], 1e-5, name)


@every_cell
def test_an_empty_batch_has_nothing_to_fade(cell):
    layer = cell(H)
    y = layer.forward(np.zeros((0, 6, D), "float32"), training=True)
    assert layer.backward(y).shape == (0, 6, D)
    assert not layer.grads["kernel"].any()
