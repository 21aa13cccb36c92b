"""Dropout: what is drawn, when, and that backward uses the same mask."""

import json
import math

import numpy as np
import pytest

from scratchnet import set_random_seed
from scratchnet.errors import InputError
from scratchnet.layers import Dropout
from tests.layers.cases import every_dtype, message, random_array


@every_dtype
def test_inference_is_the_identity(dtype):
    x = random_array(4, 5, dtype=dtype)
    layer = Dropout(0.7, dtype=dtype)
    np.testing.assert_array_equal(layer(x), x, strict=True)
    assert layer.dropout_mask is None


@every_dtype
def test_backward_uses_the_mask_of_forward(dtype):
    x, dy = random_array(40, 5, dtype=dtype), random_array(40, 5, dtype=dtype, seed=3)
    layer = Dropout(0.6, seed=1, dtype=dtype)
    for _ in range(3):
        y = layer.forward(x, training=True)
        kept = y != 0
        assert 0 < kept.mean() < 1
        np.testing.assert_allclose(y[kept], x[kept] / 0.4, rtol=1e-6)
        dx = layer.backward(dy)
        np.testing.assert_array_equal(dx != 0, kept)
        np.testing.assert_allclose(dx[kept], dy[kept] / 0.4, rtol=1e-6)
        np.testing.assert_array_equal(layer.dropout_mask * x, y, strict=True)


def test_rate_0_drops_nothing():
    x, dy = random_array(4, 5), random_array(4, 5, seed=2)
    layer = Dropout(0, dtype="float64")
    np.testing.assert_array_equal(layer.forward(x, training=True), x)
    np.testing.assert_array_equal(layer.backward(dy), dy)


def test_rate_1_drops_everything():
    layer = Dropout(1, dtype="float64")
    y = layer.forward(random_array(4, 5), training=True)
    np.testing.assert_array_equal(y, np.zeros((4, 5)), strict=True)
    np.testing.assert_array_equal(layer.backward(random_array(4, 5)), np.zeros((4, 5)))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.83])
def test_statistics(rate):
    """As many dropped as the rate says, within five standard deviations, and each at random."""
    count = 200_000
    layer = Dropout(rate, seed=12, dtype="float64")
    m = layer.forward(np.ones((count, 1)), training=True)[:, 0]
    deviation = 5 * math.sqrt(rate * (1 - rate) / count)
    assert abs((m == 0).mean() - rate) < deviation
    assert abs(m.mean() - 1) < deviation / (1 - rate)
    neighbours = np.corrcoef(m[1:], m[:-1])[0, 1]
    assert abs(neighbours) < 5 / math.sqrt(count)


class TestSeeds:
    def test_same_seed_same_sequence(self):
        x = np.ones((3, 50))
        one, other = Dropout(0.5, seed=4), Dropout(0.5, seed=4)
        sequence = [one.forward(x, training=True) for _ in range(3)]
        for y in sequence:
            np.testing.assert_array_equal(other.forward(x, training=True), y)
        assert not np.array_equal(sequence[0], sequence[1])
        assert not np.array_equal(Dropout(0.5, seed=5).forward(x, training=True), sequence[0])

    def test_two_layers_without_a_seed_differ(self):
        x = np.ones((3, 50))
        assert not np.array_equal(Dropout(0.5)(x, True), Dropout(0.5)(x, True))

    def test_the_process_seed_decides_without_one(self):
        x = np.ones((3, 50))
        drawn = []
        for seed in (6, 6, 7):
            set_random_seed(seed)
            drawn.append(Dropout(0.5)(x, True))
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert not np.array_equal(drawn[0], drawn[2])

    def test_own_generator_leaves_the_process_alone(self):
        set_random_seed(8)
        expected = np.random.default_rng(8).random()
        layer = Dropout(0.5, seed=1)
        layer.forward(np.ones((3, 50)), training=True)
        from scratchnet.random import generator

        assert generator().random() == expected

    @pytest.mark.parametrize("seed", [None, 4])
    def test_goes_on_from_its_state(self, seed):
        x = np.ones((3, 50))
        layer, again = Dropout(0.5, seed=seed), Dropout(0.5, seed=seed)
        again.set_state(layer.state())  # nothing is drawn yet
        layer.forward(x, training=True)
        layer.forward(x, training=True)
        again.set_state(json.loads(json.dumps(layer.state())))
        expected = layer.forward(x, training=True)
        np.testing.assert_array_equal(again.forward(x, training=True), expected)
        np.testing.assert_array_equal(again.forward(x, True), layer.forward(x, True))

    @pytest.mark.parametrize("state", [{"seed": -1, "draws": 0}, {"seed": 1, "draws": 0.5}])
    def test_bad_states(self, state):
        with pytest.raises(
            InputError, match=r"^Dropout: expected (seed|draws) to be a whole number"
        ):
            Dropout(0.5).set_state(state)

    @pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
    def test_bad_seeds(self, seed):
        with pytest.raises(InputError, match=r"Dropout: expected seed to be a whole number") as e:
            Dropout(0.5, seed=seed)
        assert repr(seed) in message(e)


class TestNoiseShape:
    @pytest.mark.parametrize(
        ("noise_shape", "shared"),
        [((None, 1, None), 1), ((7, 1, 5), 1), ((1, None, None), 0), ([None, None, 1], 2)],
    )
    def test_the_mask_is_shared_along_axes_of_1(self, noise_shape, shared):
        x, dy = random_array(7, 6, 5), random_array(7, 6, 5, seed=2)
        layer = Dropout(0.5, noise_shape, seed=2, dtype="float64")
        kept = layer.forward(x, training=True) != 0
        np.testing.assert_array_equal(layer.backward(dy) != 0, kept)
        first = kept.take([0], axis=shared)
        np.testing.assert_array_equal(kept, np.broadcast_to(first, kept.shape))
        assert first.any()
        assert not first.all()
        others = tuple(n for n in range(3) if n != shared)
        assert all(len(np.unique(kept, axis=n)) > 1 for n in others)
        assert layer.dropout_mask.shape[shared] == 1

    @pytest.mark.parametrize("noise_shape", [(1,), (None, 1), (7, 3, 5), (8, 1, 5), (7, 6, 5, 1)])
    def test_that_does_not_fit_x(self, noise_shape):
        layer = Dropout(0.5, noise_shape)
        with pytest.raises(InputError, match=r"Dropout: expected noise_shape .* \(7, 6, 5\)") as e:
            layer(random_array(7, 6, 5))
        assert f"got {noise_shape}" in message(e)

    @pytest.mark.parametrize(
        ("noise_shape", "reason"),
        [
            ("12", "expected noise_shape to be a tuple, got '12'"),
            (3, "expected noise_shape to be a tuple, got 3"),
            ((None, 0), r"expected noise_shape\[1\] to be a positive integer, got 0"),
            ((2.0, 1), r"expected noise_shape\[0\] to be a positive integer, got 2.0"),
        ],
    )
    def test_that_is_none(self, noise_shape, reason):
        with pytest.raises(InputError, match=f"^Dropout: {reason}") as e:
            Dropout(0.5, noise_shape)
        message(e)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "0.5", None, True])
def test_bad_rates(rate):
    with pytest.raises(InputError, match=r"Dropout: expected rate to be a number from 0 to 1") as e:
        Dropout(rate)
    assert repr(rate) in message(e)


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 2, 3), (6, 1, 2, 3)])
def test_any_rank(shape):
    layer = Dropout(0.5, seed=1)
    assert layer.forward(np.ones(shape), training=True).shape == shape


def test_the_mask_goes_on():
    mask = np.array([[True, False]])
    assert Dropout(0.5).compute_mask(np.ones((1, 2, 3)), mask) is mask


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**63 + 1, 2**64 - 1, 2**64 + 3, 10**40])
def test_every_seed_has_masks_of_its_own(seed):
    x = np.ones((40, 40))
    masks = [Dropout(0.5, seed=seed + more).forward(x, training=True) for more in (0, 0, 1)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).mean() > 0.3
