"""The recurrent layers' gradients: against differences, and against a second derivation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.all_pairs import all_pairs
from tests.equations.recurrent_steps import STEPS
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import (
    every_layer,
    label,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)

OPTIONS = all_pairs(
    {
        "page": (True, False),
        "masked": (True, False),
        "state": (True, False),
        "go_backwards": (True, False),
        "return_sequences": (True, False),
        "use_bias": (True, False),
        "zero_output_for_mask": (True, False),
        "dropout": (0.0, 0.3),
        "recurrent_dropout": (0.0, 0.3),
        "shape": ((5, 4, 3, 2), (1, 5, 3, 2), (5, 1, 3, 2), (5, 4, 1, 2), (5, 4, 3, 1)),
    }
)
every_option = pytest.mark.parametrize("options", OPTIONS, ids=label)


def assert_layer_gradients(layer, x, mask=None, state=None):
    """Compare everything that backward gives with differences of one scalar.

    It is the sum of y and of the final states, each weighted by its random upstream gradient.
    """
    start = states_for(layer, len(x), scale=0) if state is None else state

    def forward(initial_state):
        layer.set_state({"seed": 6, "draws": 0})  # the same dropout masks every time
        return layer.forward(x, training=True, mask=mask, initial_state=initial_state)

    outputs = forward(state)
    upstream = [random_array(*array.shape, seed=i) for i, array in enumerate(outputs, 30)]

    def loss(_):
        return float(sum((d * y).sum() for d, y in zip(upstream, forward(start), strict=True)))

    dx = layer.backward(upstream[0], tuple(upstream[1:]))
    state_names = [f"initial {name}" for name in layer.state_names]
    compared = [
        ("x", x, dx),
        *((key, layer.params[key], gradient) for key, gradient in layer.grads.items()),
        *zip(state_names, start, layer.d_initial_state, strict=True),
    ]
    for name, array, gradient in compared:
        numeric = central_differences(loss, array)
        if not (name == "recurrent_kernel" and x.shape[1] == 1 and state is None):
            assert_not_negligible(numeric)
        assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE, f"d{name}")


@every_layer
@every_option
def test_against_central_differences(name, options):
    options = dict(options)
    B, T, D, H = options.pop("shape")
    masked, with_state = options.pop("masked"), options.pop("state")
    layer = recurrent(name, H, D, return_state=True, **options)
    layer.set_weights([w / 2 for w in layer.get_weights()])  # steep enough for differences
    state = states_for(layer, B) if with_state else None
    mask = mask_of_every_kind(B, T) if masked else None
    assert_layer_gradients(layer, random_array(B, T, D, seed=6), mask, state)


@every_layer
@pytest.mark.parametrize(
    ("activation", "recurrent_activation"),
    [("softsign", "hard_sigmoid"), ("relu", "sigmoid"), ("linear", "tanh"), ("gelu", "softmax")],
)
def test_activations_against_central_differences(name, activation, recurrent_activation):
    settings = {"activation": activation}
    if name != "simple_rnn":
        settings["recurrent_activation"] = recurrent_activation
    layer = recurrent(name, 3, 2, return_sequences=True, return_state=True, **settings)
    layer.set_weights([w / 2 for w in layer.get_weights()])  # some of these have no bound
    mask = mask_of_every_kind(5, 4)
    assert_layer_gradients(layer, random_array(5, 4, 2), mask, states_for(layer, 5))


def step_of(layer):
    """The page's step that a layer runs."""
    before = getattr(layer, "reset_after", True) is False
    return STEPS[layer.name + "_reset_before" * before]


def by_hand(layer, x, mask, state, dy, d_state):
    """The layer's results from a second derivation: each sample alone, over its live steps alone.

    A masked step is one that did not happen, so the upstream gradient of what it repeats belongs to
    the last step that did.
    """
    step, T = step_of(layer), x.shape[1]
    two_biases = "bh" in step.arrays
    weights = [layer.params["kernel"], layer.params["recurrent_kernel"]]
    bias = layer.params["bias"]
    weights += list(bias) if two_biases else [bias]
    ys, dx = [], np.zeros_like(x)
    finals, firsts = [], []
    totals = [np.zeros_like(w) for w in weights]
    order = range(T)[::-1] if layer.go_backwards else range(T)
    for b in range(len(x)):
        states = [s[b : b + 1] for s in state]
        y = np.zeros((T, layer.units))
        caches, belongs_to = [], []  # which live step the output at each position shows
        for position, t in enumerate(order):
            if mask[b, t]:
                *states, cache = step.forward(x[b : b + 1, t], *states, *weights)
                caches.append((t, cache))
            belongs_to.append(len(caches) - 1)
            if caches:
                y[position] = states[0][0]
        ys.append(y if layer.return_sequences else y[-1])
        finals.append(states)
        dstates = [d[b : b + 1] for d in d_state]
        dys = dy[b] if layer.return_sequences else np.vstack([np.zeros_like(y[1:]), dy[b]])
        for k in reversed(range(len(caches))):
            shown = [position for position, owner in enumerate(belongs_to) if owner == k]
            dstates[0] = dstates[0] + dys[shown].sum(axis=0)
            t, cache = caches[k]
            gradients = step.backward(*dstates, cache)
            dx[b, t] = gradients[0][0]
            dstates = list(gradients[1 : 1 + len(dstates)])
            for total, gradient in zip(totals, gradients[1 + len(dstates) :], strict=True):
                total += gradient
        firsts.append(dstates)
    if two_biases:
        totals[2:] = [np.stack(totals[2:])]
    stacked = [
        [np.concatenate(arrays) for arrays in zip(*rows, strict=True)] for rows in (finals, firsts)
    ]
    return np.stack(ys), stacked[0], dx, stacked[1], dict(zip(layer.params, totals, strict=True))


@every_layer
@page_and_kernel
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("go_backwards", [True, False])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_two_derivations(name, page, masked, go_backwards, return_sequences):
    B, T, D, H = 6, 7, 3, 4
    layer = recurrent(
        name, H, D, page=page, go_backwards=go_backwards, return_sequences=return_sequences,
        return_state=True,
    )  # fmt: skip
    mask = mask_of_every_kind(B, T) if masked else None
    for reference in assert_derivations_agree(layer, random_array(B, T, D), mask):
        assert_not_negligible(reference)


def assert_derivations_agree(layer, x, mask):
    """Compare a layer with `by_hand`; return the references."""
    B, T = x.shape[:2]
    state, d_state = states_for(layer, B), states_for(layer, B, seed=80)
    dy = random_array(B, *([T] if layer.return_sequences else []), layer.units, seed=12)
    everything = np.ones((B, T), dtype=bool) if mask is None else mask
    y, finals, dx, firsts, grads = by_hand(layer, x, everything, state, dy, d_state)
    outputs = layer.forward(x, training=True, mask=mask, initial_state=state)
    actual_dx = layer.backward(dy, d_state)
    for actual, reference in zip(outputs, (y, *finals), strict=True):
        assert_agrees(actual, reference, FORWARD_TOLERANCE["float64"])
    compared = [
        (actual_dx, dx),
        *zip(layer.d_initial_state, firsts, strict=True),
        *((layer.grads[key], gradient) for key, gradient in grads.items()),
    ]
    for actual, reference in compared:
        assert_agrees(actual, reference, GRADIENT_TOLERANCE["float64"])
    return [reference for _, reference in compared]


@settings(max_examples=60)
@given(data=st.data())
def test_two_derivations_of_anything(data):
    """Any layer, shape, mask and direction; here a gradient may well be zero."""
    B, T, D, H = (data.draw(st.integers(1, 5), label=axis) for axis in "BTDH")
    flags = ("page", "go_backwards", "return_sequences")
    arguments = {flag: data.draw(st.booleans(), label=flag) for flag in flags}
    rows = st.lists(st.lists(st.booleans(), min_size=T, max_size=T), min_size=B, max_size=B)
    mask = data.draw(st.none() | rows.map(np.array), label="mask")
    layer = recurrent(
        data.draw(st.sampled_from(sorted(STEPS))), H, D, return_state=True, **arguments
    )
    assert_derivations_agree(layer, random_array(B, T, D), mask)
