"""Which line computed what: one backward pass of the code under test, watched line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Subject

MOST_STEPS = 20_000


@dataclass(frozen=True)
class Step:
    """What one executed line changed.

    Attributes
    ----------
    line : int
    function : str
        Of whose lines it is one.
    name : str
        Of the variable, ``grads['W']`` or ``self.dW`` for what hangs on one.
    value : array
        After the line.
    given : bool
        Whether the array was there when the backward pass began: it was written into.
    """

    line: int
    function: str
    name: str
    value: Array
    given: bool


@dataclass
class Watch:
    """The arrays seen so far in one frame."""

    code: CodeType
    line: int
    seen: dict[str, tuple[int, Array]] = field(default_factory=dict)


def watch(subject: Subject, pull: Callable[[], Any]) -> list[Step]:
    """Run ``pull`` and return what every line of the backward pass changed, in order.

    Empty where the code's file cannot be read or someone else is tracing.
    """
    if not subject.functions or sys.gettrace() is not None:
        return []
    tracer = _Tracer(subject.functions[-1].__code__)
    sys.settrace(tracer.called)
    try:
        pull()
    finally:
        sys.settrace(None)
    return tracer.steps


class _Tracer:
    def __init__(self, backward: CodeType) -> None:
        self.backward, self.file = backward, backward.co_filename
        self.steps: list[Step] = []
        self.depth = 0
        self.given: set[int] = set()

    def called(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        if frame.f_code is self.backward:
            self.depth += 1
            self.given = {id(array) for _, array in _arrays(frame.f_locals)}
        elif not self.depth:
            return None
        watch = Watch(frame.f_code, frame.f_lineno)
        watch.seen = {name: (id(a), a.copy()) for name, a in _arrays(frame.f_locals)}

        def line(frame: FrameType, event: str, _: Any) -> Any:
            self._look(frame, watch)
            watch.line = frame.f_lineno
            if event == "return" and frame.f_code is self.backward:
                self.depth -= 1
            return line

        return line

    def _look(self, frame: FrameType, watch: Watch) -> None:
        if len(self.steps) > MOST_STEPS:
            return
        for name, array in _arrays(frame.f_locals):
            before = watch.seen.get(name)
            same = before is not None and before[1].shape == array.shape
            if same and before is not None and np.array_equal(before[1], array):
                continue
            copy = array.copy()
            watch.seen[name] = (id(array), copy)
            given = id(array) in self.given
            self.steps.append(Step(watch.line, watch.code.co_name, name, copy, given))


def _arrays(variables: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield the arrays that variables hold, those in dicts, lists and attributes one level deep."""
    for name, value in variables.items():
        yield from _held(name, value)
        if name == "self":
            for attribute, part in vars(value).items() if hasattr(value, "__dict__") else ():
                yield from _held(f"self.{attribute}", part)


def _held(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                yield f"{name}[{key!r}]", part
    elif isinstance(value, tuple | list) and len(value) < 100:
        for k, part in enumerate(value):
            if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                yield f"{name}[{k}]", part
