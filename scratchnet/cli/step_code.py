"""What ``scratchnet step`` is asked to watch in a user's file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.cli.refusal import refuse
from scratchnet.cli.shapes import named_ids, named_sizes
from scratchnet.errors import InputError
from scratchnet.gradcheck.loading import load
from scratchnet.stepper import Recording, step
from scratchnet.stepper.display.page import NOTHING

METHODS = "For a method, write a function that makes the object and calls it"


def record(target: str, seed: int, shapes: list[str], ids: list[str]) -> Recording:
    """Record a function of the user's, with the arguments that the options describe.

    Raises
    ------
    InputError
        If there is no such function, an argument is missing, or the function raises an error; then
        the cause of this one has what was recorded as its attribute ``recording``.
    """
    title = target.rpartition(":")[2]
    if "." in title and ":" in target:
        refuse("step", f"expected a function, got {title}, of an object. {METHODS}")
    function, *others = load(target)
    if others or isinstance(function, type) or not callable(function):
        refuse("step", f"expected one function, such as mine.py:train, got {target}. {METHODS}")
    generator = np.random.default_rng(seed)
    arguments: dict[str, Any] = {}
    for name, sizes in map(named_sizes, shapes):
        _once(name, arguments)
        arguments[name] = generator.standard_normal(sizes)
    for name, (sizes, below) in map(named_ids, ids):
        _once(name, arguments)
        arguments[name] = generator.integers(below, size=sizes)
    _check_arguments(function, target, arguments)
    try:
        recording = step(function, title=title, **arguments)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".removesuffix(".")
        raise InputError(f"{target} raised {said}. Correct it, or what it is given.") from error
    if not recording:
        refuse(target, recording.truncated or NOTHING)
    return recording


def _once(name: str, arguments: dict[str, Any]) -> None:
    if name in arguments:
        refuse("--shape", f"expected each argument once, got {name} more than once. Leave one")


def _check_arguments(function: Callable[..., Any], target: str, arguments: dict[str, Any]) -> None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # written in C
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        needed = [
            name
            for name, parameter in signature.parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        missing = [name for name in needed if name not in arguments]
        if missing:
            refuse(
                "--shape",
                f"expected the shape of every argument of {target}, such as "
                f"{' '.join(f'--shape {name}=3,4' for name in missing)}, got none for "
                f"{', '.join(missing)}. Add them, or name a function that needs no arguments",
            )
        refuse("--shape", f"{target} cannot be called so: {error}. Correct the names")
