"""Adamax: Adam with the largest recent gradient in place of the mean square."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import FRACTION_BELOW_1, NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class Adamax(Optimizer):
    r"""Step by the running mean of the gradient over its fading maximum.

    .. math::

        t &\leftarrow t + 1 \\
        m &\leftarrow m + (1 - \beta_1)(g - m) \\
        u &\leftarrow \max(\beta_2 u, |g|) \\
        \alpha &= \eta / (1 - \beta_1^t) \\
        w &\leftarrow w - \alpha\, m / (u + \epsilon)

    This is Kingma & Ba (2015), algorithm 2, with an :math:`\epsilon`. The slots ``mean_gradient``
    and ``norm`` are :math:`m` and :math:`u`.

    Parameters
    ----------
    beta_1, beta_2 : float
        :math:`\beta_1, \beta_2`, from 0 to below 1.
    epsilon : float
        :math:`\epsilon`; 0 is a value.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`.
    """

    alpha: float  # of the step, like the learning rate it is made from

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.beta_1 = real("Adamax", "beta_1", beta_1, FRACTION_BELOW_1)
        self.beta_2 = real("Adamax", "beta_2", beta_2, FRACTION_BELOW_1)
        self.epsilon = real("Adamax", "epsilon", epsilon, NOT_NEGATIVE)

    def slot_values(self) -> dict[str, float]:
        return {"mean_gradient": 0.0, "norm": 0.0}

    def step_numbers(self, learning_rate: float) -> dict[str, float]:
        return {"alpha": learning_rate / (1 - self.beta_1 ** (self.iterations + 1))}

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        mean_gradient: Array,
        norm: Array,
    ) -> None:
        xp = array_module(variable)
        mean_gradient += (1 - self.beta_1) * (gradient - mean_gradient)
        norm[...] = xp.maximum(self.beta_2 * norm, xp.abs(gradient))
        variable -= self.alpha * mean_gradient / (norm + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
