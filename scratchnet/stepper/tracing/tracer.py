"""What `sys.settrace` calls: one `Frame` for every line that a traced function has executed."""

from __future__ import annotations

import dis
import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from scratchnet.backend import Array
from scratchnet.stepper.frame import Frame
from scratchnet.stepper.source_text.sources import Sources, is_backward
from scratchnet.stepper.tracing.owners import Owners, Seen
from scratchnet.stepper.tracing.statements import TIME, FileStatements, Statement
from scratchnet.stepper.tracing.values import Store, Value, content_of, is_number, visible

_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@dataclass
class _Call:
    """One call of a traced function."""

    number: int
    function: int
    name: str
    depth: int
    backward: bool
    t_outside: int | None
    """The time step of whoever called."""
    statements: FileStatements
    attributes: tuple[str, ...]
    caller: _Call | None
    takes_time: bool
    """Whether ``t`` is one of its parameters."""
    pending: Statement | None = None
    """The statement that is being executed."""
    began: int = 0
    """The instruction that it began with."""
    latest: int = 0
    raised: bool = False
    t: int | None = None
    seen: dict[str, Seen] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


class Tracer:
    """Records while it is the thread's trace function.

    Parameters
    ----------
    traced
        Says of a function's code and globals whether to record it.
    max_frames, max_bytes
        When to stop recording.
    given
        The arrays of the arguments by name, to know them again in the functions.
    """

    def __init__(
        self,
        traced: Callable[[CodeType, dict[str, Any]], bool],
        max_frames: int,
        max_bytes: int,
        given: dict[str, Array],
    ) -> None:
        self.sources, self.store, self.frames = Sources(), Store(), list[Frame]()
        self.owners = Owners(given)
        self.truncated: str | None = None
        self.stopped = False
        self._traced, self._max_frames, self._max_bytes = traced, max_frames, max_bytes
        self._choices: dict[tuple[CodeType, str], bool] = {}
        self._calls: dict[FrameType, _Call] = {}
        self._stack: list[_Call] = []
        self._count = 0

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Begin a call, or look away from it: what `sys.settrace` is given."""
        if self.stopped:
            return None
        code = frame.f_code
        key = (code, str(frame.f_globals.get("__name__", "")))
        if key not in self._choices:
            is_function = bool(code.co_flags & inspect.CO_OPTIMIZED) and code.co_name[0] != "<"
            self._choices[key] = is_function and self._traced(code, frame.f_globals)
        if not self._choices[key]:
            return None
        if frame in self._calls:  # a generator goes on
            self._stack.append(self._calls[frame])
            return self._local
        self._enter(frame)
        return self._local

    def stop(self) -> None:
        """Look at nothing any more."""
        self.stopped = True
        self._calls.clear()
        self._stack.clear()

    def _enter(self, frame: FrameType) -> None:
        code = frame.f_code
        function = self.sources.function(code, frame.f_globals)
        statements = self.sources.statements(function)
        caller = self._stack[-1] if self._stack else None
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        call = _Call(
            number=self._count,
            function=function,
            name=code.co_name,
            depth=len(self._stack),
            backward=is_backward(code.co_name) or (caller is not None and caller.backward),
            t_outside=caller.t if caller else None,
            statements=statements,
            attributes=statements.attributes(code),
            caller=caller,
            takes_time=TIME in parameters,
        )
        self._count += 1
        self._calls[frame] = call
        self._stack.append(call)
        variables = frame.f_locals
        call.t = self._time(call, None, variables)
        found, twice = visible(variables, call.attributes)
        described = self.sources.functions[function]
        shapes = {name: thing.shape for name, thing in found.items() if not is_number(thing)}
        call.sizes = described.axes.sizes(shapes) or (caller.sizes if caller else {})
        self._record(call, "call", described.first, found, twice)

    def _local(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self.stopped:
            return None
        call = self._calls.get(frame)
        if call is None:
            return None
        if event == "line":
            self._line(call, frame)
        elif event == "return":
            unwinding = call.raised and arg is None
            if frame.f_code.co_flags & _SUSPENDS and not unwinding and _suspended(frame):
                self._leave(call)
                return self._local
            self._finish(call, frame, "return", None)
            self._leave(call)
            self._calls.pop(frame, None)
        elif event == "exception":
            call.raised = True
        return None if self.stopped else self._local

    def _leave(self, call: _Call) -> None:
        while self._stack and self._stack.pop() is not call:
            pass

    def _line(self, call: _Call, frame: FrameType) -> None:
        """Finish the statement before, and note the one that begins."""
        offset = frame.f_lasti
        statement = call.statements.at(frame.f_code, offset, frame.f_lineno)
        past = call.latest if statement.header else call.began
        if statement == call.pending and offset > past:  # another of the statement's lines
            call.latest = offset
            return
        self._finish(call, frame, "line", statement)
        call.pending, call.began, call.latest, call.raised = statement, offset, offset, False

    def _finish(
        self, call: _Call, frame: FrameType, event: str, following: Statement | None
    ) -> None:
        variables = frame.f_locals
        done = call.pending
        if done is not None:
            ended = done.body is not None and not (following and following.inside(done))
            if done.starts_time:
                call.t = call.t_outside if ended else _whole(variables.get(TIME))
            written = () if call.raised or ended else done.writes
            found, twice = visible(variables, call.attributes)
            self._record(call, event, done.line, found, twice, written, done)
        call.t = self._time(call, following, variables)

    def _time(self, call: _Call, statement: Statement | None, variables: Any) -> int | None:
        """Return the time step of a statement that is about to run."""
        if call.takes_time or (statement is not None and statement.timed):
            t = _whole(variables.get(TIME))
            return call.t_outside if t is None else t
        return call.t_outside

    def _record(
        self,
        call: _Call,
        event: str,
        line: int,
        found: dict[str, Any],
        twice: set[str],
        written: tuple[str, ...] = (),
        statement: Statement | None = None,
    ) -> None:
        before, kept = call.seen, len(self.store.values)
        call.seen = self._look(call, found, before)
        if self.store.size > self._max_bytes:
            self.store.forget(kept)
            self._cut(f"{self._max_bytes} bytes of values (max_bytes)", call.function, line)
            return
        changed = {
            name: seen.value
            for name, seen in call.seen.items()
            if name not in before
            or seen.content != before[name].content
            or name.partition("[")[0] in written
        }
        self.frames.append(
            Frame(
                i=len(self.frames),
                function=call.function,
                line=line,
                depth=call.depth,
                call=call.number,
                t=call.t,
                phase="backward" if call.backward else "forward",
                event=event,
                read=() if statement is None else _read(statement, [*before, *call.seen]),
                changed={name: value for name, value in changed.items() if name not in twice},
                locals={n: seen.value for n, seen in call.seen.items() if n not in twice},
            )
        )
        if len(self.frames) >= self._max_frames:
            self._cut(f"{self._max_frames} lines (max_frames)", call.function, line)

    def _look(self, call: _Call, found: dict[str, Any], before: dict[str, Seen]) -> dict[str, Seen]:
        """Copy what is visible; what is as it was before keeps its value."""
        now: dict[str, Seen] = {}
        function = self.sources.functions[call.function]
        for name in sorted(found, key=lambda n: self.owners.is_view(found[n])):
            thing = found[name]
            content = content_of(thing)
            last = before.get(name)
            if last is not None and last.thing is thing and last.content == content:
                now[name] = last
            else:
                view = self.owners.view(thing, function.name, now, call)
                axes = function.axes.of_array(name, content.shape, call.sizes)
                axes = axes or self._axes_outside(call, thing)
                number = self.store.number(Value(content, view, axes))
                now[name] = Seen(thing, content, number)
                self.owners.note_given(call.number, name, number, thing)
            self.owners.note(thing, function.name, name, now[name].value)
        return {name: now[name] for name in found}

    def _axes_outside(self, call: _Call, thing: Any) -> tuple[str, ...] | None:
        """Return the names that the caller knows an array's axes by."""
        outside = call.caller.seen.values() if call.caller else ()
        same = (self.store.values[seen.value].axes for seen in outside if seen.thing is thing)
        return next(same, None)

    def _cut(self, limit: str, function: int, line: int) -> None:
        self.truncated = (
            f"Recording stopped at {limit}, at line {line} of "
            f"{self.sources.functions[function].name}; the function ran on to its end. "
            "Give it smaller inputs, or step(…) a larger limit or fewer modules."
        )
        self.stop()


def _read(statement: Statement, visible_names: list[str]) -> tuple[str, ...]:
    """Return what a statement names among what was visible before or after it."""
    entries: dict[str, dict[str, None]] = {}
    for name in visible_names:
        entries.setdefault(name.partition("[")[0], {})[name] = None
    read: dict[str, None] = {}
    for name in statement.reads:
        names = entries.get(name.partition("[")[0], {})
        read |= {name: None} if name in names else names
    return tuple(read)


def _whole(t: Any) -> int | None:
    try:
        return None if isinstance(t, bool) else operator.index(t)
    except TypeError:
        return None


def _suspended(frame: FrameType) -> bool:
    """Whether a generator left its frame by a yield, to come back."""
    instruction = frame.f_code.co_code[frame.f_lasti]
    return dis.opname[instruction] in ("YIELD_VALUE", "RESUME")  # before 3.13, and since
