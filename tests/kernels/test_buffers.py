"""The memory that kernels keep, which nobody ever sees, and arguments, which nobody changes.

A training step goes through the sweeps of the step before it, one for each part of the batch.
"""

import copy

import numpy as np
import pytest

from tests.kernels.dividing import divided
from tests.kernels.kept_sweeps import kept_arrays, new_memory_holds_nan, poison
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import (
    every_kernel,
    every_layer,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)

DIVIDED = 70
"""Rows of a batch that is divided into two parts."""


class TestKeptSweeps:
    B, T, D, H = 5, 4, 3, 2

    def layer(self, name, **arguments):
        return recurrent(name, self.H, self.D, return_sequences=True, **arguments)

    def x(self, seed=1, batch=B, steps=T):
        return random_array(batch, steps, self.D, seed=seed)

    def dy(self, seed=2, batch=B, steps=T):
        return random_array(batch, steps, self.H, seed=seed)

    def expected(self, name, seed=1, batch=B, steps=T):
        """A fresh layer's y, dx, grads and state gradients."""
        layer = self.layer(name)
        y = layer.forward(self.x(seed, batch, steps), training=True)
        return [y, *self.backward(layer, batch, steps)]

    def backward(self, layer, batch=B, steps=T):
        dx = layer.backward(self.dy(2, batch, steps))
        return [dx, *layer.grads.values(), *layer.d_initial_state]

    @staticmethod
    def assert_same(actual, expected):
        for array, reference in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(array, reference)

    @every_kernel
    @pytest.mark.parametrize(("batch", "parts"), [(B, 1), (DIVIDED, 2), (200, 3)])
    def test_are_used_again(self, name, batch, parts):
        layer = self.layer(name)
        layer.forward(self.x(1, batch), training=True)
        kept, arrays = dict(layer._sweeps), kept_arrays(layer)
        assert sorted(kept) == [(part, 0) for part in range(parts)]
        layer.backward(self.dy(2, batch))
        layer.forward(self.x(9, batch), training=True)
        assert all(layer._sweeps[part] is sweep for part, sweep in kept.items())
        assert all(a is b for a, b in zip(kept_arrays(layer), arrays, strict=True))

    @every_kernel
    def test_are_let_go_with_the_parts_of_a_larger_batch(self, name):
        layer = self.layer(name)
        for batch, parts in ((200, 3), (DIVIDED, 2), (self.B, 1)):
            layer.forward(self.x(1, batch), training=True)
            assert sorted(layer._sweeps) == [(part, 0) for part in range(parts)]

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_are_not_shared_by_two_layers(self, name, batch):
        one, other = self.layer(name), self.layer(name)
        one.forward(self.x(1, batch), training=True)
        other.forward(self.x(9, batch), training=True)
        mine, theirs = kept_arrays(one), kept_arrays(other)
        assert not any(np.shares_memory(a, b) for a in mine for b in theirs)
        self.assert_same(self.backward(one, batch), self.expected(name, 1, batch)[1:])

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_share_no_memory_with_each_other(self, name, batch):
        layer = self.layer(name)
        for seed in (1, 9):
            layer.forward(self.x(seed, batch), training=True)
        arrays = kept_arrays(layer)
        for i, array in enumerate(arrays):
            assert not any(np.shares_memory(array, other) for other in arrays[:i])

    @every_kernel
    @pytest.mark.parametrize("batch", [B, 3, DIVIDED])
    def test_the_latest_training_forward_counts(self, name, batch):
        layer = self.layer(name)
        layer.forward(self.x(9, batch), training=True)
        y = layer.forward(self.x(), training=True)
        self.assert_same([y, *self.backward(layer)], self.expected(name))

    @every_kernel
    @pytest.mark.parametrize(("batch", "steps"), [(B, T), (3, T), (B, 7), (1, 1), (DIVIDED, T)])
    @pytest.mark.parametrize("trained", [B, DIVIDED])
    def test_inference_in_between_disturbs_nothing(self, name, batch, steps, trained):
        layer = self.layer(name)
        y = layer.forward(self.x(1, trained), training=True)
        layer.forward(self.x(9, batch, steps))
        self.assert_same([y, *self.backward(layer, trained)], self.expected(name, 1, trained))

    @every_kernel
    @pytest.mark.parametrize("steps_at_once", [None, 3])
    def test_shapes_in_turn(self, name, steps_at_once):
        shapes = ((5, 4), (2, 4), (5, 4), (70, 4), (70, 4), (5, 9), (200, 3), (64, 1), (71, 4),
                  (7, 1), (5, 4), (4, 5), (200, 3), (200, 3))  # fmt: skip
        with divided(steps_at_once):
            layer = self.layer(name)
            for batch, steps in shapes:
                y = layer.forward(self.x(1, batch, steps), training=True)
                actual = [y, *self.backward(layer, batch, steps)]
                self.assert_same(actual, self.expected(name, 1, batch, steps))

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    @pytest.mark.parametrize("steps_at_once", [None, 3])
    @pytest.mark.parametrize("when", ["before backward", "after backward"])
    def test_nothing_is_read_that_was_not_written(self, name, batch, steps_at_once, when):
        with divided(steps_at_once):
            layer = self.layer(name)
            layer.forward(self.x(9, batch), training=True)
            if when == "after backward":
                self.backward(layer, batch)
            poison(layer)
            y = layer.forward(self.x(1, batch), training=True)
            self.assert_same([y, *self.backward(layer, batch)], self.expected(name, 1, batch))

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    @pytest.mark.parametrize("masked", [True, False])
    def test_new_memory_may_hold_anything(self, name, batch, masked):
        """That of outputs and gradients too, which is new each time."""
        mask = mask_of_every_kind(batch, self.T) if masked else None

        def all_of_it(layer):
            with divided(3):
                y = layer.forward(self.x(1, batch), training=True, mask=mask)
                return [y, *self.backward(layer, batch)]

        layer, expected = self.layer(name), all_of_it(self.layer(name))
        with new_memory_holds_nan():
            self.assert_same(all_of_it(layer), expected)

    @every_kernel
    @pytest.mark.parametrize("return_sequences", [True, False])
    @pytest.mark.parametrize("go_backwards", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_nobody_is_handed_one(self, name, return_sequences, go_backwards, masked, batch):
        layer = recurrent(
            name, self.H, self.D, return_sequences=return_sequences, go_backwards=go_backwards,
            return_state=True, stateful=True,
        )  # fmt: skip
        mask = mask_of_every_kind(batch, self.T) if masked else None
        outputs = layer.forward(self.x(1, batch), training=True, mask=mask)
        kept_after_forward = [array.copy() for array in outputs]
        dy = self.dy(2, batch) if return_sequences else random_array(batch, self.H)
        dx = layer.backward(dy, states_for(layer, batch))
        handed = [*outputs, dx, *layer.grads.values(), *layer.d_initial_state, *layer.states]
        kept = [array.copy() for array in handed]
        arrays = kept_arrays(layer)
        poison(layer)
        self.assert_same(handed, kept)
        self.assert_same(outputs, kept_after_forward)
        assert not any(np.shares_memory(a, b) for a in handed for b in arrays)

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_the_next_step_changes_nothing_of_the_last(self, name, batch):
        layer = self.layer(name)
        y = layer.forward(self.x(1, batch), training=True)
        handed = [y, *self.backward(layer, batch)]
        kept = [array.copy() for array in handed]
        layer.forward(self.x(9, batch), training=True)
        layer.backward(self.dy(8, batch))
        self.assert_same(handed, kept)

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_what_was_handed_out_is_not_read_again(self, name, batch):
        """Not even the gradients, which are sums that backward went on with a moment before."""
        layer = self.layer(name)
        for _ in range(2):
            y = layer.forward(self.x(1, batch), training=True)
            found = [y, *self.backward(layer, batch)]
            self.assert_same(found, self.expected(name, 1, batch))
            for array in found:
                array[...] = np.nan

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_a_copy_of_a_layer_has_its_own(self, name, batch):
        layer = self.layer(name)
        layer.forward(self.x(9, batch), training=True)
        self.backward(layer, batch)
        twin = copy.deepcopy(layer)
        y = twin.forward(self.x(1, batch), training=True)
        layer.forward(self.x(8, batch), training=True)
        mine, theirs = kept_arrays(layer), kept_arrays(twin)
        assert not any(np.shares_memory(a, b) for a in mine for b in theirs)
        self.assert_same([y, *self.backward(twin, batch)], self.expected(name, 1, batch))

    @every_kernel
    @pytest.mark.parametrize("batch", [B, DIVIDED])
    def test_a_copy_between_forward_and_backward_goes_back_too(self, name, batch):
        """As `scratchnet.gradcheck` makes it: the array module is not copied."""
        layer = self.layer(name)
        y = layer.forward(self.x(1, batch), training=True)
        twin = copy.deepcopy(layer, {id(np): np})
        layer.forward(self.x(8, batch), training=True)
        expected = self.expected(name, 1, batch)
        self.assert_same([y, *self.backward(twin, batch)], expected)
        y = twin.forward(self.x(1, batch), training=True)
        self.assert_same([y, *self.backward(twin, batch)], expected)

    @every_layer
    @page_and_kernel
    def test_what_was_handed_out_is_the_users_to_write_into(self, name, page):
        """The states that a stateful layer returns and those it keeps are two things."""
        layer, twin = (
            recurrent(name, 2, 3, return_state=True, stateful=True, page=page) for _ in range(2)
        )
        for array in layer.forward(self.x()):
            array[...] = np.nan
        twin.forward(self.x())
        self.assert_same(layer.forward(self.x(4)), twin.forward(self.x(4)))


@every_layer
@page_and_kernel
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_arguments_are_never_written_to(name, page, return_sequences, masked):
    layer = recurrent(
        name, 2, 3, page=page, return_sequences=return_sequences, return_state=True
    )  # fmt: skip
    x, dy = random_array(5, 4, 3), random_array(5, *([4] if return_sequences else []), 2)
    state, d_state = states_for(layer, 5), states_for(layer, 5, seed=80)
    mask = mask_of_every_kind(5, 4) if masked else None
    given = [x, dy, *state, *d_state, *layer.params.values(), *([mask] if masked else [])]
    kept = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    for array in layer.forward(x, training=True, mask=mask, initial_state=state):
        array.flags.writeable = False
    layer.backward(dy, d_state)
    layer.forward(x, mask=mask, initial_state=state)
    for array, same in zip(given, kept, strict=True):
        np.testing.assert_array_equal(array, same)


@every_kernel
def test_kept_sweeps_follow_shape_and_dtype(name):
    layer = recurrent(name, 2, 3)
    made = []
    for shape, dtype in (((5, 4, 3), "float64"), ((5, 3, 3), "float64"), ((6, 3, 3), "float64")):
        layer.forward(random_array(*shape, dtype=dtype), training=True)
        made.append(layer._sweeps[0, 0])
        assert made[-1].shape[1:] == (np.dtype(dtype), *shape, 2)
    assert len({id(sweep) for sweep in made}) == 3


@every_kernel
def test_inference_keeps_nothing(name):
    layer = recurrent(name, 2, 3)
    layer.forward(random_array(5, 4, 3))
    assert not layer._sweeps
