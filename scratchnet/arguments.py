"""What layers, optimizers and initializers do with their arguments: check them, look them up."""

from __future__ import annotations

import difflib
import inspect
import math
import numbers
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError

T = TypeVar("T")

DTYPES = ("float32", "float64")
"""What the engine computes in."""


class Range(NamedTuple):
    """Which finite numbers an argument may be, in words and as a test."""

    words: str
    contains: Callable[[float], bool]


FINITE = Range("that is finite", lambda x: True)
NOT_NEGATIVE = Range("of 0 or more", lambda x: x >= 0)
POSITIVE = Range("above 0", lambda x: x > 0)
FRACTION = Range("from 0 to 1", lambda x: 0 <= x <= 1)
FRACTION_BELOW_1 = Range("from 0 to below 1", lambda x: 0 <= x < 1)


def real(owner: str, name: str, value: object, allowed: Range = FINITE) -> float:
    """Return a number as a float once it is known to be finite and in range.

    Raises
    ------
    InputError
        Otherwise; the message names ``owner``, ``name``, the range and what came.
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and allowed.contains(number):
            return number
    raise InputError(
        f"{owner}: expected {name} to be a number {allowed.words}, got {value!r}. "
        f"Pass a float in that range, or leave {name} out where it has a default."
    )


def positive_integer(owner: str, name: str, value: object) -> int:
    """Return a whole number as an int once it is known to be above 0.

    Raises
    ------
    InputError
        Otherwise; the message names ``owner``, ``name`` and what came.
    """
    if (whole := _whole(value)) is not None and whole > 0:
        return whole
    raise InputError(
        f"{owner}: expected {name} to be a positive integer, got {value!r}. "
        "Pass a whole number of 1 or more."
    )


def whole_number(owner: str, name: str, value: object) -> int:
    """Return a whole number as an int once it is known to be 0 or more.

    Raises
    ------
    InputError
        Otherwise; the message names ``owner``, ``name`` and what came.
    """
    if (whole := _whole(value)) is not None and whole >= 0:
        return whole
    raise InputError(
        f"{owner}: expected {name} to be a whole number of 0 or more, got {value!r}. "
        "Pass one, for instance 0."
    )


def checked_dtype(owner: str, dtype: Any) -> str:
    """Return the name of a dtype that the engine computes in.

    Raises
    ------
    InputError
        If it is another one, or none.
    """
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if dtype is None or name not in DTYPES:
        raise InputError(
            f"{owner}: expected dtype to be {' or '.join(DTYPES)}, got {dtype!r}. Use one of those."
        )
    return name


def numeric(owner: str, name: str, value: Any) -> Array:
    """Return an array of integers, booleans or floats, where it lives; lists become NumPy's.

    Raises
    ------
    InputError
        If it is ragged, or holds text, objects or complex numbers.
    """
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value
    try:
        array = array_module(value).asarray(value)
    except (TypeError, ValueError) as error:
        found = f"{type(value).__name__} ({str(error).partition('.')[0]})"
    else:
        if array.dtype.kind in "biuf":
            return array
        found = str(array.dtype)
    raise InputError(
        f"{owner}: expected {name} to be an array of numbers, got {found}. "
        "Make its rows equally long and its elements numbers."
    )


def look_up(identifier: object, family: type[T], members: Mapping[str, type[T]]) -> T:
    """Return the member of a family that an identifier stands for.

    Parameters
    ----------
    identifier : str, dict or family
        A name in Keras's spelling (``"glorot_uniform"`` or ``"GlorotUniform"``), a dict
        ``{"class_name": …, "config": …}``, or an instance, which comes back as it is.
    family : type
        The base class.
    members : mapping
        The family's classes under their names.

    Raises
    ------
    InputError
        If there is no such name (near matches are given), or the config does not fit.
    """
    if isinstance(identifier, family):
        return identifier
    config: object = {}
    name: object = identifier
    if isinstance(identifier, Mapping):
        name, config = identifier.get("class_name"), identifier.get("config", {})
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise InputError(
            f"{family.__name__}: expected a name, an instance or a dict with class_name and "
            f"config, got {identifier!r}. Names are {_listed(members)}."
        )
    spellings = {_spelling(known): known for known in members}
    if _spelling(name) not in spellings:
        near = [spellings[s] for s in difflib.get_close_matches(_spelling(name), spellings)]
        raise InputError(
            f"{family.__name__}: expected one of {_listed(members)}, got {name!r}. "
            + (f"Did you mean {_listed(near, ' or ')}?" if near else "Use one of those.")
        )
    kind = members[spellings[_spelling(name)]]
    from_config = getattr(kind, "from_config", None)
    return construct(kind, config) if from_config is None else from_config(config)


def construct(kind: type[T], config: Mapping[str, Any]) -> T:
    """Return ``kind(**config)``, the keys having been checked.

    Raises
    ------
    InputError
        If a key is not an argument of ``kind`` or an argument without a default is missing.
    """
    arguments = inspect.signature(kind).parameters
    unknown = [key for key in config if key not in arguments]
    missing = [
        name
        for name, argument in arguments.items()
        if argument.default is argument.empty and name not in config
    ]
    if unknown or missing:
        expected = f"with the arguments {_listed(arguments)}" if arguments else "without arguments"
        advice = [f"Remove {_listed(unknown)}."] * bool(unknown)
        advice += [f"Add {_listed(missing)}."] * bool(missing)
        raise InputError(
            f"{kind.__name__}: expected a config {expected}, got {_listed(config) or 'none'}. "
            + " ".join(advice)
        )
    return kind(**config)


def snake_case(name: str) -> str:
    """Return a class's name as Keras names its instances (``SimpleRNN`` → ``simple_rnn``)."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _whole(value: object) -> int | None:
    """Return an int, or None for what is not a whole number; True and False are not."""
    try:
        whole = operator.index(value)  # type: ignore[arg-type]  # anything may come; it says TypeError
    except TypeError:
        return None
    return None if isinstance(value, bool) else whole


def _spelling(name: str) -> str:
    return name.replace("_", "").lower()


def _listed(names: Any, separator: str = ", ") -> str:
    return separator.join(map(str, names))
