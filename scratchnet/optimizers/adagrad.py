"""Adagrad: the more a weight has moved, the less it moves."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class Adagrad(Optimizer):
    r"""Divide the gradient by the root of the sum of all its squares (Duchi et al. 2011).

    .. math::

        S &\leftarrow S + g^2 \\
        w &\leftarrow w - \eta\, g / \sqrt{S + \epsilon}

    The slot ``sum_of_squares`` is :math:`S`.

    Parameters
    ----------
    initial_accumulator_value : float
        What :math:`S` is before the first step.
    epsilon : float
        :math:`\epsilon`, inside the root; 0 is a value.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`. The paper's rule has a learning rate of 1.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.initial_accumulator_value = real(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value, NOT_NEGATIVE
        )
        self.epsilon = real("Adagrad", "epsilon", epsilon, NOT_NEGATIVE)

    def slot_values(self) -> dict[str, float]:
        return {"sum_of_squares": self.initial_accumulator_value}

    def update_step(
        self, gradient: Array, variable: Array, learning_rate: float, sum_of_squares: Array
    ) -> None:
        xp = array_module(variable)
        sum_of_squares += gradient * gradient
        variable -= learning_rate * gradient / xp.sqrt(sum_of_squares + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
