"""Which argument of someone's function an array goes into."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.naming import bare
from scratchnet.gradcheck.subjects.nested import is_array
from scratchnet.gradcheck.subjects.user_code import is_required, parameters_of

PACKED = ("parameters", "params", "param", "weights", "theta", "p")


def bind(function: Callable[..., Any], arrays: Mapping[str, Any], who: str) -> dict[str, Any]:
    """Return the values by the function's arguments.

    By name; those that name no argument go into the function's dict of parameters, if it has one,
    and else into the arguments that are left, in order.

    Parameters
    ----------
    function : callable
    arrays : mapping of str to object
    who : str
        The function's name, for messages.

    Raises
    ------
    InputError
        If an argument has no value, or a value no argument.
    """
    kinds = {p.kind for p in _signature(function)}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return dict(arrays)
    arguments = parameters_of(function)
    names = [argument.name for argument in arguments]
    bound = {key: value for key, value in arrays.items() if key in names}
    left = {key: value for key, value in arrays.items() if key not in names}
    for key in list(left):
        alike = [name for name in names if name not in bound and bare(name) == bare(key)]
        if len(alike) == 1:
            bound[alike[0]] = left.pop(key)
    free = [argument for argument in arguments if argument.name not in bound]
    pack = [a.name for a in free if a.name.lower() in PACKED]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        bound |= left
    elif left and len(pack) == 1 and all(is_array(value) for value in left.values()):
        bound[pack[0]] = left
    elif len(left) <= len(free):
        bound |= zip([argument.name for argument in free], left.values(), strict=False)
    else:
        raise InputError(
            f"{who} has no argument {next(iter(left))!r}; its arguments are {', '.join(names)}"
        )
    missing = [a.name for a in arguments if is_required(a) and a.name not in bound]
    if missing:
        raise InputError(
            f"{who} needs {missing[0]!r} as well: give that array too, or its shape "
            f"(--shape {missing[0]}=3,5)"
        )
    return {name: bound[name] for name in [*names, *bound] if name in bound}


def spread(
    function: Callable[..., Any], named: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and keyword arguments for a call."""
    signature = _signature(function)
    if any(p.kind == p.VAR_POSITIONAL for p in signature):
        return list(named.values()), {}
    positional = [p.name for p in signature if p.kind == p.POSITIONAL_ONLY and p.name in named]
    keywords = {name: value for name, value in named.items() if name not in positional}
    return [named[name] for name in positional], keywords


def _signature(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
