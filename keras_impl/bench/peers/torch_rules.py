"""Keras's updates in the operations that ``torch.optim`` uses.

RMSprop of ``torch.optim`` adds epsilon outside the root and Keras's inside, and Adam's of the two
differ by a factor in epsilon.
"""

from __future__ import annotations

import math
from typing import Any

import torch


class KerasRMSprop(torch.optim.Optimizer):
    """RMSprop without momentum."""

    def __init__(self, weights: list[Any], config: dict[str, Any]) -> None:
        super().__init__(weights, config)
        self._squares = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self) -> None:
        """Update every weight by its gradient."""
        (group,) = self.param_groups
        rho, rate, epsilon = group["rho"], group["learning_rate"], group["epsilon"]
        for weight, square in zip(group["params"], self._squares, strict=True):
            square.mul_(rho).addcmul_(weight.grad, weight.grad, value=1 - rho)
            weight.addcdiv_(weight.grad, square.add(epsilon).sqrt_(), value=-rate)


class KerasAdam(torch.optim.Optimizer):
    """Adam."""

    def __init__(self, weights: list[Any], config: dict[str, Any]) -> None:
        super().__init__(weights, config)
        self._steps = 0
        self._means = [torch.zeros_like(weight) for weight in weights]
        self._squares = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self) -> None:
        """Update every weight by its gradient."""
        (group,) = self.param_groups
        beta_1, beta_2, epsilon = group["beta_1"], group["beta_2"], group["epsilon"]
        self._steps += 1
        alpha = math.sqrt(1 - beta_2**self._steps) / (1 - beta_1**self._steps)
        rate = group["learning_rate"] * alpha
        kept = zip(group["params"], self._means, self._squares, strict=True)
        for weight, mean, square in kept:
            mean.lerp_(weight.grad, 1 - beta_1)
            square.mul_(beta_2).addcmul_(weight.grad, weight.grad, value=1 - beta_2)
            weight.addcdiv_(mean, square.sqrt().add_(epsilon), value=-rate)
