r"""The next symbol, drawn from what a network answers.

Logits become probabilities in this order: temperature, then top-k, then top-p, what is left being
scaled to add up to 1 after each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet.arguments import NOT_NEGATIVE, Range, positive_integer, real, whole_number
from scratchnet.backend import Array
from scratchnet.errors import InputError

ABOVE_0_TO_1 = Range("above 0 and up to 1", lambda x: 0 < x <= 1)

ROUNDING = 1e-12
"""Probabilities that add up to this much less than top-p have reached it."""


@np.errstate(over="ignore")  # what overflows is -inf, whose exponential is 0
def softmax_at(logits: Array, temperature: float) -> Array:
    r"""Return the probabilities that logits stand for at a temperature above 0.

    .. math:: p_k = \frac{e^{a_k / \tau}}{\sum_j e^{a_j / \tau}}

    Below 1 the likely becomes likelier; above 1 all become more alike.

    ==========  ==========  ==============================
    array       shape       meaning
    ==========  ==========  ==============================
    ``logits``  (V,)        what a network answers
    ``p``       (V,)        probabilities
    ==========  ==========  ==============================

    The largest logit is taken off first, so that the largest exponent is 0 and nothing overflows;
    what is too far below it becomes 0.
    """
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum()


def largest(p: Array, k: int) -> Array:
    """Return the probabilities with all but the ``k`` largest set to 0, adding up to 1.

    Of equal ones, the lower id stays.
    """
    return _only(p, _falling(p)[:k])


def nucleus(p: Array, share: float) -> Array:
    r"""Return the probabilities of the fewest ids that together have ``share``, adding up to 1.

    The ids are taken by falling probability, equal ones by rising id, until their sum reaches the
    share (Holtzman et al., 2019, "The curious case of neural text degeneration", section 3.1).
    """
    order = _falling(p)
    reached = np.cumsum(p[order]) >= share - ROUNDING
    return _only(p, order[: np.argmax(reached) + 1]) if reached.any() else p


def pick(p: Array, u: float) -> int:
    r"""Return the id that a random number ``u`` from [0, 1) picks.

    .. math:: k = \min \{\, k : p_0 + \dots + p_k > u \,\}

    Laid end to end, the probabilities cover [0, 1); u falls into one of them.

    ==============  ==========  ==================================
    array           shape       meaning
    ==============  ==========  ==================================
    ``p``           (V,)        probabilities
    ``cumulative``  (V,)        where each one's share ends
    ==============  ==========  ==================================
    """
    cumulative = p.cumsum()
    end = cumulative[-1]  # 1, but for rounding
    return int(cumulative.searchsorted(u * end, side="right"))


class Sampler:
    """Draws ids, the same ones for the same seed and logits.

    Parameters
    ----------
    temperature
        0 always takes the largest logit, the lowest id where several are equal; see `softmax_at`.
    top_k
        Only this many of the likeliest ids are drawn; see `largest`.
    top_p
        Only the likeliest ids are drawn that together have this probability; see `nucleus`.
    seed
        Of the random numbers, one a draw.

    Raises
    ------
    InputError
        If the temperature is negative or not finite, ``top_k`` not a positive integer, ``top_p``
        not above 0 and up to 1, or the seed not a whole number.
    """

    def __init__(
        self,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ) -> None:
        self.temperature = real("Sampler", "temperature", temperature, NOT_NEGATIVE)
        self.top_k = None if top_k is None else positive_integer("Sampler", "top_k", top_k)
        self.top_p = None if top_p is None else real("Sampler", "top_p", top_p, ABOVE_0_TO_1)
        self.seed = whole_number("Sampler", "seed", seed)
        self._generator = np.random.default_rng(self.seed)

    def __call__(self, logits: Any) -> int:
        """Return an id drawn from logits of shape (V,).

        Raises
        ------
        InputError
            As `probabilities`.
        """
        if self.temperature == 0:
            return int(_checked(logits).argmax())
        return pick(self.probabilities(logits), self._generator.random())

    def probabilities(self, logits: Any) -> Array:
        """Return the distribution that ids are drawn from, float64 of shape (V,).

        Raises
        ------
        InputError
            If the logits are not numbers in a row, or one is NaN or +inf, or all are -inf.
        """
        a = _checked(logits)
        if self.temperature == 0:
            return _only(np.ones_like(a), a.argmax())
        p = softmax_at(a, self.temperature)
        if self.top_k is not None and self.top_k < p.size:
            p = largest(p, self.top_k)
        if self.top_p is not None and self.top_p < 1:
            p = nucleus(p, self.top_p)
        return p


def _falling(p: Array) -> Array:
    """Return the ids by falling probability, equal ones by rising id."""
    return np.argsort(-p, kind="stable")


def _only(p: Array, ids: Any) -> Array:
    """Return the probabilities of some ids, or of one, scaled to add up to 1; others are 0."""
    kept = np.zeros_like(p)
    kept[ids] = p[ids]
    return kept / kept.sum()


def _checked(logits: Any) -> Array:
    """Return the logits as float64 once something can be drawn from them."""
    try:
        a = np.asarray(logits, dtype=np.float64)
    except (TypeError, ValueError):
        a = np.empty(0)
    if a.ndim != 1 or a.size == 0:
        raise InputError(
            f"Sampler: expected logits to be numbers of shape (vocabulary,), got "
            f"{np.shape(a) if a.size else type(logits).__name__}. Give one step of one sequence."
        )
    if not math.isfinite(a[a.argmax()]):  # a NaN counts as the largest
        raise InputError(
            f"Sampler: expected logits below infinity, not all -inf and none NaN, got a largest "
            f"one of {a.max()}. Look for what made the network's output infinite."
        )
    return a
