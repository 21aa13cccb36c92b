"""Adam: RMSprop with a running mean of the gradient, both corrected for starting at 0."""

from __future__ import annotations

import math
from typing import Any

from scratchnet.arguments import FRACTION_BELOW_1, NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class Adam(Optimizer):
    r"""Step by the running mean of the gradient over the root of that of its square.

    .. math::

        t &\leftarrow t + 1 \\
        \alpha &= \eta\, \sqrt{1 - \beta_2^t} / (1 - \beta_1^t) \\
        m &\leftarrow m + (1 - \beta_1)(g - m) \\
        s &\leftarrow s + (1 - \beta_2)(g^2 - s) \\
        w &\leftarrow w - \alpha\, m / (\sqrt{s} + \epsilon)

    This is the second form of Kingma & Ba (2015), section 2, where :math:`\epsilon` is added to the
    uncorrected root. AMSGrad divides by the largest :math:`s` so far,
    :math:`\hat s \leftarrow \max(\hat s, s)` (Reddi et al. 2018).

    ====================  ===============  ========================
    slot                  symbol           kept
    ====================  ===============  ========================
    ``mean_gradient``     :math:`m`        always
    ``mean_square``       :math:`s`        always
    ``max_mean_square``   :math:`\hat s`   when ``amsgrad``
    ====================  ===============  ========================

    Parameters
    ----------
    beta_1, beta_2 : float
        :math:`\beta_1, \beta_2`, from 0 to below 1.
    epsilon : float
        :math:`\epsilon`, outside the root; 0 is a value.
    amsgrad : bool
        Whether to divide by the largest mean square.
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
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.beta_1 = real(self._name, "beta_1", beta_1, FRACTION_BELOW_1)
        self.beta_2 = real(self._name, "beta_2", beta_2, FRACTION_BELOW_1)
        self.epsilon = real(self._name, "epsilon", epsilon, NOT_NEGATIVE)
        self.amsgrad = amsgrad

    def slot_values(self) -> dict[str, float]:
        kept = {"mean_gradient": 0.0, "mean_square": 0.0}
        return {**kept, "max_mean_square": 0.0} if self.amsgrad else kept

    def step_numbers(self, learning_rate: float) -> dict[str, float]:
        t = self.iterations + 1
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return {"alpha": alpha}

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        mean_gradient: Array,
        mean_square: Array,
        max_mean_square: Array | None = None,
    ) -> None:
        xp = array_module(variable)
        mean_gradient += (1 - self.beta_1) * (gradient - mean_gradient)
        mean_square += (1 - self.beta_2) * (gradient * gradient - mean_square)
        scale = mean_square
        if max_mean_square is not None:
            max_mean_square[...] = xp.maximum(max_mean_square, mean_square)
            scale = max_mean_square
        variable -= self.alpha * mean_gradient / (xp.sqrt(scale) + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
