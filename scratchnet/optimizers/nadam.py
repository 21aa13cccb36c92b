"""Nadam: Adam that looks one step of its momentum ahead, as Nesterov's does."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import FRACTION_BELOW_1, NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule

MOMENTUM_DECAY = 0.96
"""How the momentum schedule approaches its limit, the value of Sutskever et al. (2013)."""


class Nadam(Optimizer):
    r"""Step by a mix of the gradient and the running mean that the next step will use.

    .. math::

        t &\leftarrow t + 1, \qquad \mu_t = \beta_1 (1 - \tfrac12\, 0.96^t), \qquad
        M_t = \textstyle\prod_{i \le t} \mu_i \\
        m &\leftarrow m + (1 - \beta_1)(g - m) \\
        s &\leftarrow s + (1 - \beta_2)(g^2 - s) \\
        \hat m &= \frac{\mu_{t+1}\, m}{1 - M_{t+1}} + \frac{(1 - \mu_t)\, g}{1 - M_t}, \qquad
        \hat s = \frac{s}{1 - \beta_2^t} \\
        w &\leftarrow w - \eta\, \hat m / (\sqrt{\hat s} + \epsilon)

    This is Dozat (2016), algorithm 2, with Keras's schedule of :math:`\mu_t`. The slots
    ``mean_gradient`` and ``mean_square`` are :math:`m` and :math:`s`; ``mu_product`` is
    :math:`M_t`.

    Parameters
    ----------
    beta_1, beta_2 : float
        :math:`\beta_1, \beta_2`, from 0 to below 1.
    epsilon : float
        :math:`\epsilon`, outside the root; 0 is a value.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`.
    """

    ahead: float  # of the step: what the mean counts
    now: float  # and the gradient
    correction: float  # and what the mean square is short of

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
        self.beta_1 = real("Nadam", "beta_1", beta_1, FRACTION_BELOW_1)
        self.beta_2 = real("Nadam", "beta_2", beta_2, FRACTION_BELOW_1)
        self.epsilon = real("Nadam", "epsilon", epsilon, NOT_NEGATIVE)
        self.mu_product = 1.0

    def slot_values(self) -> dict[str, float]:
        return {"mean_gradient": 0.0, "mean_square": 0.0}

    def scalars(self) -> dict[str, float]:
        return {**super().scalars(), "mu_product": self.mu_product}

    def begin_step(self) -> None:
        self.mu_product *= self._mu(self.iterations + 1)

    def step_numbers(self, learning_rate: float) -> dict[str, float]:
        t = self.iterations + 1
        return {
            "ahead": self._mu(t + 1) / (1 - self.mu_product * self._mu(t + 1)),
            "now": (1 - self._mu(t)) / (1 - self.mu_product),
            "correction": 1 - self.beta_2**t,
        }

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        mean_gradient: Array,
        mean_square: Array,
    ) -> None:
        mean_gradient += (1 - self.beta_1) * (gradient - mean_gradient)
        mean_square += (1 - self.beta_2) * (gradient * gradient - mean_square)
        numerator = self.ahead * mean_gradient + self.now * gradient
        root = array_module(variable).sqrt(mean_square / self.correction)
        variable -= learning_rate * numerator / (root + self.epsilon)

    def _mu(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * MOMENTUM_DECAY**t)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
