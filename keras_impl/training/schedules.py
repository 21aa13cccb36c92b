"""How the learning rate goes down: functions of the step alone, so that a stop changes nothing."""

from __future__ import annotations

from typing import Any

import keras

WARMUP = 0.05
"""Share of all steps in which ``warmup`` lets the rate rise."""
LAST = 0.1
"""What ``exponential`` leaves of the rate at the end."""


def scheduled(name: str, rate: float, steps: int) -> Any:
    """Return what a Keras optimizer takes as its learning rate.

    Parameters
    ----------
    name : {"constant", "cosine", "exponential", "linear", "warmup"}
        ``cosine`` and ``linear`` go down to 0, ``exponential`` to a tenth; ``warmup`` first rises
        from 0, in a twentieth of the steps, and then is ``cosine``.
    rate : float
        The experiment's own, the highest there is.
    steps : int
        Of the whole training.
    """
    rates = keras.optimizers.schedules
    if name == "cosine":
        return rates.CosineDecay(rate, steps)
    if name == "exponential":
        return rates.ExponentialDecay(rate, steps, LAST)
    if name == "linear":
        return rates.PolynomialDecay(rate, steps, 0.0)
    if name == "warmup":
        warm = max(1, round(WARMUP * steps))
        rest = max(1, steps - warm)
        return rates.CosineDecay(0.0, rest, warmup_target=rate, warmup_steps=warm)
    return rate
