"""An optimizer's rule as one kernel: a weight array and what is kept beside it, all in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from scratchnet.backend import Array
from scratchnet.kernels.device.tracing.expressions import Expression, Place, operation, symbol
from scratchnet.kernels.device.tracing.pointwise import PointwiseKernel

SLOT, NUMBER = "slot_", "number_"
"""Before a user's own names, which may be words of C."""


def number(name: str) -> Expression:
    """Return what stands for a number of the step: a double, cast where it meets an array."""
    return symbol(NUMBER + name, "float64")


class RuleKernel:
    """One kernel for each weight array.

    Parameters
    ----------
    name : str
        What a profiler shows.
    rule : function
        ``rule(gradient, variable, learning_rate, **slots)``, which works element by element and
        knows the numbers of the step as `number`.
    slots : iterable of str
        The names of what is kept beside a weight array.
    withheld : bool
        Whether the kernel takes a flag, and changes nothing where it is false.

    Attributes
    ----------
    numbers : list of str
        The names of the numbers that the kernel reads.

    Raises
    ------
    UntraceableError
        If the rule looks at values, or at more than one element at a time.
    """

    def __init__(
        self, name: str, rule: Callable[..., None], slots: Iterable[str], withheld: bool
    ) -> None:
        variable = Place(symbol("variable"))
        kept = {slot: Place(symbol(SLOT + slot)) for slot in slots}
        rule(symbol("gradient"), variable, number("learning_rate"), **kept)
        new = {"variable": variable.expression}
        new |= {SLOT + slot: place.expression for slot, place in kept.items()}
        if withheld:
            live = symbol("live", "bool")
            new = {key: operation("where", live, e, symbol(key)) for key, e in new.items()}
        word = re.sub(r"\W", "_", name, flags=re.ASCII)  # a class may be called exp, or größer
        self._kernel = PointwiseKernel(f"rule_{word}", new)
        inputs = self._kernel.inputs
        self.numbers = [key.removeprefix(NUMBER) for key in inputs if key.startswith(NUMBER)]

    def __call__(
        self,
        gradients: Sequence[Array],
        variables: Sequence[Array],
        slots: Sequence[Mapping[str, Array]],
        numbers: Mapping[str, Any],
        live: Array | None,
    ) -> None:
        """Update weight arrays and slots; numbers and ``live`` may be arrays of no axes."""
        shared = {"live": live, **{NUMBER + name: value for name, value in numbers.items()}}
        for gradient, variable, kept in zip(gradients, variables, slots, strict=True):
            written = {"variable": variable, **{SLOT + name: a for name, a in kept.items()}}
            self._kernel({"gradient": gradient, **shared}, written)
