"""Arrays inside tuples, lists, dicts and objects: finding, stacking and watching them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError

Path = tuple[tuple[str, Any], ...]
"""The way to a value: ``(("attribute", "params"), ("item", "W"))``."""

CLOSED = (ModuleType, type, FunctionType, BuiltinFunctionType, MethodType)


def is_array(value: Any) -> bool:
    """Return whether a value is an array of numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiubc"


def is_differentiable(value: Any) -> bool:
    """Return whether a value is a float or an array of floats, or complex as in a complex step."""
    scalar = isinstance(value, float | np.inexact)
    return scalar or (is_array(value) and value.dtype.kind in "fc")


def children(value: Any) -> list[tuple[tuple[str, Any], Any]]:
    """Return the parts of a container or an object, with the step of the path to each."""
    if isinstance(value, Mapping):
        return [(("item", key), part) for key, part in value.items()]
    if isinstance(value, list | tuple | deque):
        return [(("item", index), part) for index, part in enumerate(value)]
    if isinstance(value, CLOSED) or not hasattr(value, "__dict__"):
        return []
    return [(("attribute", name), part) for name, part in vars(value).items()]


def walk(value: Any, path: Path = (), seen: set[int] | None = None) -> Iterator[tuple[Path, Any]]:
    """Yield every array and float within a value, with its path; containers once each."""
    seen = set() if seen is None else seen
    if is_array(value) or is_differentiable(value):
        yield path, value
    elif id(value) not in seen:
        seen.add(id(value))
        for step, part in children(value):
            yield from walk(part, (*path, step), seen)


def at(value: Any, path: Path) -> Any:
    """Return what lies at a path, or None where the path leads nowhere."""
    for kind, key in path:
        try:
            value = getattr(value, key) if kind == "attribute" else value[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            return None
    return value


def put(root: Any, path: Path, value: Any) -> None:
    """Set what lies at a path."""
    *way, (kind, key) = path
    owner = at(root, tuple(way))
    if kind == "attribute":
        setattr(owner, key, value)
    else:
        owner[key] = value


def copied(value: Any, what: str) -> Any:
    """Return a deep copy, or say why there is none."""
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise InputError(
            f"{what} cannot be copied ({type(error).__name__}: {' '.join(str(error).split())}): "
            "keep modules, files and generators out of it"
        ) from error


def same(a: Any, b: Any) -> bool:
    """Return whether two arrays or floats hold the same."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def contents(value: Any) -> dict[Path, Array]:
    """Return copies of the arrays within a value that hold anything but zeros, by path.

    All zeros is a gradient's buffer, which a backward pass may well add to.
    """
    return {path: part.copy() for path, part in walk(value) if is_array(part) and np.any(part)}


class Held:
    """What the arrays within a value held, to find out later whether they were written into."""

    def __init__(self, value: Any) -> None:
        self.arrays = [(part, part.copy()) for _, part in walk(value) if is_array(part)]

    @property
    def written(self) -> bool:
        return any(not same(array, before) for array, before in self.arrays)

    def restore(self) -> None:
        """Put back what was written over."""
        for array, before in self.arrays:
            if not same(array, before):
                array[...] = before


def steps_of(value: Any) -> list[tuple[Any, Any]] | None:
    """Return keys and parts where a value is a list or a dict over steps, all of one form.

    A negative step of a dict holds an initial state and is none of the outputs.
    """
    if isinstance(value, Mapping) and value and all(isinstance(k, int | np.integer) for k in value):
        parts = sorted((key, part) for key, part in value.items() if key >= 0) if len(value) else []
    elif isinstance(value, list | deque) and value:
        parts = list(enumerate(value))
    else:
        return None
    shapes = {tuple(np.shape(leaf) for leaf in flatten(part)) for _, part in parts}
    return parts if len(shapes) == 1 and shapes != {()} else None


def flatten(value: Any) -> list[Array]:
    """Return the float arrays of an output; steps are stacked on a new leading axis."""
    if is_differentiable(value):
        return [np.asarray(value)]
    if (steps := steps_of(value)) is not None:
        return [np.stack(leaves) for leaves in zip(*(flatten(p) for _, p in steps), strict=True)]
    if isinstance(value, Mapping | list | tuple | deque):
        return [leaf for _, part in children(value) for leaf in flatten(part)]
    return []


def unflatten(value: Any, arrays: Iterator[Array]) -> Any:
    """Return arrays in the form that an output has; None for what is not differentiable."""
    if is_differentiable(value):
        array = np.array(next(arrays), dtype=np.asarray(value).dtype)
        if isinstance(value, np.ndarray):
            return array
        return float(array) if type(value) is float else array[()]
    if (steps := steps_of(value)) is not None:
        stacked = [next(arrays) for _ in flatten(steps[0][1])]
        parts = [
            (key, unflatten(part, iter([leaf[index] for leaf in stacked])))
            for index, (key, part) in enumerate(steps)
        ]
        return dict(parts) if isinstance(value, Mapping) else [part for _, part in parts]
    if isinstance(value, Mapping):
        return {key: unflatten(part, arrays) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(unflatten(part, arrays) for part in value))
    if isinstance(value, list | tuple | deque):
        return type(value)(unflatten(part, arrays) for part in value)
    return None


def units(value: Any, path: Path = ()) -> list[tuple[Path, int]]:
    """Return the paths of an output's arrays, steps unopened, and how many arrays each has."""
    if is_differentiable(value) or steps_of(value) is not None:
        return [(path, len(flatten(value)))]
    if isinstance(value, Mapping | list | tuple | deque):
        return [unit for step, part in children(value) for unit in units(part, (*path, step))]
    return []
