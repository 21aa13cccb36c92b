"""Whose memory an array shows: of a variable here, of a caller's, or of an argument."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple, Protocol

import numpy as np

from scratchnet.stepper.tracing.values import Content, View
from scratchnet.stepper.tracing.views import place, root


class Seen(NamedTuple):
    """A variable's array or number, and the copy that was made of it."""

    thing: Any
    content: Content
    value: int


class Caller(Protocol):
    """A call and whoever called it."""

    caller: Any
    seen: dict[str, Seen]
    name: str


class Origin(NamedTuple):
    """A variable that is, or is part of, an argument of the recorded function."""

    path: str
    slice: str


class _Known(NamedTuple):
    array: weakref.ref[Any]
    name: str
    value: int

    def is_of(self, array: Any) -> bool:
        """Whether this is that array, and not one that has its place in memory now."""
        return self.array() is array


class Owners:
    """Arrays by their memory, as far as they were seen.

    Parameters
    ----------
    given
        The arrays of the recorded function's arguments by name.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.origins: dict[tuple[int, str, int], Origin] = {}
        """For a call, a variable's name and its value, the argument whose memory it shows."""
        self._given = [(path, array) for path, array in given.items() if type(array) is np.ndarray]
        self._known: dict[int, _Known] = {}

    @staticmethod
    def is_view(thing: Any) -> bool:
        """Whether an array shows the memory of another."""
        return isinstance(thing, np.ndarray) and isinstance(thing.base, np.ndarray)

    def note(self, thing: Any, function: str, name: str, value: int) -> None:
        """Remember an array that has memory of its own, under the first name it was seen by."""
        if not isinstance(thing, np.ndarray) or self.is_view(thing):
            return
        known = self._known.get(id(thing))
        if known is not None and known.is_of(thing):
            self._known[id(thing)] = known._replace(value=value)
        else:
            said = _qualified(function, name)
            self._known[id(thing)] = _Known(weakref.ref(thing), said, value)

    def note_given(self, call: int, name: str, value: int, thing: Any) -> None:
        """Remember a variable that shows an argument's memory."""
        if not isinstance(thing, np.ndarray):
            return
        for path, array in self._given:
            if array is thing or root(array) is root(thing):
                where = "" if array is thing else place(thing, array)
                if where is not None:
                    self.origins[call, name, value] = Origin(path, where)
                    return

    def view(self, thing: Any, function: str, here: dict[str, Seen], call: Caller) -> View | None:
        """Return whose memory an array shows, the nearest owner first."""
        if not self.is_view(thing):
            return None
        own = root(thing)
        found = _among(thing, own, here)
        if found is not None:
            name, seen, where = found
            return View(name, seen.value, where)
        caller = call.caller
        while caller is not None:
            found = _among(thing, own, caller.seen)
            if found is not None:
                name, seen, where = found
                return View(_qualified(caller.name, name), seen.value, where)
            caller = caller.caller
        known = self._known.get(id(own))
        if known is not None and known.is_of(own):
            return View(known.name, known.value, place(thing, own))
        return None


def _qualified(function: str, name: str) -> str:
    """Return a variable's name for readers of another function."""
    return name if "." in name else f"{function.rpartition('.')[2]}.{name}"


def _among(thing: Any, own: Any, variables: dict[str, Seen]) -> tuple[str, Seen, str | None] | None:
    """Return the smallest variable that holds all of an array and more."""
    best: tuple[str, Seen, str | None] | None = None
    for name, seen in variables.items():
        other = seen.thing
        if other is thing or not isinstance(other, np.ndarray) or root(other) is not own:
            continue
        if other.size < thing.size:
            continue
        where = place(thing, other)
        if where is None and other is not own:
            continue
        if best is None or other.size < best[1].thing.size:
            best = (name, seen, where)
    return best
