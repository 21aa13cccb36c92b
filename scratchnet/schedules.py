r"""Learning rates that change with the step count, under Keras's names and with its arguments.

A schedule is called with the number of updates already made, so first with 0::

    schedule = ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
    schedule(0)      # 0.1
    schedule(100)    # 0.05
    SGD(learning_rate=schedule)
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from scratchnet.arguments import NOT_NEGATIVE, POSITIVE, construct, look_up, real
from scratchnet.errors import InputError

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "get",
]


class LearningRateSchedule:
    """A function from the step count to the learning rate, with a configuration."""

    def __call__(self, step: float) -> float:
        """Return the learning rate after ``step`` updates."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, ready for JSON; Keras's twin takes them too."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the schedule that gave this configuration."""
        return construct(cls, config)


class ExponentialDecay(LearningRateSchedule):
    r"""Decay by the same factor every ``decay_steps`` steps.

    .. math:: \eta_t = \eta_0\, r^{t / T}

    Parameters
    ----------
    initial_learning_rate : float
        :math:`\eta_0`.
    decay_steps : float
        :math:`T`, in steps.
    decay_rate : float
        :math:`r`.
    staircase : bool
        Round :math:`t / T` down, so that the rate falls in stairs.
    name : str
        Kept for Keras.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = real(
            "ExponentialDecay", "initial_learning_rate", initial_learning_rate, NOT_NEGATIVE
        )
        self.decay_steps = real("ExponentialDecay", "decay_steps", decay_steps, POSITIVE)
        self.decay_rate = real("ExponentialDecay", "decay_rate", decay_rate, NOT_NEGATIVE)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: float) -> float:
        p = step / self.decay_steps
        if self.staircase:
            p = math.floor(p)
        return float(self.initial_learning_rate * self.decay_rate**p)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class CosineDecay(LearningRateSchedule):
    r"""Decay along half a cosine, after an optional linear warm-up (Loshchilov & Hutter 2017).

    .. math::

        \eta_t = \eta\,\bigl((1 - \alpha)\,\tfrac12 (1 + \cos(\pi\,s / T)) + \alpha\bigr),
        \qquad s = \min(t, T)

    With a ``warmup_target`` the first :math:`W` steps climb from :math:`\eta_0` to it in a straight
    line, :math:`\eta_t = \eta_0 + (\eta - \eta_0)\,t / W`; then :math:`s` counts from there.

    Parameters
    ----------
    initial_learning_rate : float
        :math:`\eta_0`, and :math:`\eta` where there is no warm-up.
    decay_steps : float
        :math:`T`, in steps, the warm-up not counted.
    alpha : float
        What is left at the end, as a share of :math:`\eta`.
    name : str
        Kept for Keras.
    warmup_target : float, optional
        :math:`\eta`, where the warm-up ends; None for none.
    warmup_steps : float
        :math:`W`, in steps.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = real(
            "CosineDecay", "initial_learning_rate", initial_learning_rate, NOT_NEGATIVE
        )
        self.decay_steps = real("CosineDecay", "decay_steps", decay_steps, POSITIVE)
        self.alpha = real("CosineDecay", "alpha", alpha, NOT_NEGATIVE)
        self.name = name
        self.warmup_target = warmup_target
        if warmup_target is not None:
            self.warmup_target = real("CosineDecay", "warmup_target", warmup_target, NOT_NEGATIVE)
        self.warmup_steps = real("CosineDecay", "warmup_steps", warmup_steps, NOT_NEGATIVE)

    def __call__(self, step: float) -> float:
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, step)
        if step < self.warmup_steps:
            climb = self.warmup_target - self.initial_learning_rate
            return self.initial_learning_rate + climb * step / self.warmup_steps
        return self._decayed(self.warmup_target, step - self.warmup_steps)

    def _decayed(self, rate: float, step: float) -> float:
        fraction = min(step / self.decay_steps, 1.0)
        cosine = 0.5 * (1 + math.cos(math.pi * fraction))
        return rate * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    r"""Hold each value up to its boundary, the boundary included.

    .. math:: \eta_t = v_i \quad\text{where}\quad b_{i-1} < t \le b_i

    Parameters
    ----------
    boundaries : sequence of float
        :math:`b_0 < b_1 < \dots`, in steps.
    values : sequence of float
        :math:`v_0, v_1, \dots`, one more than boundaries; the last holds for ever.
    name : str
        Kept for Keras.
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        owner = "PiecewiseConstantDecay"
        if not (isinstance(boundaries, Sequence) and isinstance(values, Sequence)):
            raise InputError(
                f"{owner}: expected boundaries and values to be lists, got {boundaries!r} and "
                f"{values!r}. Pass for instance [100, 200] and [0.1, 0.03, 0.01]."
            )
        if len(boundaries) != len(values) - 1:
            raise InputError(
                f"{owner}: expected one more value than boundaries, got {len(values)} values and "
                f"{len(boundaries)} boundaries. Give the value that holds after the last boundary."
            )
        self.boundaries = [real(owner, f"boundaries[{i}]", b) for i, b in enumerate(boundaries)]
        self.values = [real(owner, f"values[{i}]", v, NOT_NEGATIVE) for i, v in enumerate(values)]
        self.name = name
        if any(b >= after for b, after in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise InputError(
                f"{owner}: expected boundaries that grow, got {list(boundaries)}. Sort them and "
                "remove repetitions."
            )

    def __call__(self, step: float) -> float:
        return self.values[bisect.bisect_left(self.boundaries, step)]

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


_MEMBERS: dict[str, type[LearningRateSchedule]] = {
    kind.__name__: kind for kind in (CosineDecay, ExponentialDecay, PiecewiseConstantDecay)
}


def get(identifier: object) -> LearningRateSchedule:
    """Return a schedule from ``{"class_name": …, "config": …}``; an instance passes through.

    Raises
    ------
    InputError
        If there is no such schedule or the config does not fit it.
    """
    return look_up(identifier, LearningRateSchedule, _MEMBERS)
