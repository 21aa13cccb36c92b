"""One or two steps of each rule with numbers that a person can follow.

The weight starts at 1 unless said otherwise and the gradient is mostly 2.
"""

import math

import numpy as np
import pytest

from scratchnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop
from scratchnet.schedules import PiecewiseConstantDecay


def weights_after(optimizer, *gradients, start=1.0):
    """The weight after each step."""
    weight = np.array([start])
    seen = []
    for gradient in gradients:
        optimizer.apply_gradients([(np.array([gradient]), weight)])
        seen.append(weight.item())
    return pytest.approx(seen, rel=1e-14)


def test_sgd():
    assert weights_after(SGD(0.1), 0.5, -1.0) == [0.95, 1.05]


def test_sgd_with_momentum():
    # v = -0.05, then 0.9 · -0.05 - 0.05 = -0.095
    assert weights_after(SGD(0.1, momentum=0.9), 0.5, 0.5) == [0.95, 0.855]


def test_sgd_with_nesterov_s_momentum():
    # the same velocities; w + 0.9 v - 0.05: 1 - 0.045 - 0.05, then - 0.0855 - 0.05
    optimizer = SGD(0.1, momentum=0.9, nesterov=True)
    assert weights_after(optimizer, 0.5, 0.5) == [0.905, 0.7695]


def test_nesterov_without_momentum_changes_nothing():
    assert weights_after(SGD(0.1, nesterov=True), 0.5) == [0.95]


def test_rmsprop():
    # s = (1 - 0.75) 2² = 1; epsilon inside the root: √(1 + 0.44) = 1.2
    assert weights_after(RMSprop(0.12, rho=0.75, epsilon=0.44), 2.0) == [0.8]


def test_rmsprop_centered():
    # s = 1, m = 0.5, s - m² + epsilon = 0.75 + 0.25 = 1
    optimizer = RMSprop(0.1, rho=0.75, epsilon=0.25, centered=True)
    assert weights_after(optimizer, 2.0) == [0.8]


def test_rmsprop_with_momentum():
    # step 0.2, v = 0.2; then no gradient: v = 0.1
    optimizer = RMSprop(0.1, rho=0.75, momentum=0.5, epsilon=0.0)
    assert weights_after(optimizer, 2.0, 0.0) == [0.8, 0.7]


def test_adagrad():
    # S = 2 + 1 = 3, √(3 + 1) = 2; then S = 3 + 2² + 1 = 8
    optimizer = Adagrad(0.1, initial_accumulator_value=2.0, epsilon=1.0)
    assert weights_after(optimizer, 1.0, 2.0) == [0.95, 0.95 - 0.2 / math.sqrt(8)]


def test_adadelta():
    # s = 0.25 · 4² = 4; Δ = 1.5 · 4 / 2.5 = 2.4; d = 0.25 · 2.4² = 1.44
    # s = 3 + 0.25 · 2² = 4; Δ = √(1.44 + 2.25) · 2 / 2.5
    optimizer = Adadelta(0.5, rho=0.75, epsilon=2.25)
    assert weights_after(optimizer, 4.0, 2.0) == [-0.2, -0.2 - 0.4 * math.sqrt(3.69)]


def test_adam():
    # alpha = 0.1 · √0.25 / 0.5 = 0.1, m = 0.5 · 2 = 1, √s = √(0.25 · 4) = 1, 1 + epsilon = 1.25
    assert weights_after(Adam(0.1, beta_1=0.5, beta_2=0.75, epsilon=0.25), 2.0) == [0.92]


@pytest.mark.parametrize(("amsgrad", "root"), [(False, math.sqrt(0.75)), (True, 1.0)])
def test_amsgrad_remembers_the_largest_mean_square(amsgrad, root):
    # second step: m = 0.5, s = 0.75 after 1, alpha = 0.1 · √(1 - 0.75²) / (1 - 0.5²)
    optimizer = Adam(0.1, beta_1=0.5, beta_2=0.75, epsilon=0.0, amsgrad=amsgrad)
    second = 0.1 * math.sqrt(0.4375) / 0.75 * 0.5 / root
    assert weights_after(optimizer, 2.0, 0.0) == [0.9, 0.9 - second]


def test_adamw_decays_before_the_step():
    # 1 - 0.1 · 0.5 · 1 = 0.95, then Adam's step of 0.08
    optimizer = AdamW(0.1, weight_decay=0.5, beta_1=0.5, beta_2=0.75, epsilon=0.25)
    assert weights_after(optimizer, 2.0) == [0.87]


def test_adamax():
    # m = 1, u = 2: 0.1 / 0.5 · 1 / 2.5 = 0.08; m = 1 + 0.5 (-0.5 - 1) = 0.25, u = max(1, 0.5) = 1
    optimizer = Adamax(0.1, beta_1=0.5, beta_2=0.5, epsilon=0.5)
    assert weights_after(optimizer, 2.0, -0.5) == [0.92, 0.92 - 0.1 / 0.75 * 0.25 / 1.5]


def test_nadam():
    # µ₁ = 0.5 (1 - 0.48) = 0.26, µ₂ = 0.5 (1 - 0.4608) = 0.2696, m = 1, ŝ = 1 / 0.25 = 4
    # m̂ = 0.2696 · 1 / (1 - 0.26 · 0.2696) + 0.74 · 2 / 0.74
    optimizer = Nadam(0.1, beta_1=0.5, beta_2=0.75, epsilon=0.5)
    assert weights_after(optimizer, 2.0) == [1 - 0.1 * (0.2696 / 0.929904 + 2) / 2.5]


def test_weight_decay_takes_the_schedule_s_rate_of_this_step():
    # 1 - 0.5 · 0.2 = 0.9, less 0.5 · 1; then 0.4 - 0.1 · 0.2 · 0.4, less 0.1 · 1
    optimizer = SGD(PiecewiseConstantDecay([0], [0.5, 0.1]), weight_decay=0.2)
    assert weights_after(optimizer, 1.0, 1.0) == [0.4, 0.292]


def test_clipping_comes_before_decay_and_step():
    # the gradient 8 is clipped to 1; 1 - 0.5 · 0.2 - 0.5 · 1
    assert weights_after(SGD(0.5, weight_decay=0.2, clipvalue=1.0), 8.0) == [0.4]
    assert weights_after(SGD(0.5, weight_decay=0.2, clipnorm=1.0), 8.0) == [0.4]
    assert weights_after(SGD(0.5, weight_decay=0.2, global_clipnorm=1.0), 8.0) == [0.4]
