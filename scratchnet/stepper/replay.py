"""Changing what a recorded function was given."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.backend import array_module, to_host, to_like
from scratchnet.errors import InputError
from scratchnet.stepper.tracing.given import Given, Leaf
from scratchnet.stepper.tracing.values import content_of, is_array, is_number

if TYPE_CHECKING:
    from scratchnet.stepper.frame import Frame
    from scratchnet.stepper.recording import Recording

ENTRY = ("weight", "input")
"""Keywords that take ``(name, index, value)``: one entry of an array."""


def changed(
    recording: Recording, before: Given, frame: Frame | None, changes: Mapping[str, Any]
) -> Given:
    """Return a copy of the arguments with the changes made.

    Parameters
    ----------
    recording
        Whose frames the names may be from.
    before
        The arguments before the run.
    frame
        The line whose names count, or None.
    changes
        As `Recording.replay` takes them.
    """
    if not changes:
        raise InputError(
            "replay: expected something to change, got nothing. Try replay(W=new_array), or "
            "replay(weight=('W', (0, 0), 0.5)) for one entry."
        )
    before.expect_copy()
    given = before.copied()
    given.expect_copy()
    for keyword, new in changes.items():
        name, change = keyword, new
        if keyword in ENTRY and isinstance(new, tuple) and len(new) == 3:
            name, change = new[0], {new[1]: new[2]}
        leaf, where = _meant(recording, given, frame, name)
        _apply(leaf, where, name, change)
    return given


def _meant(recording: Recording, given: Given, frame: Frame | None, name: str) -> tuple[Leaf, str]:
    """Return the argument that a name stands for, and which part of it."""
    leaves = list(given.leaves())
    by_path = {leaf.path: leaf for leaf in leaves}
    if frame is not None and name in frame.locals:
        origin = recording.origin(frame, name)
        if origin is not None and origin.path in by_path:
            return by_path[origin.path], origin.slice
        content = recording.values[frame.locals[name]].content
        alike = [leaf for leaf in leaves if _cast(leaf.value, content.dtype) == content]
        if len({id(leaf.value) for leaf in alike}) == 1:
            return alike[0], ""
        raise InputError(
            f"replay: {name} is computed at frame {frame.i}, not given. Change one of "
            f"{_listed(leaves)}."
        )
    found = [by_path[name]] if name in by_path else [lf for lf in leaves if lf.name == name]
    if len(found) == 1:
        return found[0], ""
    if found:
        paths = ", ".join(leaf.path for leaf in found)
        raise InputError(
            f"replay: {name} may be {paths}. Write replay(**{{{found[0].path!r}: …}}) for one."
        )
    near = difflib.get_close_matches(name, [*by_path, *(leaf.name for leaf in leaves)], n=1)
    raise InputError(
        f"replay: expected the name of an argument, got {name!r}"
        + (f"; did you mean {near[0]}?" if near else ".")
        + f" There are {_listed(leaves)}."
    )


def _apply(leaf: Leaf, where: str, name: str, change: Any) -> None:
    old = leaf.value
    if is_number(old) or (is_array(old) and not hasattr(old, "__setitem__")):
        new = change(old) if callable(change) else change
        if not is_number(new) and not (is_array(new) and to_host(new).shape == ()):
            raise InputError(f"replay: expected a number for {name}, got {_said(new)}")
        if leaf.replace is None:
            raise InputError(f"replay: {name} is {leaf.path}, in a tuple: give step a list")
        leaf.replace(new)
        return
    part = _part(old, where)
    if isinstance(change, Mapping):
        for index, value in change.items():
            _set_entry(part, index, value, name)
        return
    new = change(part.copy()) if callable(change) else change
    host = np.asarray(to_host(new) if is_array(new) else new)
    if host.shape == part.shape and host.dtype.kind in "biuf":
        part[...] = to_like(host.astype(str(part.dtype)), part)
    elif where == "" and leaf.replace is not None and host.ndim == part.ndim:
        leaf.replace(to_like(host.astype(str(part.dtype)), part))
    else:
        raise InputError(
            f"replay: expected {name} of shape {tuple(part.shape)}, got {_said(new)}. For one "
            f"entry, write {name}={{(0, 1): 0.5}} or weight=({name!r}, (0, 1), 0.5)."
        )


def _set_entry(part: Any, index: Any, value: Any, name: str) -> None:
    try:
        old = part[index]
        part[index] = value(old) if callable(value) else value
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"replay: {name} of shape {tuple(part.shape)} has no entry {index!r} for "
            f"{_said(value)} ({error}). Give an index and a number."
        ) from None


def _part(array: Any, where: str) -> Any:
    """Return the part of an array that `views.place` wrote down."""
    rest = where
    if rest.startswith("["):
        inside, _, rest = rest[1:].partition("]")
        array = array[tuple(_index(part) for part in inside.split(", "))]
    if rest == ".T":
        return array.T
    if rest:
        method, _, numbers = rest[1:-1].partition("(")
        order = [int(n) for n in numbers.split(",") if n.strip()]
        return getattr(array, method)(*order)
    return array


def _index(part: str) -> int | slice:
    if ":" not in part:
        return int(part)
    return slice(*(int(n) if n else None for n in part.split(":")))


def _cast(value: Any, dtype: str) -> Any:
    """Return the content that an argument has in another dtype, as layers cast their inputs."""
    if is_number(value) or str(array_module(value).asarray(value).dtype) == dtype:
        return content_of(value)
    if np.dtype(value.dtype).kind != "f" or not dtype.startswith("float"):
        return None
    return content_of(value.astype(dtype))


def _listed(leaves: list[Leaf]) -> str:
    return ", ".join(leaf.path for leaf in leaves[:12]) + (" …" if len(leaves) > 12 else "")


def _said(value: Any) -> str:
    if is_array(value):
        return f"shape {tuple(value.shape)}"
    return f"{value!r}" if is_number(value) else f"a {type(value).__name__}"
