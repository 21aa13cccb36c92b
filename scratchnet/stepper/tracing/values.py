"""Copies of arrays and numbers, each kept once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scratchnet.backend import Array, to_host

CONTAINER_SIZE = 64
"""Lists, tuples and dicts of arrays with more entries than this are not taken apart."""

LIST_SIZE = 10_000
"""Longer lists of numbers are not copied."""


class View(NamedTuple):
    """Whose numbers an array shows."""

    name: str
    """The owner's name; with its function's before it where that is another function."""
    value: int
    """The owner's value."""
    slice: str | None
    """What to write behind the name, as in ``[:, 0:4]``; None where it is not simple."""


class Content(NamedTuple):
    """What an array or number was: equal contents are equal values."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes

    @property
    def array(self) -> Array:
        """The copy, as a read-only array."""
        dtype = {"int": "int64", "float": "float64"}.get(self.dtype, self.dtype)
        if self.dtype == "int" and len(self.data) != 8:  # beyond 64 bits
            return np.array(int(self.data.decode()), dtype=object)
        return np.frombuffer(self.data, dtype=dtype).reshape(self.shape)


@dataclass(frozen=True)
class Value:
    """A copy of an array or number as it was at some moment.

    Attributes
    ----------
    content
        Its numbers; `array` and `item` show them.
    view_of
        Whose numbers they are, for a view.
    axes
        Names of its axes, as in ``("B", "4H")``, where the docstrings tell them.
    """

    content: Content
    view_of: View | None = None
    axes: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        said = np.array2string(self.array, precision=4, threshold=16, separator=", ")
        return f"Value({said})"

    @property
    def array(self) -> Array:
        """The copy, read-only; of a number, with shape ()."""
        return self.content.array

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, () for a number."""
        return self.content.shape

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: NaN and infinity are null, and named under ``special``."""
        array = self.array
        answer: dict[str, Any] = {
            "shape": list(self.shape),
            "dtype": self.content.dtype,
            "data": array.tolist(),
            "view_of": self.view_of._asdict() if self.view_of else None,
            "axes": list(self.axes) if self.axes else None,
        }
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            flat = array.reshape(-1).tolist()
            special = {str(k): str(x) for k, x in enumerate(flat) if not math.isfinite(x)}
            answer |= {"data": _finite(answer["data"]), "special": special}
        return answer


def _finite(data: Any) -> Any:
    if isinstance(data, list):
        return [_finite(entry) for entry in data]
    return data if math.isfinite(data) else None


@dataclass
class Store:
    """Values by number; an equal one is not kept twice."""

    values: list[Value] = field(default_factory=list)
    size: int = 0
    """Bytes kept."""
    _numbers: dict[Value, int] = field(default_factory=dict)

    def number(self, value: Value) -> int:
        """Return the value's number, keeping it if it is new."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
            self.size += len(value.content.data)
        return number

    def forget(self, count: int) -> None:
        """Keep only the first ``count`` values."""
        for value in self.values[count:]:
            self.size -= len(value.content.data)
            del self._numbers[value]
        del self.values[count:]


def is_array(value: Any) -> bool:
    """Whether this is an array of numbers, on the host or a device."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, np.generic):
        return value.dtype.kind in "biuf"
    kind = type(value)  # asked of the type, so that no property of a user's object runs
    return hasattr(kind, "__array_namespace__") or hasattr(kind, "__cuda_array_interface__")


def is_number(value: Any) -> bool:
    """Whether this is a Python number; True and False are none."""
    return type(value) is float or type(value) is int


def content_of(value: Any) -> Content:
    """Copy an array, a number or a list of numbers."""
    if type(value) is int:
        small = -(2**63) <= value < 2**63
        return Content((), "int", np.int64(value).tobytes() if small else str(value).encode())
    if type(value) is float:
        return Content((), "float", np.float64(value).tobytes())
    array = value if isinstance(value, np.ndarray) else to_host(value)
    return Content(array.shape, str(array.dtype), array.tobytes())


def visible(
    variables: dict[str, Any], attributes: tuple[str, ...]
) -> tuple[dict[str, Any], set[str]]:
    """Return the arrays and numbers among a function's variables, by name.

    Lists, tuples and dicts of arrays are taken apart (``dstates[0]``, ``self.params['bias']``).
    Of objects, only the given attributes are looked at, and only those that are kept on the object
    itself: no property runs.  The names in the second answer are entries of tuples and lists that
    have a name of their own too, and need not be shown twice.
    """
    found: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    for name, value in variables.items():
        if not name.startswith((".", "__")):
            _sort(name, value, found, parts)
    for path in attributes:
        base, _, attribute = path.partition(".")
        held = getattr(variables.get(base), "__dict__", None)
        if isinstance(held, dict) and attribute in held:
            _sort(path, held[attribute], found, parts)
    named = {id(value) for value in found.values()}
    twice = {
        name
        for name, value in parts.items()
        if id(value) in named and name[-2] != "'" and "." not in name
    }
    return found | parts, twice


def _sort(name: str, value: Any, found: dict[str, Any], parts: dict[str, Any]) -> None:
    if is_number(value) or is_array(value):
        found[name] = value
    elif isinstance(value, list | tuple) and value:
        if len(value) <= LIST_SIZE and all(is_number(entry) for entry in value):
            array = np.asarray(value)
            if array.dtype.kind in "if":
                found[name] = array
        elif len(value) <= CONTAINER_SIZE and all(is_array(entry) for entry in value):
            parts |= {f"{name}[{k}]": entry for k, entry in enumerate(value)}
    elif (
        isinstance(value, dict)
        and len(value) <= CONTAINER_SIZE
        and all(is_array(entry) or is_number(entry) for entry in value.values())
    ):
        parts |= {f"{name}[{key!r}]": entry for key, entry in value.items()}
