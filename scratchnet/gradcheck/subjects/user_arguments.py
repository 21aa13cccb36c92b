"""What a class's forward pass is called with: input, mask, states, targets."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.naming import bare
from scratchnet.gradcheck.subjects.user_code import MASKS, call, is_required, parameters_of

TRAINING = ("training", "train", "istraining", "istrain")
STATE = re.compile(
    r"^(?:[hcas]|[hcas]0|state|hidden|cell)$|(?:prev|init|last).*(?:[hcas]|state|hidden|cell)$|"
    r"^(?:[hcas]|state|hidden|cell).*(?:prev|init|last|0|in|state)$|^initialstate$",
)


@dataclass
class Call:
    """How a forward pass is called.

    Attributes
    ----------
    x : str
        Its first argument.
    mask, training : str
        The arguments for those, or empty.
    states : list of str
        Required arguments that take states.
    optional_states : list of str
    target : str
        The argument of a loss that takes targets, or empty.
    """

    x: str
    mask: str = ""
    training: str = ""
    states: list[str] = field(default_factory=list)
    optional_states: list[str] = field(default_factory=list)
    target: str = ""

    @classmethod
    def of(cls, forward: Callable[..., Any], who: str, shapes: Mapping[str, Any]) -> Call:
        parameters = parameters_of(forward)
        if not parameters:
            raise InputError(f"{who} takes no input: write it as forward(self, x)")
        found = cls(parameters[0].name)
        for parameter in parameters[1:]:
            name = bare(parameter.name)
            if name in MASKS:
                found.mask = parameter.name
            elif name in TRAINING:
                found.training = parameter.name
            elif STATE.search(name) or parameter.name in shapes:
                states = found.states if is_required(parameter) else found.optional_states
                states.append(parameter.name)
            elif is_required(parameter):
                if found.target:
                    raise InputError(
                        f"{who} needs {parameter.name!r}, and what to pass cannot be told: give it "
                        f"a default, or state its shape (shapes={{'{parameter.name}': (3, 5)}})"
                    )
                found.target = parameter.name
        return found


def state_shapes(batch: tuple[int, ...], instance: Any) -> list[tuple[int, ...]]:
    """Return shapes that a state may have, judged by the whole numbers that the instance keeps."""
    sizes = [
        value
        for name, value in vars(instance).items()
        if isinstance(value, int) and not isinstance(value, bool) and value > 0
    ]
    sizes += [part.shape[axis] for part in _arrays(instance) for axis in (-1, 0)]
    shapes = [(batch[0], size) for size in sizes] + [(size, batch[-1]) for size in sizes]
    return list(dict.fromkeys([*shapes, *((size,) for size in sizes)]))


def _arrays(instance: Any) -> list[Array]:
    values = list(vars(instance).values())
    values += [part for value in values if isinstance(value, dict) for part in value.values()]
    return [value for value in values if isinstance(value, np.ndarray) and value.ndim]


def reduced_shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes that the initial state of an output of this shape may have."""
    if len(shape) < 3:
        return [shape, shape[1:]]
    return [shape[:1] + shape[2:], shape[1:], shape[:-1]]


def targets(shape: tuple[int, ...], below: int | None, rng: np.random.Generator) -> Array:
    """Return labels below a number, or rows of probabilities."""
    if below is not None:
        return rng.integers(0, below, shape)
    values = rng.uniform(0.1, 0.9, shape)
    return values / values.sum(-1, keepdims=True) if shape and shape[-1] > 1 else values


def instance_of(thing: Any) -> Any:
    """Return the object to check: an instance, or what a class or function makes without arguments.

    Raises
    ------
    InputError
        If it cannot be made, or has no ``forward`` and ``backward``.
    """
    name = getattr(thing, "__name__", type(thing).__name__)
    if isinstance(thing, type) or inspect.isroutine(thing):
        needed = [p.name for p in parameters_of(thing) if is_required(p)]
        if needed:
            what = "class" if isinstance(thing, type) else "function"
            raise InputError(
                f"the {what} {name} needs {', '.join(needed)}: write a function of no arguments "
                f"that returns an instance, such as `def mine(): return {name}(...)`, and name it"
            )
        thing = call(thing, f"{name}()", [], {}, "no arguments")
    missing = [m for m in ("forward", "backward") if not callable(getattr(thing, m, None))]
    if missing == ["forward"] and callable(thing):
        missing = []
    if missing:
        raise InputError(
            f"{name} gives {type(thing).__name__}, which has no method {missing[0]!r}: "
            "it needs forward(x) and backward(dy)"
        )
    return thing
