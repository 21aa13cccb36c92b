"""Every layer's gradients against central differences, with a random upstream gradient."""

import numpy as np
import pytest

from scratchnet.equations import activations
from scratchnet.layers import Activation, Dense
from scratchnet.layers.activation import FORWARD
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.layers.cases import Case, every_case, random_array

SLOPED = sorted(FORWARD.keys() - {"heaviside"})


def check(case: Case, x: np.ndarray) -> None:
    """Compare ``dx`` and every entry of ``grads`` with numeric derivatives of ``sum(dy * y)``."""
    layer, dy = case.layer(), case.dy()
    start = layer.state()

    def loss(_: np.ndarray) -> float:
        layer.set_state(start)  # the same dropout masks for every evaluation
        return float((dy * layer.forward(x, training=True)).sum())

    loss(x)
    dx = layer.backward(dy)
    grads = dict(layer.grads)
    pairs = [(grads[key], array, key) for key, array in layer.params.items()]
    if not case.takes_ids:
        pairs.append((dx, x, "x"))
    for gradient, array, name in pairs:
        numeric = central_differences(loss, array)
        assert_not_negligible(numeric)
        assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE, f"d{name}")


@every_case
def test_against_central_differences(case):
    check(case, case.x())


@pytest.mark.parametrize("name", SLOPED)
def test_dense_with_every_activation(name):
    check(
        Case(f"dense-{name}", lambda **dtype: Dense(4, name, **dtype), (3, 5)),
        2 * random_array(3, 5),
    )


@pytest.mark.parametrize("name", SLOPED)
def test_every_activation_alone(name):
    x = 2 * random_array(3, 5)
    for kink in (-3, -1, -0.5, 0.5, 1, 3, 6):
        x = np.where(abs(x - kink) < 0.01, x + 0.02, x)
    check(Case(f"activation-{name}", lambda **dtype: Activation(name, **dtype), (3, 5)), x)


def test_heaviside_has_no_slope():
    layer = Dense(3, activations.heaviside)
    layer.forward(random_array(4, 5), training=True)
    assert not layer.backward(random_array(4, 3)).any()
    assert not layer.grads["kernel"].any()
