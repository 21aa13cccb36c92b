"""States of the recurrent layers: in, out, carried on; and what truncation leaves out."""

import functools

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.layers import LSTM, Bidirectional
from tests.equations.recurrent_steps import STEPS
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import (
    every_layer,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)


@every_layer
@page_and_kernel
class TestStates:
    """What comes in and goes out beside the sequence."""

    def make(self, name, page, **arguments):
        layer = recurrent(name, 2, 3, page=page, return_state=True, **arguments)
        return layer, random_array(5, 4, 3), random_array(5, 2, seed=4)

    def test_no_initial_state_is_zeros_and_has_a_gradient(self, name, page):
        results = []
        for chosen in (None, "zeros", "nones"):
            layer, x, dy = self.make(name, page)
            state = {
                None: None,
                "zeros": states_for(layer, 5, scale=0),
                "nones": (None,) * len(layer.state_names),
            }[chosen]
            outputs = layer.forward(x, training=True, initial_state=state)
            dx = layer.backward(dy)
            assert_not_negligible(layer.d_initial_state[0])
            results.append([*outputs, dx, *layer.d_initial_state, *layer.grads.values()])
        for other in results[1:]:
            for array, reference in zip(other, results[0], strict=True):
                np.testing.assert_array_equal(array, reference)

    def test_missing_gradients_of_final_states_are_zeros(self, name, page):
        layer, x, dy = self.make(name, page)
        zeros = states_for(layer, 5, scale=0)
        answers = []
        for d_state in (None, (None,) * len(zeros), zeros):
            layer.forward(x, training=True)
            answers.append([layer.backward(dy, d_state), *layer.grads.values()])
        for other in answers[1:]:
            for array, reference in zip(other, answers[0], strict=True):
                np.testing.assert_array_equal(array, reference)

    def test_one_of_two_gradients_of_final_states(self, name, page):
        """Backward is linear in them: one at a time, and what no dy gives, add up to all."""
        layer, x, dy = self.make(name, page)
        d_state = states_for(layer, 5, seed=80)
        n = len(d_state)
        singles = [(*(None,) * i, d_state[i], *(None,) * (n - 1 - i)) for i in range(n)]
        total = 0
        for upstream, chosen in [(dy, None), *((np.zeros_like(dy), single) for single in singles)]:
            layer.forward(x, training=True)
            part = layer.backward(upstream, chosen)
            assert_not_negligible(part)
            total = total + part
        layer.forward(x, training=True)
        assert_agrees(layer.backward(dy, d_state), total, GRADIENT_TOLERANCE["float64"])

    def test_final_state_is_the_last_output(self, name, page):
        """So that its gradient and the output's are the same thing, and add."""
        layer, x, dy = self.make(name, page)
        y, h, *rest = layer.forward(x, training=True)
        np.testing.assert_array_equal(y, h)
        dx = layer.backward(0 * dy, (dy, *[None] * len(rest)))
        layer.forward(x, training=True)
        np.testing.assert_array_equal(dx, layer.backward(dy))

    def test_first_time_step_is_reached(self, name, page):
        """The gradient at t = 0 alone, and of what stands before it."""
        layer, x, dy = self.make(name, page)
        layer.forward(x[:, :1], training=True, initial_state=states_for(layer, 5))
        one = layer.backward(dy)
        assert_not_negligible(one)
        assert_not_negligible(layer.grads["recurrent_kernel"])
        layer.forward(x, training=True)
        assert_not_negligible(layer.backward(dy)[:, 0])

    def test_wholly_masked_row(self, name, page):
        """Output zeros, state as it was, gradient straight to the initial state."""
        for return_sequences in (True, False):
            layer, x, _ = self.make(name, page, return_sequences=return_sequences)
            mask = mask_of_every_kind(5, 4)
            state, d_state = states_for(layer, 5), states_for(layer, 5, seed=80)
            y, *finals = layer.forward(x, training=True, mask=mask, initial_state=state)
            dx = layer.backward(random_array(*y.shape, seed=4), d_state)
            assert not y[3].any()
            assert not dx[3].any()
            for final, chosen in zip(finals, state, strict=True):
                np.testing.assert_array_equal(final[3], chosen[3])
            for first, chosen in zip(layer.d_initial_state, d_state, strict=True):
                np.testing.assert_array_equal(first[3], chosen[3])

    def test_masked_inputs_count_for_nothing(self, name, page):
        layer, x, _ = self.make(name, page, return_sequences=True)
        mask = mask_of_every_kind(5, 4)
        outputs = layer.forward(x, training=True, mask=mask)
        dx = layer.backward(random_array(5, 4, 2))
        assert not dx[~mask].any()
        assert_not_negligible(dx[mask])
        other = np.where(mask[..., None], x, -x)
        for y, same in zip(outputs, layer.forward(other, mask=mask), strict=True):
            np.testing.assert_array_equal(y, same)

    def test_masked_steps_repeat_or_are_zero(self, name, page):
        mask = mask_of_every_kind(5, 4)
        for zero in (False, True):
            layer, x, _ = self.make(name, page, return_sequences=True, zero_output_for_mask=zero)
            y, *_ = layer.forward(x, mask=mask)
            for b, t in zip(*np.nonzero(~mask), strict=True):
                started = mask[b, :t].any() and not zero
                expected = y[b, t - 1] if started else np.zeros(2)
                np.testing.assert_array_equal(y[b, t], expected)


class TestTruncation:
    """Training on consecutive chunks of one sequence: the state goes on, the gradient does not."""

    B, D, H, CHUNK = 4, 3, 2, 3

    def make(self, name, **arguments):
        return recurrent(name, self.H, self.D, return_sequences=True, **arguments)

    def data(self):
        steps = 3 * self.CHUNK
        x = random_array(self.B, steps, self.D)
        dy = random_array(self.B, steps, self.H, seed=4)
        return x, dy, [slice(t, t + self.CHUNK) for t in range(0, steps, self.CHUNK)]

    @every_layer
    @page_and_kernel
    def test_forward_goes_on(self, name, page):
        x, _, chunks = self.data()
        whole = self.make(name, return_state=True, page=page)
        layer = self.make(name, return_state=True, stateful=True, page=page)
        y, *finals = whole.forward(x)
        for training in (True, False):
            parts = [layer.forward(x[:, chunk], training=training) for chunk in chunks]
            assert_agrees(np.concatenate([part[0] for part in parts], axis=1), y, 1e-14)
            for final, reference in zip(parts[-1][1:], finals, strict=True):
                assert_agrees(final, reference, 1e-14)
            layer.reset_state()
            assert layer.states is None

    @every_layer
    @page_and_kernel
    def test_backward_stops_at_the_chunk(self, name, page):
        """A chunk's gradients are those of a loss whose initial state is a constant."""
        x, dy, chunks = self.data()
        layer = self.make(name, stateful=True, page=page)
        carried, total = None, 0
        for chunk in chunks:
            layer.forward(x[:, chunk], training=True)
            dx = layer.backward(dy[:, chunk])
            alone = self.make(name, return_state=True, page=page)
            _, *after = alone.forward(x[:, chunk], training=True, initial_state=carried)
            np.testing.assert_array_equal(dx, alone.backward(dy[:, chunk]))
            for key, gradient in alone.grads.items():
                np.testing.assert_array_equal(layer.grads[key], gradient)
            carried = tuple(after)
            total = total + layer.grads["recurrent_kernel"]
        whole = self.make(name, page=page)
        whole.forward(x, training=True)
        whole_dx = whole.backward(dy)
        last = chunks[-1]
        assert_agrees(dx, whole_dx[:, last], GRADIENT_TOLERANCE["float64"])
        missing = whole.grads["recurrent_kernel"] - total
        assert_not_negligible(missing, 1e-3)

    @every_layer
    @page_and_kernel
    def test_handing_the_gradient_on_gives_the_whole(self, name, page):
        """What truncation leaves out is exactly what d_initial_state and d_state would carry."""
        x, dy, chunks = self.data()
        layers = [self.make(name, return_state=True, page=page) for _ in chunks]
        state = None
        for layer, chunk in zip(layers, chunks, strict=True):
            _, *after = layer.forward(x[:, chunk], training=True, initial_state=state)
            state = tuple(after)
        d_state, dxs = None, []
        for layer, chunk in reversed(list(zip(layers, chunks, strict=True))):
            dxs.insert(0, layer.backward(dy[:, chunk], d_state))
            d_state = layer.d_initial_state
        whole = self.make(name, page=page)
        whole.forward(x, training=True)
        tolerance = GRADIENT_TOLERANCE["float64"]
        assert_agrees(np.concatenate(dxs, axis=1), whole.backward(dy), tolerance)
        for d, reference in zip(d_state, whole.d_initial_state, strict=True):
            assert_not_negligible(reference)
            assert_agrees(d, reference, tolerance)
        for key, reference in whole.grads.items():
            summed = functools.reduce(np.add, [layer.grads[key] for layer in layers])
            assert_agrees(summed, reference, tolerance)

    @every_layer
    def test_an_initial_state_given_replaces_the_carried_one(self, name):
        x, _, chunks = self.data()
        layer = self.make(name, stateful=True)
        layer.forward(x[:, chunks[0]])
        chosen = states_for(layer, self.B)
        y = layer.forward(x[:, chunks[1]], initial_state=chosen)
        alone = self.make(name).forward(x[:, chunks[1]], initial_state=chosen)
        np.testing.assert_array_equal(y, alone)

    @every_layer
    def test_masked_steps_carry_on_too(self, name):
        x, _, chunks = self.data()
        mask = mask_of_every_kind(self.B, x.shape[1])
        whole = self.make(name, return_state=True)
        layer = self.make(name, return_state=True, stateful=True)
        _, *finals = whole.forward(x, mask=mask)
        for chunk in chunks:
            _, *states = layer.forward(x[:, chunk], mask=mask[:, chunk])
        for state, reference in zip(states, finals, strict=True):
            assert_agrees(state, reference, 1e-14)

    @every_layer
    def test_reset_state_starts_over(self, name):
        x, _, chunks = self.data()
        layer = self.make(name, stateful=True)
        first = layer.forward(x[:, chunks[0]])
        again = layer.forward(x[:, chunks[0]])
        assert np.abs(first - again).max() > 1e-3
        layer.reset_state()
        np.testing.assert_array_equal(layer.forward(x[:, chunks[0]]), first)


@every_layer
def test_token_by_token_is_the_whole_sequence(name):
    """Generation takes one step from a carried state, without running the window again."""
    step = STEPS[name]
    layer = recurrent(name, 4, 3, return_sequences=True, return_state=True)
    x = random_array(5, 9, 3)
    states = states_for(layer, 5)
    y, *finals = layer.forward(x, initial_state=states)
    kernel, recurrent_kernel, bias = layer.params.values()
    biases = tuple(bias) if name == "gru" else (bias,)
    for t in range(9):
        *states, _ = step.forward(x[:, t], *states, kernel, recurrent_kernel, *biases)
        assert_agrees(states[0], y[:, t], FORWARD_TOLERANCE["float64"])
    for state, final in zip(states, finals, strict=True):
        assert_agrees(state, final, FORWARD_TOLERANCE["float64"])


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_wrong_d_state_leaves_the_forward_pass_to_go_back_through(wrapped):
    inner = LSTM(3, return_state=True, dtype="float64")
    layer = Bidirectional(inner) if wrapped else inner
    x = np.random.default_rng(0).standard_normal((2, 4, 5))
    y, *states = layer.forward(x, training=True)
    dy = np.ones_like(y)
    right = tuple(np.ones_like(state) for state in states)
    with pytest.raises(InputError, match=r"expected d_state h of shape \(2, 3\), got \(2, 7\)"):
        layer.backward(dy, (np.ones((2, 7)), *right[1:]))
    assert layer.backward(dy, right).shape == x.shape
