"""Recurrent layers on a device: the plan of the page's step against the page itself."""

import itertools

import numpy as np
import pytest

from scratchnet.backend import to_host
from scratchnet.layers import GRU, LSTM, SimpleRNN
from scratchnet.layers.device_pass import DevicePass
from scratchnet.layers.page_sweep import PageSweep
from tests.helpers import assert_agrees, assert_not_negligible
from tests.strict_array import to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler

CELLS = {
    "LSTM": (LSTM, {}),
    "LSTM, hard sigmoid and relu": (
        LSTM,
        {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
    ),
    "GRU": (GRU, {}),
    "GRU, reset before": (GRU, {"reset_after": False}),
    "SimpleRNN": (SimpleRNN, {}),
    "SimpleRNN, gelu": (SimpleRNN, {"activation": "gelu"}),
}
B, T, D, H = 3, 4, 5, 2


def twins(cell, dtype="float64", **options):
    """Return a layer that runs the page on the host, and one of the same weights."""
    kind, settings = CELLS[cell]
    both = [kind(H, dtype=dtype, page=page, **settings, **options) for page in (True, None)]
    rng = np.random.default_rng(3)
    for layer in both:
        layer.build((B, T, D))
    both[0].set_weights([w + rng.normal(0, 0.3, w.shape) for w in both[0].get_weights()])
    both[1].set_weights(both[0].get_weights())
    return both


def moved(value):
    if value is None:
        return None
    return tuple(map(to_strict, value)) if isinstance(value, tuple) else to_strict(value)


def ran(layer, move, x, mask, states, dy, d_states):
    """Return everything a pass forward and back gives, as host arrays by name."""
    y, *last = layer.forward(move(x), True, move(mask), move(states))
    dx = layer.backward(move(dy), move(d_states))
    found = {"y": y, "dx": dx, **layer.grads}
    found |= {f"last {k}": state for k, state in enumerate(last)}
    found |= {f"d_initial_state {k}": d for k, d in enumerate(layer.d_initial_state)}
    return {name: to_host(array) for name, array in found.items()}


OPTIONS = list(itertools.product([False, True], repeat=4))


@pytest.mark.parametrize(
    ("sequences", "masked", "bias", "backwards"),
    OPTIONS,
    ids=["".join("yn"[not o] for o in options) for options in OPTIONS],
)
@pytest.mark.parametrize("cell", CELLS)
def test_every_option_agrees_with_the_page(cell, sequences, masked, bias, backwards):
    rng = np.random.default_rng(sequences + 2 * masked)
    layers = twins(
        cell,
        return_sequences=sequences,
        return_state=True,
        use_bias=bias,
        go_backwards=backwards,
        zero_output_for_mask=bias,
    )
    x = rng.normal(size=(B, T, D))
    mask = rng.random((B, T)) > 0.4 if masked else None
    states = tuple(rng.normal(size=(B, H)) for _ in layers[0].state_names)
    d_states = tuple(rng.normal(size=(B, H)) for _ in states)
    dy = rng.normal(size=(B, T, H) if sequences else (B, H))
    page = ran(layers[0], lambda value: value, x, mask, states, dy, d_states)
    device = ran(layers[1], moved, x, mask, states, dy, d_states)
    assert page.keys() == device.keys()
    for name, reference in page.items():
        assert_agrees(device[name], reference, 1e-12, name)
    assert_not_negligible(page["dx"])


@pytest.mark.parametrize("cell", CELLS)
def test_float32_stays_float32(cell):
    rng = np.random.default_rng(1)
    layers = twins(cell, "float32", return_state=True)
    arrays = [rng.normal(size=(B, T, D)), None, None, rng.normal(size=(B, H)), None]
    arrays = [None if a is None else a.astype("float32") for a in arrays]
    page, device = ran(layers[0], lambda v: v, *arrays), ran(layers[1], moved, *arrays)
    for name, reference in page.items():
        assert device[name].dtype == np.float32
        assert_agrees(device[name], reference, 1e-5, name)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (5, 1, 2)])
def test_odd_shapes(shape):
    layers = [LSTM(3, dtype="float64", page=page, return_sequences=True) for page in (True, None)]
    rng = np.random.default_rng(2)
    for layer in layers:
        layer.build(shape)
    layers[1].set_weights(layers[0].get_weights())
    x, dy = rng.normal(size=shape), rng.normal(size=(*shape[:2], 3))
    y = [layers[0].forward(x, True), to_host(layers[1].forward(to_strict(x), True))]
    dx = [layers[0].backward(dy), to_host(layers[1].backward(to_strict(dy)))]
    assert_agrees(y[1], y[0], 1e-12)
    assert_agrees(dx[1], dx[0], 1e-12)


def test_without_dx_there_is_none():
    page, layer = twins("GRU")
    x, dy = np.random.default_rng(0).normal(size=(B, T, D)), np.ones((B, H))
    page.forward(x, True)
    page.backward(dy)
    layer.forward(to_strict(x), True)
    assert layer.backward(to_strict(dy), needs_dx=False) is None
    for key, gradient in page.grads.items():
        assert_agrees(to_host(layer.grads[key]), gradient, 1e-12)


def kinds_of_pass(layer, x, monkeypatch, **options):
    made = []
    for kind in (DevicePass, PageSweep):
        begin = kind.__init__

        def noted(self, *args, begin=begin, kind=kind, **kwargs):
            made.append(kind)
            begin(self, *args, **kwargs)

        monkeypatch.setattr(kind, "__init__", noted)
    layer.forward(to_strict(x), True, **options)
    return made


def test_which_way_a_layer_goes(monkeypatch):
    x = np.random.default_rng(0).normal(size=(B, T, D))
    assert kinds_of_pass(LSTM(2), x, monkeypatch) == [DevicePass]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: LSTM(2, page=True),
        lambda: LSTM(2, recurrent_dropout=0.5, seed=1),
        lambda: SimpleRNN(2, activation="softmax"),
    ],
    ids=["asked for", "recurrent dropout", "softmax"],
)
def test_the_page_runs_where_it_was_asked_for_or_must(layer, monkeypatch):
    x = np.random.default_rng(0).normal(size=(B, T, D))
    assert kinds_of_pass(layer(), x, monkeypatch) == [PageSweep]


def test_the_output_is_not_the_memory_of_the_pass():
    _, layer = twins("SimpleRNN", return_sequences=True)
    x, dy = np.random.default_rng(0).normal(size=(B, T, D)), np.ones((B, T, H))
    y = layer.forward(to_strict(x), True)
    y.fill(0)
    layer.backward(to_strict(dy))
    spoiled = to_host(layer.grads["kernel"])
    layer.forward(to_strict(x), True)
    layer.backward(to_strict(dy))
    np.testing.assert_array_equal(to_host(layer.grads["kernel"]), spoiled)
