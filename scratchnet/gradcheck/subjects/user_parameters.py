"""Finding the parameters of someone's object, setting them, and finding their gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subjects.naming import looks_like_parameter, target_of
from scratchnet.gradcheck.subjects.nested import (
    Path,
    at,
    is_array,
    is_differentiable,
    put,
    same,
    walk,
)

CONTAINERS = (
    "params",
    "parameters",
    "trainable_weights",
    "get_params",
    "get_parameters",
    "_params",
    "weights",
)
GRADIENTS = ("grads", "gradients", "grad", "get_grads", "get_gradients", "_grads", "dparams")
INSIDE = ("data", "value", "val", "array")
OWN_GRADIENT = ("grad", "gradient", "g")


@dataclass(frozen=True)
class Parameter:
    """An array that the object computes with.

    Attributes
    ----------
    name : str
        As the user calls it.
    paths : tuple of paths
        Every place where the object keeps it.
    position : int or None
        In the list of parameters, where the object has one.
    """

    name: str
    paths: tuple[Path, ...]
    position: int | None = None

    def value(self, root: Any) -> Array:
        return np.array(at(root, self.paths[0]))

    def set(self, root: Any, value: Array) -> None:
        """Write a value into the array itself, or set it anew where it is a number."""
        for path in self.paths:
            held = at(root, path)
            if isinstance(held, np.ndarray) and held.flags.writeable and held.shape == value.shape:
                held[...] = value
            else:
                put(root, path, np.array(value) if isinstance(held, np.ndarray) else float(value))


def local_name(path: Path) -> str:
    """Return what a parameter is called where it is kept: ``W`` of ``params["W"]``."""
    keys = [key for _, key in path if key not in INSIDE] or [path[-1][1]]
    if isinstance(keys[-1], str) and (len(keys) < 2 or keys[-2] in CONTAINERS):
        return keys[-1]
    start = max(i for i, (kind, key) in enumerate(path) if kind == "attribute" and key in keys)
    rest = [str(key) for _, key in path[start:] if key in keys]
    return rest[0] + "".join(rest[1:])


def container_of(root: Any, names: Sequence[str]) -> Iterator[Any]:
    """Yield what the attributes or methods of these names hold or return, if it is a collection."""
    for name in names:
        found = getattr(root, name, None)
        if callable(found) and not isinstance(found, Mapping):
            try:
                found = found()
            except Exception:
                continue
        found = list(found) if isinstance(found, Iterator) else found
        if isinstance(found, Mapping | list | tuple) and found:
            yield found


def entries(container: Any) -> Iterator[tuple[str | None, Any]]:
    """Yield the arrays of a dict or list of parameters or gradients, with their own names."""
    pairs = container.items() if isinstance(container, Mapping) else ((None, v) for v in container)
    for key, value in pairs:
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
            key, value = value
        inside = next(
            (getattr(value, n) for n in INSIDE if is_array(getattr(value, n, None))), None
        )
        if is_differentiable(value):
            yield (str(key) if key is not None else None), value
        elif inside is not None and not is_array(value):
            name = key if key is not None else getattr(value, "name", None)
            yield (str(name) if name is not None else None), inside
        elif isinstance(value, Mapping | list | tuple):
            yield from entries(value)


def discover(root: Any, candidates: Mapping[Path, Any]) -> list[Parameter]:
    """Return the parameters of an object.

    Those of its ``params`` or the like, and else those among the candidates.

    Parameters
    ----------
    root : object
        After a forward pass.
    candidates : mapping of path to array
        What a forward pass of other inputs leaves as it is.
    """
    paths = [(path, value) for path, value in walk(root) if is_differentiable(value)]
    found: list[tuple[str | None, tuple[Path, ...], int | None]] = []
    weights_only = False
    for container in container_of(root, CONTAINERS):
        for position, (label, array) in enumerate(entries(container)):
            places = tuple(path for path, value in paths if value is array and is_array(value))
            alike = tuple(
                path
                for path, value in paths
                if label and str(path[-1][1]) == label and same(value, array)
            )
            if places or alike:
                found.append((label, tuple(dict.fromkeys((*places, *alike))), position))
        if found:
            weights_only = container is getattr(root, "weights", None)
            break
    if not found or weights_only:
        taken = {path for _, places, _ in found for path in places}
        found += [(None, (path,), None) for path in candidates if path not in taken]
    return _named(found)


def _named(found: list[tuple[str | None, tuple[Path, ...], int | None]]) -> list[Parameter]:
    locals_ = [label or local_name(places[0]) for label, places, _ in found]
    return [
        Parameter(
            local if locals_.count(local) == 1 else ".".join(str(key) for _, key in places[0]),
            places,
            position,
        )
        for local, (_, places, position) in zip(locals_, found, strict=True)
    ]


def persistent(before: Any, after: Any) -> dict[Path, Any]:
    """Return the float arrays that are the same in both objects, by path."""
    kept = {path: value for path, value in walk(before) if is_differentiable(value)}
    return {
        path: value
        for path, value in walk(after)
        if path in kept and is_differentiable(value) and same(value, kept[path])
    }


def gradient_of(root: Any, parameter: Parameter, parameters: Sequence[Parameter]) -> Any:
    """Return the gradient that an object keeps of a parameter, or None."""
    for path in parameter.paths:
        for length in reversed(range(len(path))):
            owner, rest = at(root, path[:length]), path[length:]
            if not hasattr(owner, "__dict__") or is_array(owner):
                continue
            names = {
                local_name(other[length:]): one.name
                for one in parameters
                for other in one.paths
                if other[:length] == path[:length] and len(other) > length
            }
            found = _kept_by(owner, rest, local_name(rest), list(names), parameter.position)
            if found is not None:
                return found
    return None


def _kept_by(owner: Any, rest: Path, name: str, names: list[str], position: int | None) -> Any:
    if len(rest) == 1 and rest[0][1] in INSIDE:
        return next((getattr(owner, n) for n in OWN_GRADIENT if hasattr(owner, n)), None)
    for container in container_of(owner, GRADIENTS):
        listed = list(entries(container))
        for label, gradient in listed:
            if label is not None and target_of(label, names) == name:
                return gradient
        if all(label is None for label, _ in listed) and len(listed) == len(names):
            place = position if position is not None else names.index(name)
            if place < len(listed):
                return listed[place][1]
        if (inner := at(container, rest[1:])) is not None and is_differentiable(inner):
            return inner
    attributes = [n for n in dir(owner) if not n.startswith("__")]
    for attribute in attributes:
        if attribute in names or target_of(attribute, names, plain=False) != name:
            continue
        if is_differentiable(value := getattr(owner, attribute, None)):
            return value
    for attribute in attributes:
        if len(rest) > 1 and target_of(attribute, [rest[0][1]], plain=False):
            inner = at(getattr(owner, attribute, None), rest[1:])
            if inner is not None and is_differentiable(inner):
                return inner
    return None


def worth_differentiating(root: Any, parameter: Parameter, parameters: Sequence[Parameter]) -> bool:
    """Return whether an attribute is a parameter: by its name, or because it has a gradient."""
    name = parameter.name.rpartition(".")[2]
    named = is_array(at(root, parameter.paths[0])) and looks_like_parameter(name)
    return named or gradient_of(root, parameter, parameters) is not None


def random_value(name: str, array: Array, rng: np.random.Generator) -> Array:
    """Return values of this shape that neither saturate nor vanish, all distinct."""
    bare = name.rpartition(".")[2].lower()
    if bare.startswith(("gamma", "scale")):
        return rng.uniform(0.5, 1.5, array.shape)
    fan = np.sqrt(array.shape[0] * array.shape[-1]) if array.ndim > 1 else 4.0
    return rng.uniform(-1, 1, array.shape) * min(1.0, 1.5 / np.sqrt(fan))
