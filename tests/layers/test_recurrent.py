"""What the recurrent layers promise beside their gradients (section 2 of the design)."""

import json
import re

import numpy as np
import pytest

from scratchnet import set_random_seed
from scratchnet.backend import to_host
from scratchnet.errors import BackwardError, InputError
from scratchnet.layers import GRU, LSTM, SimpleRNN, recurrent_parts
from scratchnet.layers.masks import MaskSource
from tests.helpers import DEVICE_TOLERANCE, assert_agrees, assert_not_negligible
from tests.layers.cases import every_dtype, message, random_array
from tests.layers.recurrent_cases import (
    LAYERS,
    every_kernel,
    every_layer,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)
from tests.strict_array import StrictArray, to_strict

BLOCKS = {"simple_rnn": 1, "lstm": 4, "gru": 3, "gru_reset_before": 3}


@every_layer
class TestParameters:
    def test_keys_and_shapes_are_keras(self, name):
        layer, G = recurrent(name, 5, 3), BLOCKS[name]
        bias = (2, 3 * 5) if name == "gru" else (G * 5,)
        assert {key: array.shape for key, array in layer.params.items()} == {
            "kernel": (3, G * 5),
            "recurrent_kernel": (5, G * 5),
            "bias": bias,
        }
        assert list(layer.params) == ["kernel", "recurrent_kernel", "bias"]
        assert list(recurrent(name, 5, 3, use_bias=False).params) == ["kernel", "recurrent_kernel"]

    @page_and_kernel
    @pytest.mark.parametrize("use_bias", [True, False])
    def test_gradients_have_their_keys_order_shape_and_dtype(self, name, page, use_bias):
        layer = recurrent(name, 5, 3, page=page, use_bias=use_bias, dtype="float32")
        y = layer.forward(random_array(2, 4, 3), training=True)
        dx = layer.backward(random_array(2, 5))
        assert list(layer.grads) == list(layer.params)
        for key, array in layer.params.items():
            assert layer.grads[key].shape == array.shape
        handed = (y, dx, *layer.grads.values(), *layer.d_initial_state)
        assert {array.dtype.name for array in handed} == {"float32"}

    @page_and_kernel
    def test_gradients_are_new_arrays_each_time(self, name, page):
        layer = recurrent(name, 5, 3, page=page)
        x, dy = random_array(2, 4, 3), random_array(2, 5)
        layer.forward(x, training=True)
        layer.backward(dy)
        first = dict(layer.grads)
        kept = {key: array.copy() for key, array in first.items()}
        layer.forward(x, training=True)
        layer.backward(2 * dy)
        for key, array in first.items():
            np.testing.assert_array_equal(array, kept[key])
            assert_agrees(layer.grads[key], 2 * array, 1e-14)

    def test_initialisers_and_the_forget_gates_bias(self, name):
        set_random_seed(3)
        layer = LAYERS[name](4)
        layer.build((None, None, 6))
        assert_not_negligible(layer.params["kernel"])
        recurrent_kernel = layer.params["recurrent_kernel"]
        assert_agrees(recurrent_kernel @ recurrent_kernel.T, np.eye(4, dtype="float32"), 1e-5)
        expected = np.zeros(layer.params["bias"].shape)
        if name == "lstm":
            expected[4:8] = 1
        np.testing.assert_array_equal(layer.params["bias"], expected)

    @every_dtype
    def test_config_makes_the_layer_again(self, name, dtype):
        layer = recurrent(
            name, 4, 3, dtype=dtype, activation="softsign", use_bias=False, dropout=0.2,
            recurrent_dropout=0.3, seed=20, return_sequences=True, go_backwards=True, stateful=True,
            zero_output_for_mask=True, name="mine",
        )  # fmt: skip
        config = layer.get_config()
        stored = json.loads(json.dumps(config))
        assert stored == config
        again = type(layer).from_config(stored)
        assert again.get_config() == config
        again.build((None, None, 3))
        again.set_weights(layer.get_weights())
        x = random_array(2, 5, 3)
        np.testing.assert_array_equal(again.forward(x, True), layer.forward(x, True), strict=True)


@every_layer
class TestOutputs:
    def test_shapes(self, name):
        x = random_array(5, 4, 3)
        assert recurrent(name, 2, 3)(x).shape == (5, 2)
        layer = recurrent(name, 2, 3, return_sequences=True, return_state=True)
        y, *states = layer(x)
        assert y.shape == (5, 4, 2) == layer.compute_output_shape((5, 4, 3))
        assert [state.shape for state in states] == [(5, 2)] * (2 if name == "lstm" else 1)

    @page_and_kernel
    def test_return_modes_agree(self, name, page):
        x = random_array(5, 4, 3)
        sequence = recurrent(name, 2, 3, page=page, return_sequences=True)(x)
        last = recurrent(name, 2, 3, page=page)(x)
        np.testing.assert_array_equal(sequence[:, -1], last)
        y, *_ = recurrent(name, 2, 3, page=page, return_state=True)(x)
        np.testing.assert_array_equal(y, last)

    @page_and_kernel
    def test_backwards_is_the_reversed_input_in_processing_order(self, name, page):
        x, dy = random_array(5, 4, 3), random_array(5, 4, 2)
        mask = mask_of_every_kind(5, 4)
        forth = recurrent(name, 2, 3, page=page, return_sequences=True)
        back = recurrent(name, 2, 3, page=page, return_sequences=True, go_backwards=True)
        y = forth.forward(x[:, ::-1], training=True, mask=mask[:, ::-1])
        np.testing.assert_array_equal(back.forward(x, training=True, mask=mask), y)
        np.testing.assert_array_equal(back.backward(dy), forth.backward(dy)[:, ::-1])
        for key, gradient in forth.grads.items():
            np.testing.assert_array_equal(back.grads[key], gradient)

    def test_the_mask_goes_on_with_a_sequence_alone(self, name):
        x, mask = random_array(5, 4, 3), mask_of_every_kind(5, 4)
        assert recurrent(name, 2, 3).compute_mask(x, mask) is None
        assert recurrent(name, 2, 3, return_sequences=True).compute_mask(x, mask) is mask

    @page_and_kernel
    def test_a_mask_of_ones_is_none(self, name, page):
        x, dy = random_array(5, 4, 3), random_array(5, 2)
        results = []
        for mask in (None, np.ones((5, 4), dtype=bool)):
            layer = recurrent(name, 2, 3, page=page)
            y = layer.forward(x, training=True, mask=mask)
            results.append([y, layer.backward(dy), *layer.grads.values(), *layer.d_initial_state])
        for array, reference in zip(*results, strict=True):
            np.testing.assert_array_equal(array, reference)

    @page_and_kernel
    def test_empty_batch(self, name, page):
        layer = recurrent(name, 2, 3, page=page, return_sequences=True)
        y = layer.forward(random_array(0, 4, 3), training=True)
        assert y.shape == (0, 4, 2)
        assert layer.backward(y).shape == (0, 4, 3)
        assert not any(gradient.any() for gradient in layer.grads.values())


@every_layer
class TestDropout:
    RATES = (
        {"dropout": 0.4},
        {"recurrent_dropout": 0.4},
        {"dropout": 0.4, "recurrent_dropout": 0.3},
    )
    every_rate = pytest.mark.parametrize("rates", RATES, ids=str)

    @every_rate
    def test_same_seed_same_masks(self, name, rates):
        x = random_array(6, 5, 7)
        one, other = (recurrent(name, 8, 7, **rates, seed=20) for _ in range(2))
        first = one.forward(x, training=True)
        np.testing.assert_array_equal(first, other.forward(x, training=True))
        second = one.forward(x, training=True)
        assert np.abs(first - second).max() > 1e-3, "each forward draws anew"
        np.testing.assert_array_equal(second, other.forward(x, training=True))

    @every_rate
    def test_none_at_inference(self, name, rates):
        x = random_array(6, 5, 7)
        layer = recurrent(name, 8, 7, **rates)
        np.testing.assert_array_equal(layer(x), recurrent(name, 8, 7)(x))
        assert np.abs(layer.forward(x, training=True) - layer(x)).max() > 1e-3

    @every_rate
    def test_an_inference_in_between_draws_nothing(self, name, rates):
        x = random_array(6, 5, 7)
        one, other = (recurrent(name, 8, 7, **rates, seed=20) for _ in range(2))
        for layer in (one, other):
            layer.forward(x, training=True)
        one(x)
        np.testing.assert_array_equal(
            one.forward(x, training=True), other.forward(x, training=True)
        )

    @every_rate
    def test_goes_on_from_a_saved_state(self, name, rates):
        x = random_array(6, 5, 7)
        layer, resumed = (recurrent(name, 8, 7, **rates) for _ in range(2))
        layer.forward(x, training=True)
        resumed.set_state(json.loads(json.dumps(layer.state())))
        np.testing.assert_array_equal(
            layer.forward(x, training=True), resumed.forward(x, training=True)
        )

    def test_masks_are_one_for_all_steps_and_each_gate_its_own(self, name):
        G = BLOCKS[name]
        layer = recurrent(name, 40, 30, dropout=0.5, recurrent_dropout=0.25)
        layer.forward(random_array(6, 5, 30), training=True)
        x_masks, h_masks = layer.dropout_masks
        assert x_masks.shape == (G, 6, 30)
        assert h_masks.shape == (G, 6, 40)
        assert set(np.unique(x_masks)) == {0, 2}
        assert set(np.unique(h_masks)) == {0, 1 / 0.75}
        for masks in (x_masks, h_masks):
            assert len({mask.tobytes() for mask in masks}) == G
        assert abs((h_masks == 0).mean() - 0.25) < 0.05

    def test_plain_dropout_is_dropout_of_the_input(self, name):
        layer = recurrent(name, 2, 7, dropout=0.4, return_sequences=True)
        x, dy = random_array(6, 5, 7), random_array(6, 5, 2)
        y = layer.forward(x, training=True)
        m, h_masks = layer.dropout_masks
        assert h_masks is None
        plain = recurrent(name, 2, 7, return_sequences=True)
        np.testing.assert_array_equal(y, plain.forward(x * m[:, None, :], training=True))
        np.testing.assert_array_equal(layer.backward(dy), plain.backward(dy) * m[:, None, :])

    def test_everything_dropped(self, name):
        layer = recurrent(name, 2, 7, dropout=1.0, recurrent_dropout=1.0)
        x = random_array(6, 5, 7)
        y = layer.forward(x, training=True)
        np.testing.assert_array_equal(y, layer.forward(-3 * x, training=True))
        assert not layer.backward(random_array(6, 2)).any()


class TestMaskSource:
    def test_the_nth_mask_depends_on_seed_and_n_alone(self):
        like = np.zeros(1)
        one, other = MaskSource("A", 4), MaskSource("B", 4)
        other.draw((7,), 0.1, like)
        one.draw((2, 3), 0.9, like)
        np.testing.assert_array_equal(one.draw((9, 9), 0.5, like), other.draw((9, 9), 0.5, like))
        assert one.state() == {"seed": 4, "draws": 2}

    def test_a_seed_is_drawn_once_where_none_was_given(self):
        set_random_seed(8)
        source = MaskSource("A", None)
        assert source.state() == {"seed": None, "draws": 0}
        first = source.draw((9, 9), 0.5, np.zeros(1))
        assert source.seed is not None
        set_random_seed(8)
        np.testing.assert_array_equal(MaskSource("A", None).draw((9, 9), 0.5, np.zeros(1)), first)

    @every_dtype
    def test_dtype_and_scale(self, dtype):
        mask = MaskSource("A", 4).draw((50, 50), 0.2, np.zeros(1, dtype))
        assert mask.dtype == dtype
        assert abs(mask.mean() - 1) < 0.05
        assert not MaskSource("A", 4).draw((5, 5), 1, np.zeros(1)).any()


@every_layer
@page_and_kernel
class TestBackward:
    """Backward goes through the latest training forward, once."""

    def make(self, name, page):
        return recurrent(name, 2, 3, page=page), random_array(5, 4, 3), random_array(5, 2)

    def test_without_a_training_forward(self, name, page):
        layer, x, dy = self.make(name, page)
        with pytest.raises(BackwardError, match=r"no training forward"):
            layer.backward(dy)
        layer(x)
        with pytest.raises(BackwardError, match=r"no training forward") as e:
            layer.backward(dy)
        assert message(e).startswith(f"{layer.name}.backward")

    def test_twice(self, name, page):
        layer, x, dy = self.make(name, page)
        layer.forward(x, training=True)
        layer.backward(dy)
        with pytest.raises(BackwardError, match=r"backward once after each"):
            layer.backward(dy)

    def test_latest_training_forward(self, name, page):
        layer, x, dy = self.make(name, page)
        layer.forward(random_array(5, 4, 3, seed=9), training=True)
        layer.forward(x, training=True)
        layer(random_array(2, 6, 3))
        dx = layer.backward(dy)
        other, _, _ = self.make(name, page)
        other.forward(x, training=True)
        np.testing.assert_array_equal(dx, other.backward(dy))

    def test_wrong_dy_is_refused_and_the_right_one_still_taken(self, name, page):
        layer, x, dy = self.make(name, page)
        layer.forward(x, training=True)
        with pytest.raises(
            InputError, match=r"expected dy with the shape of the output, \(5, 2\)"
        ) as e:
            layer.backward(random_array(5, 4, 2))
        message(e)
        layer.backward(dy)


def test_messages():
    """One line: the argument, what was expected, what came, what to do."""
    x = random_array(5, 4, 3)
    gru_state = random_array(5, 2)
    cases = [
        (
            lambda: LSTM(2)(np.ones((32, 40))),
            "LSTM: expected x of shape (batch, time, features), got (32, 40). "
            "Add a features axis: x[..., np.newaxis].",
        ),
        (
            lambda: SimpleRNN(2)(np.ones((2, 3, 4, 5))),
            "SimpleRNN: expected x of shape (batch, time, features), got (2, 3, 4, 5). Reshape it.",
        ),
        (
            lambda: GRU(2)(np.ones(3)),
            "GRU: expected x of shape (batch, time, features), got (3,). Reshape it.",
        ),
        (
            lambda: recurrent("lstm", 2, 4)(x),
            "LSTM: expected x with 4 features, which the layer was built for, got 3 in shape "
            "(5, 4, 3). Pass arrays of the same width, or make a new layer.",
        ),
        (
            lambda: GRU(2)(x, initial_state=gru_state),
            "gru: expected initial_state to be a tuple of 1 (h), got ndarray. "
            "Write it as a tuple, also for one.",
        ),
        (
            lambda: LSTM(2)(x, initial_state=(gru_state,)),
            "lstm: expected initial_state to be a tuple of 2 (h, c), got 1. "
            "Write it as a tuple, also for one.",
        ),
        (
            lambda: LSTM(2)(x, initial_state=(gru_state, random_array(4, 2))),
            "lstm: expected initial_state c of shape (5, 2), got (4, 2).",
        ),
        (
            lambda: LSTM(2)(x, mask=np.ones((4, 5), dtype=bool)),
            "lstm: expected mask to be boolean of shape (5, 4), got bool of shape (4, 5). "
            "True marks a step that counts.",
        ),
        (
            lambda: LSTM(2)(x, mask=np.ones((5, 4))),
            "lstm: expected mask to be boolean of shape (5, 4), got float64 of shape (5, 4). "
            "True marks a step that counts.",
        ),
        (
            lambda: LSTM(0),
            "LSTM: expected units to be a positive integer, got 0. "
            "Pass a whole number of 1 or more.",
        ),
        (lambda: LSTM(2, dropout=1.5), "LSTM: expected dropout to be"),
        (lambda: GRU(2, recurrent_dropout=-0.1), "GRU: expected recurrent_dropout to be"),
        (lambda: LSTM(2, seed="red"), "LSTM: expected seed to be"),
        (lambda: LSTM(2, activation="tang"), "activation: expected one of"),
        (lambda: LSTM(2).reset_state(), "lstm.reset_state: "),
    ]
    for function, expected in cases:
        with pytest.raises(InputError) as e:
            function()
        assert message(e).startswith(expected), message(e)


@every_layer
def test_wrong_d_state(name):
    layer = recurrent(name, 2, 3)
    x, dy = random_array(5, 4, 3), random_array(5, 2)
    n = len(layer.state_names)
    for wrong in (dy, (dy,) * (n + 1), (dy[:4],) * n):
        layer.forward(x, training=True)
        with pytest.raises(InputError, match=r"expected d_state") as e:
            layer.backward(dy, wrong)
        message(e)


def test_stateful_layer_and_another_batch_size():
    layer = recurrent("gru", 2, 3, stateful=True)
    layer(random_array(5, 4, 3))
    with pytest.raises(InputError, match=re.escape("of shape (3, 2), got (5, 2)")) as e:
        layer(random_array(3, 4, 3))
    assert "reset_state" in message(e)
    layer.reset_state()
    layer(random_array(3, 4, 3))


@every_layer
@every_dtype
@page_and_kernel
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"go_backwards": True, "return_sequences": True},
        {"dropout": 0.3, "use_bias": False},
        {"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 20},
        {"stateful": True, "zero_output_for_mask": True, "return_sequences": True},
    ],
    ids=str,
)
def test_everything_stays_where_the_input_is(name, dtype, page, masked, settings, monkeypatch):
    monkeypatch.setattr(recurrent_parts, "WORTH", 0)  # a device's rows all take every step
    x = random_array(5, 4, 3, dtype=dtype)
    dy = random_array(5, *([4] if "return_sequences" in settings else []), 2, dtype=dtype)
    mask = mask_of_every_kind(5, 4) if masked else None
    results = []
    for place in (np.asarray, to_strict):
        layer = recurrent(name, 2, 3, dtype=dtype, page=page, return_state=True, **settings)
        if "dropout" in settings:
            layer.set_state({"seed": 20, "draws": 0})
        state = tuple(place(s) for s in states_for(layer, 5))
        d_state = tuple(place(s) for s in states_for(layer, 5, seed=80))
        placed_mask = None if mask is None else place(mask)
        results.append(
            [
                *layer.forward(place(x), mask=placed_mask),
                *layer.forward(place(x), True, placed_mask, state),
                layer.backward(place(dy), d_state),
                *layer.grads.values(),
                *layer.d_initial_state,
            ]
        )
    for reference, array in zip(*results, strict=True):
        assert type(array) is StrictArray
        assert array.dtype == reference.dtype
        assert_agrees(to_host(array), reference, DEVICE_TOLERANCE[dtype])


@every_kernel
def test_initial_states_from_the_host_do_not_meet_a_devices_input(name):
    layer = recurrent(name, 2, 3)
    with pytest.raises(InputError, match=r'scratchnet.to_device\(initial_state, "gpu"\)'):
        layer.forward(to_strict(random_array(5, 4, 3)), initial_state=states_for(layer, 5))
