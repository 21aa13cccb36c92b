"""What the arguments of someone's backward pass are for, and in which form it takes them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subject import Arrays, Pulled, random_upstream
from scratchnet.gradcheck.subjects.user_code import (
    BUFFER,
    CACHE,
    Outputs,
    Plan,
    is_required,
    parameters_of,
    plans,
    shape_of,
)

RATES = ("lr", "learning_rate", "learningrate", "eta", "alpha", "step_size", "rate")


@dataclass
class Roles:
    """What the arguments of a backward pass are for.

    Attributes
    ----------
    cache, rate : str or None
        The arguments for what the forward pass kept, and for a learning rate.
    upstream : list of str
        Those for the outputs' gradients.
    options : list of str
        Those among them that need not be given.
    again : list of str
        Arguments of the forward pass that the backward pass takes as well.
    plan : Plan
        Which output's gradient goes into which argument.
    """

    cache: str | None = None
    rate: str | None = None
    upstream: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)

    @classmethod
    def of(cls, backward: Callable[..., Any], arguments: Mapping[str, Any], method: bool) -> Roles:
        """Read the roles from the arguments' names; a function's cache may have any name."""
        names = [p.name for p in parameters_of(backward) if is_required(p)]
        options = [p.name for p in parameters_of(backward) if not is_required(p)]
        again = [name for name in names if name in arguments]
        rates = [name for name in names if name.lower() in RATES and name not in again]
        names = [name for name in names if name not in (*again, *rates)]
        caches = [name for name in names if CACHE.search(name)]
        alone = len(names) == 1 and BUFFER.match(names[0])
        if not (caches or method or again or alone):
            caches = names[-1:]
        return cls(
            caches[0] if caches else None,
            rates[0] if rates else None,
            [name for name in names if name not in caches[:1]],
            [name for name in options if BUFFER.match(name)],
            again,
        )

    def split(
        self, value: Any, expression: ast.expr | None, forward: str, backward: str
    ) -> tuple[Outputs, Any]:
        """Return the outputs, and the cache if the backward pass takes one."""
        if self.cache is None:
            return Outputs.of(value, expression), None
        if not isinstance(value, tuple | list) or len(value) < 2:
            raise InputError(
                f"{forward} returned {type(value).__name__} where (output, cache) is meant: end it "
                f"with `return y, cache`, which {backward} is given as {self.cache!r}"
            )
        *kept, cache = value
        parts = list(getattr(expression, "elts", []))
        if len(parts) == len(value):
            expression = parts[0] if len(kept) == 1 else ast.Tuple(parts[:-1], ast.Load())
        elif len(kept) == 1:
            expression = None
        return Outputs.of(tuple(kept) if len(kept) > 1 else kept[0], expression), cache

    def kept(self, outputs: Outputs) -> dict[str, Array]:
        """Return the outputs whose gradient reaches the backward pass; else the loss."""
        arrays = outputs.arrays()
        names = self.plan.covered(outputs)
        if not self.plan.paths:
            names = tuple(name for name, array in arrays.items() if array.size == 1)[:1]
        return {name: np.array(arrays[name]) for name in names}

    def scaled(self, pulled: dict[str, Array], upstream: Arrays, kept: Arrays) -> dict[str, Array]:
        """Return a loss's gradients times its upstream gradient, which the code does not take."""
        if self.plan.paths:
            return pulled
        scale = sum(float(np.sum(upstream[name])) for name in kept if name in upstream)
        return {name: gradient * scale for name, gradient in pulled.items()}

    def settle(
        self, outputs: Outputs, pull: Callable[[Arrays], Pulled], forward: str, backward: str
    ) -> tuple[Pulled, list[str]]:
        """Find the plan with which the backward pass runs; return what it gave, and notes.

        Raises
        ------
        InputError
            If there is none.
        """
        both = plans([*self.upstream, *self.options], outputs) if self.options else []
        choices = both + plans(self.upstream, outputs)
        losses = any(array.size == 1 for array in outputs.arrays().values())
        if not losses:
            choices = [plan for plan in choices if plan.paths]
        if not outputs.names:
            raise InputError(
                f"{forward} returned {type(outputs.value).__name__}, no float array: "
                "return the output, as an array"
            )
        if not choices and not self.upstream:
            shape = shape_of(next(iter(outputs.arrays().values())))
            raise InputError(
                f"{backward} takes no upstream gradient, but {forward} returns no loss (its output "
                f"is {shape}): give it the argument dy"
            )
        if not choices:
            raise InputError(
                f"{backward} takes {len(self.upstream)} upstream gradients "
                f"({', '.join(self.upstream)}), but {forward} returns {len(outputs.names)} "
                f"({', '.join(outputs.names)}): one for each output, or for the first ones"
            )
        first: InputError | None = None
        for self.plan in choices:
            kept = self.kept(outputs)
            try:
                pulled = pull(random_upstream(kept, np.random.default_rng(0)))
            except InputError as error:
                first = first or error
                continue
            left = ", ".join(name for name in outputs.names if name not in kept)
            note = f"{backward} takes no gradient of {left}: only of {', '.join(kept)}"
            return pulled, [note] if left else []
        assert first is not None
        raise first


def is_narrow(pulled: Pulled) -> bool:
    """Return whether anything came out in less than float64."""
    arrays = [*pulled.outputs.values(), *pulled.gradients.values()]
    return any(a.dtype.kind == "f" and a.dtype.itemsize < 8 for a in arrays)


NARROW = "the code computes in float32: tolerances to match"
