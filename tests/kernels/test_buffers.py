"""The kernels' buffers, which nobody ever sees, and the arguments, which nobody ever changes."""

from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.kernels.sweep import Buffers
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import (
    every_kernel,
    every_layer,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)


def poison(layer):
    """Write NaN into everything that a layer keeps for the next call."""
    arrays = layer._buffers._arrays
    assert arrays
    for array in arrays.values():
        array[...] = np.nan


class TestBuffers:
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
    def test_are_used_again(self, name):
        layer = self.layer(name)
        layer.forward(self.x(), training=True)
        kept = dict(layer._buffers._arrays)
        layer.backward(self.dy())
        layer.forward(self.x(9), training=True)
        assert all(layer._buffers._arrays[key] is array for key, array in kept.items())

    @every_kernel
    def test_are_not_shared_by_two_layers(self, name):
        one, other = self.layer(name), self.layer(name)
        one.forward(self.x(), training=True)
        other.forward(self.x(9), training=True)
        mine = one._buffers._arrays.values()
        theirs = other._buffers._arrays.values()
        assert not any(np.shares_memory(a, b) for a in mine for b in theirs)
        self.assert_same(self.backward(one), self.expected(name)[1:])

    @every_kernel
    def test_share_no_memory_with_each_other(self, name):
        layer = self.layer(name)
        layer.forward(self.x(), training=True)
        arrays = list(layer._buffers._arrays.values())
        for i, array in enumerate(arrays):
            assert not any(np.shares_memory(array, other) for other in arrays[:i])

    @every_kernel
    @pytest.mark.parametrize("batch", [B, 3])
    def test_the_latest_training_forward_counts(self, name, batch):
        layer = self.layer(name)
        layer.forward(self.x(9, batch), training=True)
        y = layer.forward(self.x(), training=True)
        self.assert_same([y, *self.backward(layer)], self.expected(name))

    @every_kernel
    @pytest.mark.parametrize(("batch", "steps"), [(B, T), (3, T), (B, 7), (1, 1)])
    def test_inference_in_between_disturbs_nothing(self, name, batch, steps):
        layer = self.layer(name)
        y = layer.forward(self.x(), training=True)
        layer.forward(self.x(9, batch, steps))
        self.assert_same([y, *self.backward(layer)], self.expected(name))

    @every_kernel
    def test_shapes_in_turn(self, name):
        layer = self.layer(name)
        for batch, steps in ((5, 4), (2, 4), (5, 4), (5, 9), (7, 1), (5, 4), (4, 5)):
            y = layer.forward(self.x(1, batch, steps), training=True)
            actual = [y, *self.backward(layer, batch, steps)]
            self.assert_same(actual, self.expected(name, 1, batch, steps))

    @every_kernel
    def test_nothing_is_read_that_was_not_written(self, name):
        layer = self.layer(name)
        layer.forward(self.x(9), training=True)
        poison(layer)
        y = layer.forward(self.x(), training=True)
        self.assert_same([y, *self.backward(layer)], self.expected(name))

    @every_kernel
    @pytest.mark.parametrize("return_sequences", [True, False])
    @pytest.mark.parametrize("go_backwards", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    def test_nobody_is_handed_one(self, name, return_sequences, go_backwards, masked):
        layer = recurrent(
            name, self.H, self.D, return_sequences=return_sequences, go_backwards=go_backwards,
            return_state=True, stateful=True,
        )  # fmt: skip
        mask = mask_of_every_kind(self.B, self.T) if masked else None
        outputs = layer.forward(self.x(), training=True, mask=mask)
        kept_after_forward = [array.copy() for array in outputs]
        dy = self.dy() if return_sequences else random_array(self.B, self.H)
        dx = layer.backward(dy, states_for(layer, self.B))
        handed = [*outputs, dx, *layer.grads.values(), *layer.d_initial_state, *layer.states]
        kept = [array.copy() for array in handed]
        poison(layer)
        self.assert_same(handed, kept)
        self.assert_same(outputs, kept_after_forward)
        buffers = layer._buffers._arrays.values()
        assert not any(np.shares_memory(a, b) for a in handed for b in buffers)

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
    for array, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_buffers_follow_shape_and_dtype():
    buffers, xp = Buffers(), SimpleNamespace(empty=np.empty)
    one = buffers.get(xp, "a", (2, 3), np.dtype("float64"))
    assert buffers.get(xp, "a", (2, 3), np.dtype("float64")) is one
    assert buffers.get(xp, "b", (2, 3), np.dtype("float64")) is not one
    single = buffers.get(xp, "a", (2, 3), np.dtype("float32"))
    assert single.dtype == "float32"
    assert buffers.get(xp, "a", (3, 2), np.dtype("float32")).shape == (3, 2)
