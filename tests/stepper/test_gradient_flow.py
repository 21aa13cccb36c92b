"""What arrives at h_t, held against the layer's own backward and against central differences."""

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.layers import GRU, LSTM, Dense, SimpleRNN
from scratchnet.stepper.gradient_flow import depth_gradients, hidden_gradients
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)

B, T, D, H = 2, 5, 3, 4
KINDS = {
    "SimpleRNN": lambda **options: SimpleRNN(H, **options),
    "LSTM": lambda **options: LSTM(H, **options),
    "GRU": lambda **options: GRU(H, **options),
    "GRU, reset before": lambda **options: GRU(H, reset_after=False, **options),
}


def made(kind: str, **options):
    """A float64 layer with random distinct weights, an input and a gradient for its output."""
    generator = np.random.default_rng(7)
    layer = KINDS[kind](dtype="float64", return_sequences=True, **options)
    layer.build((B, T, D))
    layer.set_weights([generator.normal(size=w.shape) for w in layer.get_weights()])
    return layer, generator.normal(size=(B, T, D)), generator.normal(size=(B, T, H))


def after(layer, x, dy, t: int):
    """Split the run after step t: the states there, and the loss as a function of them."""
    n = len(layer.state_names)
    layer.return_state = True
    _, *states = layer.forward(x[:, : t + 1])
    layer.return_state = False

    def later(h) -> float:
        y = layer.forward(x[:, t + 1 :], initial_state=(h, *states[1:]))
        return float((y * dy[:, t + 1 :]).sum())

    return states[:n], later


@pytest.mark.parametrize("kind", KINDS)
class TestHiddenGradients:
    def test_from_later_is_the_derivative_of_the_later_outputs(self, kind):
        layer, x, dy = made(kind)
        found = hidden_gradients(layer, x, dy)
        for t in range(T - 1):
            states, later = after(layer, x, dy, t)
            numeric = central_differences(later, states[0].copy())
            assert_not_negligible(numeric)
            assert_agrees(found.from_later[:, t], numeric, DIFFERENCES_TOLERANCE)

    def test_from_later_is_what_the_layer_gives_back_at_that_step(self, kind):
        layer, x, dy = made(kind)
        found = hidden_gradients(layer, x, dy)
        for t in range(T - 1):
            states, _ = after(layer, x, dy, t)
            layer.forward(x[:, t + 1 :], training=True, initial_state=tuple(states))
            layer.backward(dy[:, t + 1 :])
            assert_agrees(found.from_later[:, t], layer.d_initial_state[0], 1e-12)
            if kind == "LSTM":
                assert_agrees(found.cell_from_later[:, t], layer.d_initial_state[1], 1e-12)

    def test_total_is_the_sum_of_the_two_parts(self, kind):
        layer, x, dy = made(kind)
        found = hidden_gradients(layer, x, dy)
        np.testing.assert_array_equal(found.from_output, dy)
        np.testing.assert_array_equal(found.total, dy + found.from_later)
        assert not found.from_later[:, -1].any()

    def test_of_the_last_output_alone(self, kind):
        layer, x, dy = made(kind)
        last = hidden_gradients(layer, x, dy[:, -1])
        padded = np.zeros_like(dy)
        padded[:, -1] = dy[:, -1]
        every = hidden_gradients(layer, x, padded)
        np.testing.assert_array_equal(last.total, every.total)
        assert_not_negligible(last.from_later[:, 0])

    def test_a_gradient_of_the_final_state_arrives_at_the_last_step(self, kind):
        layer, x, dy = made(kind)
        d_state = tuple(
            np.random.default_rng(k).normal(size=(B, H)) for k in range(len(layer.state_names))
        )
        found = hidden_gradients(layer, x, dy, d_state)
        np.testing.assert_array_equal(found.from_later[:, -1], d_state[0])
        layer.forward(x, training=True)
        layer.backward(dy, d_state)
        weights = hidden_gradients(layer, x, dy).from_later
        assert np.abs(found.from_later - weights).max() > 1e-3

    def test_backwards_layers_are_shown_in_the_order_of_their_steps(self, kind):
        layer, x, dy = made(kind, go_backwards=True)
        forwards, *_ = made(kind)
        found = hidden_gradients(layer, x, dy)
        expected = hidden_gradients(forwards, x[:, ::-1], dy)
        np.testing.assert_array_equal(found.total, expected.total)

    def test_norms_are_over_batch_and_units(self, kind):
        layer, x, dy = made(kind)
        found = hidden_gradients(layer, x, dy)
        norms = found.norms()
        expected = [np.linalg.norm(found.total[:, t]) for t in range(T)]
        np.testing.assert_allclose(norms["total"], expected, rtol=1e-14)
        assert ("cell_from_later" in norms) == (kind == "LSTM")

    def test_the_layer_is_left_as_it_was(self, kind):
        layer, x, dy = made(kind)
        layer.forward(x, training=True)
        hidden_gradients(layer, 2 * x, dy)
        dx = layer.backward(dy)
        layer.forward(x, training=True)
        np.testing.assert_array_equal(layer.backward(dy), dx)


def test_only_recurrent_layers():
    with pytest.raises(InputError, match="SimpleRNN, LSTM or GRU, got Dense"):
        hidden_gradients(Dense(3), np.ones((2, 3, 4)), np.ones((2, 3, 3)))


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"recurrent_dropout": 0.2}])
def test_dropout_is_refused(options):
    layer, x, dy = made("GRU", **options)
    with pytest.raises(InputError, match="without dropout"):
        hidden_gradients(layer, x, dy)


def test_wrong_shape():
    layer, x, dy = made("LSTM")
    with pytest.raises(InputError, match=r"\(2, 5, 4\), or \(2, 4\) .* got \(2, 4, 4\)"):
        hidden_gradients(layer, x, dy[:, :-1])


class TestDepthGradients:
    def test_shares_add_up_to_one(self):
        found = depth_gradients("tanh", layers=3)
        assert found.norms.shape == (3,)
        assert found.shares.sum() == pytest.approx(1, abs=1e-12)

    def test_sigmoid_starves_the_first_layer_and_relu_does_not(self):
        assert depth_gradients("sigmoid").shares[0] < 1e-5
        assert depth_gradients("relu").shares[0] > 0.01

    def test_one_layers_gradient_by_hand(self):
        found = depth_gradients("linear", layers=1, units=3, batch=5, seed=2)
        generator = np.random.default_rng(2)
        x, y = generator.standard_normal((5, 3)), generator.standard_normal((5, 3))
        layer = Dense(3, dtype="float64", kernel_initializer=glorot(2))
        dy = 2 * (layer.forward(x) - y) / y.size
        assert found.norms[0] == pytest.approx(np.linalg.norm(x.T @ dy), rel=1e-12)

    @pytest.mark.parametrize("name", ["layers", "units", "batch"])
    def test_counts(self, name):
        with pytest.raises(InputError, match=f"{name} of at least 1, got 0"):
            depth_gradients("relu", **{name: 0})


def glorot(seed: int):
    from scratchnet.initializers import GlorotUniform

    return GlorotUniform(seed=seed)
