"""Steps that are padding for every row of a batch are not computed, and that changes no number."""

import numpy as np
import pytest

from scratchnet.kernels.sweep import Sweep
from scratchnet.layers import Bidirectional
from tests.helpers import assert_agrees, assert_not_negligible
from tests.kernels.kept_sweeps import poison
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import every_kernel, page_and_kernel, recurrent, states_for

B, T, D, H = 4, 9, 3, 2


def padded(*live):
    """A mask whose rows end with so many live steps."""
    return np.arange(T) >= T - np.array(live)[:, None]


@every_kernel
@page_and_kernel
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("live", [(3, 1, 4, 2), (1, 0, 0, 0), (0, 0, 0, 0), (9, 2, 0, 1)], ids=str)
def test_numbers_are_those_of_the_shorter_input(name, page, return_sequences, live):
    """The same as without the padding: outputs, gradients of weights, inputs, and states."""
    x, longest = random_array(B, T, D), max(live)
    found = []
    for steps in (T, longest):
        if steps == 0:
            continue
        layer = recurrent(
            name, H, D, page=page, return_sequences=return_sequences, return_state=True
        )
        mask, state = padded(*live)[:, T - steps :], states_for(layer, B)
        outputs = layer.forward(x[:, T - steps :], True, mask, state)
        dy = random_array(B, T, H, seed=7)[:, T - steps :] if return_sequences else (
            random_array(B, H, seed=7)
        )  # fmt: skip
        dx = layer.backward(dy, states_for(layer, B, seed=80))
        found.append((outputs, dx, layer.grads, layer.d_initial_state))
    if longest == 0:
        (((y, *states), dx, grads, d_initial),) = found
        assert not y.any()
        assert not dx.any()
        assert not any(grad.any() for grad in grads.values())
        for kept, given in zip(states, states_for(layer, B), strict=True):
            np.testing.assert_array_equal(kept, given)
        for d, given in zip(d_initial, states_for(layer, B, seed=80), strict=True):
            np.testing.assert_array_equal(d, given)
        return
    whole, shorter = found
    for y, reference in zip(whole[0], shorter[0], strict=True):
        part = y[:, T - longest :] if y.ndim == 3 else y
        assert_not_negligible(reference)
        assert_agrees(part, reference, 1e-14)
    assert not whole[1][:, : T - longest].any()
    assert_agrees(whole[1][:, T - longest :], shorter[1], 1e-14)
    for key, reference in shorter[2].items():
        assert_not_negligible(reference)
        assert_agrees(whole[2][key], reference, 1e-14)
    for d, reference in zip(whole[3], shorter[3], strict=True):
        assert_agrees(d, reference, 1e-14)


def steps_taken(name, monkeypatch):
    """Return a list that gets the number of rows of every step forward, and one of those back."""
    kind = next(one for one in Sweep.__subclasses__() if one.__module__.endswith(f".{name}"))
    taken = []
    for method in ("step", "_step_back"):
        rows, original = [], getattr(kind, method)

        def spying(self, *args, original=original, rows=rows):
            rows.append(self.B)
            return original(self, *args)

        monkeypatch.setattr(kind, method, spying)
        taken.append(rows)
    return taken


@every_kernel
def test_nothing_is_computed_of_them(name, monkeypatch):
    """A row joins with the first step that is its own, up to three rows of others with it."""
    live = (0, 3, 1, 4, 2, 2, 5, 3, 1, 2, 2, 4, 0)
    forth, back = steps_taken(name, monkeypatch)
    layer, mask = recurrent(name, H, D), padded(*live)
    layer.forward(random_array(len(live), T, D), True, mask)
    layer.backward(random_array(len(live), H))
    counts = mask[:, T - 5 :].sum(axis=0)
    expected = [*np.minimum(13, -(-counts[:-1] // 4) * 4), 13]
    assert expected == [4, 4, 8, 12, 13]
    assert forth == expected
    assert back == expected[::-1]


@every_kernel
def test_what_an_earlier_pass_left_is_not_read(name):
    """The arrays are kept: those of the padding hold what the batch before left there."""
    x, dy, mask = random_array(B, T, D), random_array(B, H), padded(3, 1, 4, 2)
    found = []
    for poisoned in (False, True):
        layer = recurrent(name, H, D)
        if poisoned:
            layer.forward(np.full((B, T, D), 1e3), True)
            layer.backward(dy)
            poison(layer)
        y = layer.forward(x, True, mask)
        found.append([y, layer.backward(dy), *layer.grads.values()])
    for one, same in zip(*found, strict=True):
        np.testing.assert_array_equal(one, same)


@every_kernel
def test_in_both_directions(name):
    """Turned round, the padding comes last, and is gone through."""
    mask, x, dy = padded(3, 1, 4, 2), random_array(B, T, D), random_array(B, 2 * H)
    found = []
    for page in (True, False):
        layer = Bidirectional(recurrent(name, H, D, page=page), dtype="float64")
        layer.build(x.shape)
        rng = np.random.default_rng(2)
        layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
        for direction in (layer.forward_layer, layer.backward_layer):
            direction.page = page
        y = layer.forward(x, True, mask)
        found.append([y, layer.backward(dy), *layer.grads.values()])
    for reference, actual in zip(*found, strict=True):
        assert_not_negligible(reference)
        assert_agrees(actual, reference, 1e-13)
