"""Shapes as options of the command line: ``3,6,4`` and ``x=3,6,4``."""

from __future__ import annotations

import re

from scratchnet.errors import InputError

Shape = tuple[int, ...]

SIZES = "[1-9][0-9]*(,[1-9][0-9]*)*"


def sizes(option: str, said: str) -> Shape:
    """Return the shape that ``3,6,4`` gives.

    Raises
    ------
    InputError
        If it is malformed.
    """
    if re.fullmatch(SIZES, said):
        return tuple(map(int, said.split(",")))
    raise InputError(
        f"{option}: expected sizes such as 3,6,4, got {said or 'nothing'}. "
        "Give whole numbers above 0 with commas between them."
    )


def named_sizes(said: str) -> tuple[str, Shape]:
    """Return the name and the shape that ``x=3,6,4`` gives.

    Raises
    ------
    InputError
        If it is malformed.
    """
    name, rest = _named(said)
    if re.fullmatch(SIZES, rest):
        return name, sizes("--shape", rest)
    raise InputError(
        f"--shape: expected NAME=SIZES such as x=3,6,4, got {said or 'nothing'}. "
        "Give an argument's name and whole numbers above 0 with commas between them."
    )


def named_ids(said: str) -> tuple[str, tuple[Shape, int]]:
    """Return the name, shape and bound that ``labels=3,6:10`` gives.

    Raises
    ------
    InputError
        If it is malformed.
    """
    name, rest = _named(said)
    shape, _, below = rest.partition(":")
    if not re.fullmatch(f"{SIZES}:[1-9][0-9]*", rest):
        raise InputError(
            f"--ids: expected NAME=SIZES:BELOW such as labels=3,6:10, got {said or 'nothing'}. "
            "Give the array's sizes, and a number above its largest id."
        )
    return name, (sizes("--ids", shape), int(below))


def listed(shape: Shape) -> str:
    """Return a shape as an option takes it."""
    return ",".join(map(str, shape))


def _named(said: str) -> tuple[str, str]:
    name, _, rest = said.partition("=")
    return name, rest if name.isidentifier() else ""
