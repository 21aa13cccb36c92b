"""Derivatives along a line: central differences at many steps, extrapolated to none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.black_box import Function

KINK, STEP, CANCELLATION, NOT_FINITE = "kink", "step", "cancellation", "not finite"

STEPS = 4
RATIOS = 0.5 ** np.arange(STEPS)


def _weights(powers: Sequence[int]) -> Array:
    """Return what takes values at the last steps to the constant of a series in these powers."""
    steps = RATIOS[STEPS - len(powers) :]
    return np.linalg.inv(np.stack([steps**power for power in powers], axis=1))[0]


SLOPE = _weights((0, 2, 4, 6))
SLOPE_OF_THREE = _weights((0, 2, 4))
BEND = _weights((0, 1, 3, 5))
"""For half the difference of the two one-sided slopes, which leaves a constant only at a kink."""


class Line:
    """The outputs along a line through the point: their derivatives there, as well as can be had.

    Windows of four steps are tried until every output's derivative is known closely enough; each
    output keeps what the window of its smallest error says.
    """

    def __init__(
        self, function: Function, along: Any, scale: float, magnitude: float, name: str = ""
    ) -> None:
        self.function, self.along, self.scale, self.name = function, along, scale, name
        self.magnitude = magnitude
        """Of x along the line: what its own rounding is relative to."""
        outputs = function.base.shape
        self.values, self.errors = np.zeros(outputs), np.full(outputs, np.inf)
        self.noise, self.change = np.zeros(outputs), np.zeros(outputs)
        self.constant = np.zeros(outputs, bool)
        self.kinked, self.stepped = np.zeros(outputs, bool), np.zeros(outputs, bool)
        self._search()

    def _search(self) -> None:
        precision = self.function.precision
        first, *smaller = precision.windows
        self._window(first)
        for exponent in smaller:
            wanted = self._unfinished() & ~self._noisy()
            if not wanted.any():
                break
            floor = self.function.noise / (self.scale * 2.0**exponent)
            if not np.any(wanted & (floor < self.errors)):
                break
            self._window(exponent)
        if np.any(self._unfinished() & self._noisy()):
            self._larger(first)

    def _larger(self, first: int) -> None:
        """Try larger steps, as large as it takes to get what is hidden above the rounding."""
        wanted = self._unfinished() & self._noisy()
        shown = np.maximum(np.abs(self.values), self.errors)[wanted]
        needed = np.max(self.errors[wanted] / (self.function.precision.target * shown))
        up = int(np.clip(np.log2(needed) + 1, STEPS, 20))
        self._window(first + up)
        if np.any(self._unfinished() & wanted):
            self._window(first + up // 2)

    def _unfinished(self) -> Array:
        """Return where the error is too large still, beside its own and the column's largest."""
        sure = np.abs(self.values)[self.errors < np.abs(self.values)]
        scale = np.maximum(np.abs(self.values), 0.1 * np.max(sure, initial=0.0))
        return ~self.constant & ~(self.errors <= self.function.precision.target * scale)

    def _noisy(self) -> Array:
        return np.isfinite(self.errors) & (self.noise >= 0.3 * self.errors)

    def _window(self, exponent: int) -> None:
        """Take the derivatives from steps ``2**exponent`` times the scale, its half, and so on."""
        f0, eps = self.function.base, self.function.precision.eps
        sides = [self._sides(self.scale * 2.0**exponent * ratio) for ratio in RATIOS]
        above, below = np.stack([s[0] for s in sides]), np.stack([s[1] for s in sides])
        steps = np.array([s[2] for s in sides])[:, np.newaxis]
        with np.errstate(all="ignore"):
            slopes = (above - below) / (2 * steps)
            bends = (above - f0 - (f0 - below)) / (2 * steps)
            value, kink = SLOPE @ slopes, BEND @ bends
            extrapolation = 4 * np.abs(value - SLOPE_OF_THREE @ slopes[1:])
            size = np.maximum(np.abs(above), np.abs(below)).max(axis=0)
            rounding = np.maximum(self.function.noise, eps * size)
            rounding = rounding + eps * self.magnitude * np.abs(value)
            noise = 2 * rounding / steps[-1]
            changes = np.abs(np.diff(slopes, axis=0))
            irregular = changes[1:] > 0.35 * changes[:-1] + 2 * noise
            leaps = np.where(irregular, changes[1:], 0).max(axis=0)
            errors = extrapolation + np.abs(kink) + leaps + noise
        still = np.all((above == f0) & (below == f0), axis=0)
        value = np.where(still, 0.0, value)
        errors = np.where(still, eps * np.abs(f0) / steps[0], errors)
        finite = np.isfinite(errors) & np.isfinite(value) & np.isfinite(size)
        with np.errstate(all="ignore"):  # of two windows that exclude each other, which is right?
            apart = np.fmax(np.abs(value - self.values) - 2 * self.errors, 0)
            apart = np.where(finite & (errors < self.errors), apart, 0)
            self.errors, errors = self.errors + apart, errors + apart
            better = finite & (errors < self.errors)
            if exponent > self.function.precision.windows[0]:  # both sides may be saturated
                better &= (np.abs(value - self.values) <= self.errors) & (
                    np.abs(value) > 2 * errors
                )
        if exponent == self.function.precision.windows[0]:
            self.change = np.where(finite, np.abs(slopes[0]) + np.abs(bends[0]), 0) * steps[0]
        if exponent <= self.function.precision.windows[0]:
            self._remark(finite, slopes, bends, steps, noise)
        self.constant |= still & better
        self.constant &= still | ~better
        self.values[better] = value[better]
        self.errors[better], self.noise[better] = errors[better], noise[better]

    def _remark(
        self, finite: Array, slopes: Array, bends: Array, steps: Array, noise: Array
    ) -> None:
        """Note what the smallest steps so far look like: a kink, a jump."""
        with np.errstate(all="ignore"):
            large = 20 * noise
            coarse, fine = np.abs(bends[0]), np.abs(bends[-1])
            self.kinked = np.where(
                finite, (fine > large) & (fine > 0.6 * coarse) & (fine < 2 * coarse), self.kinked
            )
            jumps = np.maximum(np.abs(slopes), np.abs(bends)) * steps
            grown = np.maximum(np.abs(slopes), np.abs(bends))[-1] > large
            self.stepped = np.where(finite, grown & (jumps[-1] > 0.6 * jumps[0]), self.stepped)

    def _sides(self, step: float) -> tuple[Array, Array, float]:
        """Return the outputs on both sides, and the step that was really taken."""
        function = self.function
        if isinstance(self.along, dict):
            return function.at(self.along, step), function.at(self.along, -step), step
        x = float(function.arrays[self.name][self.along])
        above, below = float(function.rounded(x + step)), float(function.rounded(x - step))
        return (
            function.at_entry(self.name, self.along, above),
            function.at_entry(self.name, self.along, below),
            (above - below) / 2,
        )

    def reason(self, bad: Array) -> str:
        """Return why the derivatives are not judged where they are not."""
        if not bad.any():
            return ""
        if not np.isfinite(self.errors[bad]).all():
            return NOT_FINITE
        if self.stepped[bad].any():
            return STEP
        return KINK if self.kinked[bad].any() else CANCELLATION
