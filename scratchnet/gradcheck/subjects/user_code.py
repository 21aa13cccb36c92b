"""Calling code that someone else wrote: errors in one line, upstream gradients in its own form."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.naming import bare, output_names, target_of
from scratchnet.gradcheck.subjects.nested import Held, Path, at, flatten, same, unflatten, units

CACHE = re.compile(r"cache|^ctx$|context|saved|memo|tape|^store", re.I)
TARGET = re.compile(r"^(?:y|t|ytrue|targets?|labels?|desired|expected|truth)$")
MASKS = ("mask", "masks", "seqmask", "xmask")


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


def place_of(error: BaseException, file: str) -> str:
    """Return ``file.py:12``, the innermost line of a file that an exception came through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return f"{File(file).name}:{frames[-1].lineno}" if frames else File(file).name


def file_of(function: Callable[..., Any]) -> str:
    """Return the file that a function was read from."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code is not None else ""


def shape_of(value: Any) -> str:
    """Return the shape of an argument in words."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} {shape_of(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return str(value.shape) if isinstance(value, np.ndarray) else repr(value)


def call(
    function: Callable[..., Any],
    who: str,
    arguments: Sequence[Any],
    keywords: Mapping[str, Any],
    shapes: str,
) -> Any:
    """Call someone's function; what it raises becomes an `InputError` of one line.

    Parameters
    ----------
    function : callable
    who : str
        As messages call it.
    arguments, keywords
        What it is called with.
    shapes : str
        What was passed, in words.

    Raises
    ------
    InputError
        If the function raises anything.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is reported
            return function(*arguments, **keywords)
    except Exception as error:
        place = place_of(error, file_of(function))
        raise InputError(
            f"{who} raised {one_line(error)}{f' ({place})' if place else ''} for {shapes}"
        ) from error


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return a function's own arguments, ``*args`` and ``**kwargs`` left out."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def is_required(parameter: inspect.Parameter) -> bool:
    """Return whether a call must give this argument."""
    return parameter.default is parameter.empty


@dataclass
class Outputs:
    """What a forward pass returned, by name, and how upstream gradients are handed back.

    Attributes
    ----------
    value : object
        As the code returned it, its cache left out.
    names : list of str
        Of its float arrays, in order.
    """

    value: Any
    names: list[str]

    @classmethod
    def of(cls, value: Any, expression: Any) -> Outputs:
        return cls(value, output_names(value, expression))

    def arrays(self) -> dict[str, Array]:
        return dict(zip(self.names, flatten(self.value), strict=True))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [array.shape for array in flatten(self.value)]

    def upstream(self, given: Mapping[str, Array]) -> Any:
        """Return upstream gradients in the form of the outputs; missing ones are zero."""
        arrays = [
            np.asarray(given.get(name, np.zeros_like(array)))
            for name, array in self.arrays().items()
        ]
        return unflatten(self.value, iter(arrays))

    def places(self) -> list[tuple[Path, list[str]]]:
        """Return the path of every array or list of steps, with the names that it holds."""
        found, start = [], 0
        for path, count in units(self.value):
            found.append((path, self.names[start : start + count]))
            start += count
        return found


@dataclass
class Plan:
    """Which upstream gradient goes into which argument of the backward pass."""

    paths: dict[str, Path] = field(default_factory=dict)
    """By argument; the path leads into the outputs as the forward pass returns them."""

    def covered(self, outputs: Outputs) -> tuple[str, ...]:
        """Return the outputs whose gradient reaches the backward pass; all where it takes none."""
        if not self.paths:
            return tuple(outputs.names)
        return tuple(
            name
            for path, names in outputs.places()
            for name in names
            if any(path[: len(start)] == start for start in self.paths.values())
        )

    def arguments(self, outputs: Outputs, given: Mapping[str, Array]) -> dict[str, Any]:
        whole = outputs.upstream(given)
        return {name: at(whole, path) for name, path in self.paths.items()}


def plans(arguments: Sequence[str], outputs: Outputs) -> list[Plan]:
    """Return the ways in which upstream gradients may be meant, the likeliest first.

    By the arguments' names; one argument for each part that the forward pass returns; one for each
    array; everything in one argument.
    """
    if not arguments:
        return [Plan()]
    places = outputs.places()
    single = {names[0]: path for path, names in places if len(names) == 1}
    parts = list(dict.fromkeys(path[:1] for path, _ in places))
    leaves = [path for path, _ in places]
    found: list[list[Path]] = []
    targets = [target_of(argument, single, plain=False) for argument in arguments]
    if None not in targets and len(set(targets)) == len(targets):
        found.append([single[str(target)] for target in targets])
    if isinstance(outputs.value, tuple):
        found += [some[: len(arguments)] for some in (parts, leaves) if len(some) >= len(arguments)]
    if len(arguments) == 1:
        several = bare(arguments[0]) in ("douts", "doutputs", "gradoutputs", "dys", "grads")
        found.insert(0 if several else len(found), [()])
    return [Plan(dict(zip(arguments, paths, strict=True))) for paths in found]


BUFFER = re.compile(r"^(d[A-Z_]|d(x|h|y|c|a|z|w|b|u|v|o|next|prev|state)|grad|delta|acc)|grads?$")


def overwritten(before: Mapping[Path, Array], now: Any) -> bool:
    """Return whether arrays at these paths changed; those that a gradient's name is on may."""
    for path, array in before.items():
        keys = [key for _, key in path if isinstance(key, str)]
        if not any(BUFFER.search(key) for key in keys):
            after = at(now, path)
            if isinstance(after, np.ndarray) and not same(array, after):
                return True
    return False


def captured(function: Callable[..., Any]) -> dict[str, Held]:
    """Return the arrays that a function uses from around it, by name."""
    try:
        variables = inspect.getclosurevars(inspect.unwrap(function))
    except (TypeError, ValueError):
        return {}
    around = {**variables.globals, **variables.nonlocals}
    return {name: Held(value) for name, value in around.items() if isinstance(value, np.ndarray)}
