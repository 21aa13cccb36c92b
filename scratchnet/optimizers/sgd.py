"""Stochastic gradient descent, plain, with momentum or with Nesterov's."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import FRACTION, real
from scratchnet.backend import Array
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class SGD(Optimizer):
    r"""Walk down the gradient, :math:`w \leftarrow w - \eta g`.

    With momentum :math:`\mu` the walk has a velocity (Polyak 1964):

    .. math:: v \leftarrow \mu v - \eta g, \qquad w \leftarrow w + v

    and with Nesterov's it looks one step of that velocity ahead (Sutskever et al. 2013):

    .. math:: v \leftarrow \mu v - \eta g, \qquad w \leftarrow w + \mu v - \eta g

    Parameters
    ----------
    momentum : float
        :math:`\mu`, from 0 to 1.
    nesterov : bool
        Whether to look ahead; changes nothing without momentum.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.momentum = real("SGD", "momentum", momentum, FRACTION)
        self.nesterov = nesterov

    def slot_values(self) -> dict[str, float]:
        return {"velocity": 0.0} if self.momentum else {}

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        velocity: Array | None = None,
    ) -> None:
        if velocity is None:
            variable -= learning_rate * gradient
            return
        velocity *= self.momentum
        velocity -= learning_rate * gradient
        if self.nesterov:
            variable += self.momentum * velocity - learning_rate * gradient
        else:
            variable += velocity

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
