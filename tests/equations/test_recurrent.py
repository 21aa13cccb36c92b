"""The page's recurrent steps against central differences and against formulas written apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet.equations import recurrent_products
from tests.equations.recurrent_steps import BY_THE_BOOK, STEPS
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    FORWARD_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)

every_step = pytest.mark.parametrize("name", STEPS)
every_shape = pytest.mark.parametrize(
    "shape", [(3, 5, 2), (1, 3, 2), (4, 1, 3), (4, 3, 1), (1, 1, 1)], ids=str
)
# softsign, elu and linear have no kink, relu and hard_sigmoid do; softmax mixes the units
ACTIVATIONS = [
    ("tanh", "sigmoid"),
    ("softsign", "tanh"),
    ("elu", "hard_sigmoid"),
    ("linear", "silu"),
    ("relu", "softsign"),
    ("softmax", "linear"),
    ("gelu", "softmax"),
]


def upstream(states, seed=1):
    """A random gradient for every state that a step gives."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(state.shape).astype(state.dtype) for state in states]


def assert_gradients(forward, backward, arrays, names=None):
    """Compare ``backward(*dstates, cache)`` with differences of ``sum(dstate * state)``."""
    *states, cache = forward(*arrays.values())
    dstates = upstream(states)

    def loss(_):
        *new_states, _ = forward(*arrays.values())
        return float(sum((d * s).sum() for d, s in zip(dstates, new_states, strict=True)))

    gradients = backward(*dstates, cache)
    assert len(gradients) == len(arrays)
    for name, gradient in zip(arrays, gradients, strict=True):
        if names is None or name in names:
            numeric = central_differences(loss, arrays[name])
            assert_not_negligible(numeric)
            assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE, f"d{name}")


@every_step
@every_shape
def test_against_central_differences(name, shape):
    step = STEPS[name]
    assert_gradients(step.forward, step.backward, step.random_arrays(*shape))


@every_step
@pytest.mark.parametrize("shape", [(3, 5, 2), (4, 3, 1), (2, 7, 5)], ids=str)
def test_with_masks_against_central_differences(name, shape):
    step, masks = STEPS[name], STEPS[name].masks(*shape)
    assert_gradients(
        lambda *a: step.forward(*a, **masks), step.backward, step.random_arrays(*shape)
    )


@every_step
@pytest.mark.parametrize(("activation", "recurrent_activation"), ACTIVATIONS)
@pytest.mark.parametrize("dropped", [False, True])
def test_activations_against_central_differences(name, activation, recurrent_activation, dropped):
    step, shape = STEPS[name], (3, 4, 3)
    settings = step.activations(activation, recurrent_activation)
    masks = step.masks(*shape) if dropped else {}
    assert_gradients(
        lambda *a: step.forward(*a, **settings, **masks),
        step.backward,
        step.random_arrays(*shape, seed=3),
    )


@every_step
def test_without_a_bias_against_central_differences(name):
    step = STEPS[name]
    kept = {k: a for k, a in step.random_arrays(3, 4, 2).items() if not k.startswith("b")}
    *states, cache = step.forward(*kept.values())
    zeros = {k: np.zeros(s) for k, s in step.shapes(3, 4, 2).items() if k.startswith("b")}
    *with_zeros, other_cache = step.forward(*kept.values(), *zeros.values())
    for state, reference in zip(states, with_zeros, strict=True):
        np.testing.assert_array_equal(state, reference)
    dstates = upstream(states)
    for gradient, reference in zip(
        step.backward(*dstates, cache), step.backward(*dstates, other_cache), strict=True
    ):
        np.testing.assert_array_equal(gradient, reference)


@every_step
@every_shape
def test_against_the_tutorials_form(name, shape):
    assert_by_the_book(name, STEPS[name].random_arrays(*shape, seed=5), {})


@every_step
def test_with_masks_against_the_tutorials_form(name):
    """Each gate sees x and h through masks of its own; what a gate scales is the whole state."""
    step, shape = STEPS[name], (4, 6, 5)
    masks = step.masks(*shape)
    assert_by_the_book(name, step.random_arrays(*shape, seed=5), masks)
    for one in masks.items():
        assert_by_the_book(name, step.random_arrays(*shape, seed=5), dict([one]))


def assert_by_the_book(name, arrays, masks):
    *states, _ = STEPS[name].forward(*arrays.values(), **masks)
    for state, reference in zip(states, BY_THE_BOOK[name](arrays, **masks), strict=True):
        assert_not_negligible(reference)
        assert_agrees(state, np.array(reference), FORWARD_TOLERANCE["float64"])


@settings(max_examples=30)
@given(
    name=st.sampled_from(sorted(STEPS)),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    seed=st.integers(0, 1000),
)
def test_any_shape_against_the_tutorials_form(name, shape, seed):
    arrays = STEPS[name].random_arrays(*shape, seed=seed)
    *states, _ = STEPS[name].forward(*arrays.values())
    for state, reference in zip(states, BY_THE_BOOK[name](arrays), strict=True):
        assert_agrees(state, np.array(reference), FORWARD_TOLERANCE["float64"])


@every_step
def test_one_mask_for_all_gates_masks_the_input(name):
    """The same mask for every gate is dropout of x and, inside the products alone, of h."""
    step, shape = STEPS[name], (3, 4, 2)
    arrays, masks = step.random_arrays(*shape), step.masks(*shape)
    m = masks["x_masks"][0]
    *states, _ = step.forward(
        *arrays.values(), x_masks=np.stack([m] * step.gates), h_masks=masks["h_masks"]
    )
    dropped = {**arrays, "x": m * arrays["x"]}
    *references, _ = step.forward(*dropped.values(), h_masks=masks["h_masks"])
    for state, reference in zip(states, references, strict=True):
        assert_agrees(state, reference, FORWARD_TOLERANCE["float64"])
    ones = {key: np.ones_like(mask) for key, mask in masks.items()}
    *states, _ = step.forward(*arrays.values(), **ones)
    *references, _ = step.forward(*arrays.values())
    for state, reference in zip(states, references, strict=True):
        assert_agrees(state, reference, FORWARD_TOLERANCE["float64"])


@every_step
def test_dropped_state_still_carries(name):
    """A state that every gate drops reaches h only where a step adds it without a product."""
    step, (B, D, H) = STEPS[name], (3, 4, 2)
    arrays = step.random_arrays(B, D, H)
    nothing = np.zeros((step.gates, B, H))
    *states, _ = step.forward(*arrays.values(), h_masks=nothing)
    unheard = {**arrays, "Wh": 0 * arrays["Wh"]}
    *references, _ = step.forward(*unheard.values())
    for state, reference in zip(states, references, strict=True):
        assert_agrees(state, reference, FORWARD_TOLERANCE["float64"])


class TestGateProduct:
    @pytest.mark.parametrize("gates", [None, 1, 3, 4])
    def test_against_central_differences(self, gates):
        rng = np.random.default_rng(2)
        x, W = rng.standard_normal((3, 5)), rng.standard_normal((5, 24))
        m = None if gates is None else (rng.random((gates, 3, 5)) > 0.3) * 1.4
        da = rng.standard_normal((3, 24))

        def loss(_):
            return float((da * recurrent_products.gate_product(x, W, m)).sum())

        dx, dW = recurrent_products.gate_product_backward(da, x, W, m)
        for array, gradient, what in ((x, dx, "dx"), (W, dW, "dW")):
            numeric = central_differences(loss, array)
            assert_not_negligible(numeric)
            assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE, what)


@every_step
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype_is_kept_and_nothing_written_to(name, dropped, dtype):
    step, shape = STEPS[name], (3, 4, 2)
    arrays = step.random_arrays(*shape, dtype=dtype)
    masks = {k: m.astype(dtype) for k, m in step.masks(*shape).items()} if dropped else {}
    for array in (*arrays.values(), *masks.values()):
        array.flags.writeable = False
    *states, cache = step.forward(*arrays.values(), **masks)
    assert {state.dtype for state in states} == {np.dtype(dtype)}
    dstates = upstream(states)
    for array in (*states, *dstates):
        array.flags.writeable = False
    gradients = step.backward(*dstates, cache)
    again = step.backward(*dstates, cache)
    for array, gradient, same in zip(arrays.values(), gradients, again, strict=True):
        assert gradient.dtype == dtype
        assert gradient.shape == array.shape
        np.testing.assert_array_equal(gradient, same)


@every_step
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("pre_activation", [50.0, -50.0, 1e4, -1e4])
def test_saturated_gates_stay_finite(name, pre_activation, dtype):
    """Warnings are errors here: nothing overflows on the way either."""
    step, shape = STEPS[name], (3, 4, 2)
    arrays = step.random_arrays(*shape, dtype=dtype)
    for key in arrays:
        if key.startswith("b"):
            arrays[key][:] = pre_activation
    *states, cache = step.forward(*arrays.values())
    for array in (*states, *step.backward(*upstream(states), cache)):
        assert np.isfinite(array).all()


@every_step
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("magnitude", [1e4, 1e-7, 0.0])
def test_extreme_inputs_stay_finite(name, magnitude, dtype):
    step, shape = STEPS[name], (3, 4, 2)
    arrays = step.random_arrays(*shape, dtype=dtype)
    for key in ("x", *step.states):
        arrays[key] *= np.asarray(magnitude, dtype)
    *states, cache = step.forward(*arrays.values())
    for array in (*states, *step.backward(*upstream(states), cache)):
        assert np.isfinite(array).all()


class TestSaturation:
    """What a gate at 0 or 1 means, read off the equations."""

    def arrays(self, name, **open_by):
        """Random arrays, with the gates named pushed to 0 (-50) or 1 (50) by their bias."""
        step, H = STEPS[name], 2
        arrays = step.random_arrays(3, 4, H)
        bias = arrays["b" if name == "lstm" else "bx"]
        order = "ifgo" if name == "lstm" else "zrn"
        for gate, value in open_by.items():
            k = order.index(gate)
            for array in (arrays["Wx"], arrays["Wh"]):
                array[:, k * H : (k + 1) * H] = 0
            bias[k * H : (k + 1) * H] = value
            if "bh" in arrays:
                arrays["bh"][k * H : (k + 1) * H] = 0
        return arrays

    def test_lstm_that_only_remembers(self):
        arrays = self.arrays("lstm", i=-50.0, f=50.0)
        _, c, cache = STEPS["lstm"].forward(*arrays.values())
        assert_agrees(c, arrays["c_prev"], 1e-12)
        dc = upstream([c])[0]
        _, dh_prev, dc_prev, *_ = STEPS["lstm"].backward(np.zeros_like(dc), dc, cache)
        assert_agrees(dc_prev, dc, 1e-12)
        assert np.abs(dh_prev).max() < 1e-12

    def test_lstm_that_shows_nothing(self):
        arrays = self.arrays("lstm", o=-50.0)
        h, c, cache = STEPS["lstm"].forward(*arrays.values())
        assert np.abs(h).max() < 1e-12
        dh = upstream([h])[0]
        gradients = STEPS["lstm"].backward(dh, np.zeros_like(c), cache)
        assert max(np.abs(gradient).max() for gradient in gradients) < 1e-12

    @pytest.mark.parametrize("name", ["gru", "gru_reset_before"])
    def test_gru_that_only_remembers(self, name):
        arrays = self.arrays(name, z=50.0)
        h, cache = STEPS[name].forward(*arrays.values())
        assert_agrees(h, arrays["h_prev"], 1e-12)
        dh = upstream([h])[0]
        assert_agrees(STEPS[name].backward(dh, cache)[1], dh, 1e-12)

    @pytest.mark.parametrize("name", ["gru", "gru_reset_before"])
    def test_gru_that_forgets_its_state(self, name):
        """With r and z at 0, h is a dense layer of x: reset after still adds r * bias, so none."""
        arrays = self.arrays(name, z=-50.0, r=-50.0)
        h, cache = STEPS[name].forward(*arrays.values())
        H = h.shape[1]
        dense = np.tanh(arrays["x"] @ arrays["Wx"][:, 2 * H :] + arrays["bx"][2 * H :])
        assert_agrees(h, dense, 1e-12)
        assert np.abs(STEPS[name].backward(upstream([h])[0], cache)[1]).max() < 1e-12
