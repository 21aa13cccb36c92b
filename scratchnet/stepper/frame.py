"""`Frame`: one line of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Frame:
    """A line that has just been executed, and the values after it.

    Attributes
    ----------
    i : int
        Its place in the recording.
    function : int
        The function's place in ``recording.functions``.
    line : int
        The first line of the statement, in its file.
    depth : int
        How many recorded functions were waiting for this one.
    call : int
        Which call of a function this belongs to; every call has its own number.
    t : int or None
        The time step: ``t`` of the innermost loop over time around the line.
    phase : str
        ``"backward"`` in a function whose name ends in ``_backward`` or is ``backward``, and in
        whatever it calls; else ``"forward"``.
    event : str
        ``"call"`` for a function that was just entered, ``"return"`` for the last line before it
        was left, ``"line"`` for every other.
    read : tuple of str
        The arrays and numbers that the line names.
    changed, locals : dict of str to int
        What the line wrote, and all that was visible after it, as places in ``recording.values``.
    """

    i: int
    function: int
    line: int
    depth: int
    call: int
    t: int | None
    phase: str
    event: str
    read: tuple[str, ...]
    changed: dict[str, int]
    locals: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the frame as the recording's JSON has it."""
        return {**vars(self), "read": list(self.read)}
