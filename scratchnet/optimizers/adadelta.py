"""Adadelta: steps in the units of the weights, sized by the steps before."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import FRACTION, NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class Adadelta(Optimizer):
    r"""Scale the gradient by the ratio of two running means (Zeiler 2012, algorithm 1).

    .. math::

        s &\leftarrow \rho s + (1 - \rho)\, g^2 \\
        \Delta &= \sqrt{d + \epsilon}\; g / \sqrt{s + \epsilon} \\
        d &\leftarrow \rho d + (1 - \rho)\, \Delta^2 \\
        w &\leftarrow w - \eta \Delta

    The slots ``mean_square`` and ``mean_square_step`` are :math:`s` and :math:`d`.

    Parameters
    ----------
    rho : float
        :math:`\rho`, from 0 to 1.
    epsilon : float
        :math:`\epsilon`, inside both roots; with 0 the weights never leave their first values.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`. The paper's rule has a learning rate of 1.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.rho = real("Adadelta", "rho", rho, FRACTION)
        self.epsilon = real("Adadelta", "epsilon", epsilon, NOT_NEGATIVE)

    def slot_values(self) -> dict[str, float]:
        return {"mean_square": 0.0, "mean_square_step": 0.0}

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        mean_square: Array,
        mean_square_step: Array,
    ) -> None:
        xp = array_module(variable)
        mean_square *= self.rho
        mean_square += (1 - self.rho) * (gradient * gradient)
        step = xp.sqrt(mean_square_step + self.epsilon) * gradient
        step /= xp.sqrt(mean_square + self.epsilon)
        mean_square_step *= self.rho
        mean_square_step += (1 - self.rho) * (step * step)
        variable -= learning_rate * step

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
