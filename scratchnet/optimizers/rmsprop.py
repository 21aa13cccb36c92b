"""RMSprop: a learning rate for every weight, from the recent size of its gradient."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import FRACTION, NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module
from scratchnet.optimizers.base import Optimizer
from scratchnet.schedules import LearningRateSchedule


class RMSprop(Optimizer):
    r"""Divide the gradient by the root of its running mean square (Hinton 2012, lecture 6e).

    .. math::

        s &\leftarrow \rho s + (1 - \rho)\, g^2 \\
        \Delta &\leftarrow \eta\, g / \sqrt{s + \epsilon} \\
        w &\leftarrow w - \Delta

    Centred, the running mean :math:`m \leftarrow \rho m + (1 - \rho)\, g` is taken off, so that the
    root is of the variance, :math:`\sqrt{s - m^2 + \epsilon}` (Graves 2013, equation 40). With
    momentum :math:`\mu` the steps add up, :math:`v \leftarrow \mu v + \Delta`, and
    :math:`w \leftarrow w - v`.

    ====================  =========  =====================================
    slot                  symbol     kept
    ====================  =========  =====================================
    ``mean_square``       :math:`s`  always
    ``mean_gradient``     :math:`m`  when ``centered``
    ``velocity``          :math:`v`  when ``momentum`` is not 0
    ====================  =========  =====================================

    Parameters
    ----------
    rho : float
        :math:`\rho`, from 0 to 1.
    momentum : float
        :math:`\mu`, from 0 to 1.
    epsilon : float
        :math:`\epsilon`, inside the root; 0 is a value.
    centered : bool
        Whether to divide by the root of the variance.
    learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self.rho = real("RMSprop", "rho", rho, FRACTION)
        self.momentum = real("RMSprop", "momentum", momentum, FRACTION)
        self.epsilon = real("RMSprop", "epsilon", epsilon, NOT_NEGATIVE)
        self.centered = centered

    def slot_values(self) -> dict[str, float]:
        kept = {"mean_square": True, "mean_gradient": self.centered, "velocity": self.momentum != 0}
        return {name: 0.0 for name, wanted in kept.items() if wanted}

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        mean_square: Array,
        mean_gradient: Array | None = None,
        velocity: Array | None = None,
    ) -> None:
        mean_square *= self.rho
        mean_square += (1 - self.rho) * (gradient * gradient)
        scale = mean_square
        if mean_gradient is not None:
            mean_gradient *= self.rho
            mean_gradient += (1 - self.rho) * gradient
            scale = mean_square - mean_gradient * mean_gradient
        step = learning_rate * gradient / array_module(variable).sqrt(scale + self.epsilon)
        if velocity is not None:
            velocity *= self.momentum
            velocity += step
            step = velocity
        variable -= step

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
