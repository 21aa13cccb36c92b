"""`Recording`: what `step` returns, to look through, save, show and run again."""

from __future__ import annotations

import html
import inspect
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from scratchnet.files import write_whole
from scratchnet.stepper.compare import Comparison
from scratchnet.stepper.frame import Frame
from scratchnet.stepper.network import network
from scratchnet.stepper.replay import changed
from scratchnet.stepper.source_text.sources import Function, SourceFile
from scratchnet.stepper.tracing.given import Given
from scratchnet.stepper.tracing.owners import Origin
from scratchnet.stepper.tracing.tracer import Tracer
from scratchnet.stepper.tracing.values import Value, content_of, is_array, is_number

VERSION = 1


class Recording:
    """Every line that a function executed, with the arrays and numbers after it.

    Attributes
    ----------
    frames : list of Frame
        The lines, in the order of their execution.
    values : list of Value
        Copies of arrays and numbers; frames name them by their places here.
    functions : list of Function
    files : list of SourceFile
    result
        What the function returned.
    title : str
    explanation : str
        A sentence for the page: the first of the function's docstring unless another is set.
    truncated : str or None
        Where and why the recording ends before the function did: at a limit, or at an error.
    """

    def __init__(
        self, result: Any, title: str, tracer: Tracer, given: Given, options: dict[str, Any]
    ) -> None:
        self.result, self.title, self.truncated = result, title, tracer.truncated
        self.explanation = (inspect.getdoc(given.function) or "").partition("\n\n")[0]
        self.frames: list[Frame] = tracer.frames
        self.functions: list[Function] = tracer.sources.functions
        self.files: list[SourceFile] = tracer.sources.files
        self._store, self._origins = tracer.store, tracer.owners.origins
        self._given, self._options = given, options
        self._result_value: int | None = None
        if not self.truncated and (is_number(result) or is_array(result)):
            self._result_value = self._store.number(Value(content_of(result)))

    @property
    def values(self) -> list[Value]:
        """Copies of arrays and numbers."""
        return self._store.values

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        count = len(self.frames)
        return f"Recording of {self.title}: {count} lines, {len(self.values)} values"

    def at(
        self,
        line: int | None = None,
        t: int | None = None,
        function: str | None = None,
        *,
        phase: str | None = None,
        event: str | None = None,
    ) -> list[Frame]:
        """Return the frames of a line, a time step, a function: of all that is given.

        Parameters
        ----------
        line
            In the function's file.
        t
            The time step.
        function
            Its name, ``"lstm_step"``, or with its class, ``"PageSweep.step"``.
        phase
            ``"forward"`` or ``"backward"``.
        event
            ``"line"``, ``"call"`` or ``"return"``.
        """
        return [
            frame
            for frame in self.frames
            if (line is None or frame.line == line)
            and (t is None or frame.t == t)
            and (function is None or self._is(frame, function))
            and (phase is None or frame.phase == phase)
            and (event is None or frame.event == event)
        ]

    def text(self, frame: Frame | int) -> str:
        """Return the line of a frame, without its indentation."""
        frame = self._frame(frame)
        lines = self.files[self.functions[frame.function].file].statements.lines
        return lines[frame.line - 1].strip() if frame.line <= len(lines) else ""

    def array(self, frame: Frame | int, name: str) -> Any:
        """Return a variable as it was after a frame's line: an array, read-only."""
        return self.values[self._frame(frame).locals[name]].array

    @cached_property
    def network(self) -> dict[str, Any] | None:
        """What the page draws of the network: its kind, time steps and gates."""
        return network(self.functions, self.frames)

    def replay(self, frame: Frame | int | None = None, /, **changes: Any) -> Recording:
        """Run the same function again with something changed, and record that.

        The arguments are as they were before the first run: what it wrote is not there.

        Parameters
        ----------
        frame
            A line, whose names ``changes`` may then use: at a line of ``lstm_step``, ``Wx`` is the
            layer's ``kernel`` and ``x`` the input of this time step alone.
        changes
            By the name of an argument, of a layer's parameter (``kernel``) or of anything else in
            the arguments (``learning_rate``): another array or number; a function of what is
            there; or single entries as ``{(0, 1): 0.5}``.  ``weight=("Wx", (0, 1), 0.5)`` says the
            same as ``Wx={(0, 1): 0.5}``; so does ``input=("x", …)``.

        Returns
        -------
        Recording
            `beside` sets it against this one.

        Raises
        ------
        InputError
            If a name is unknown, stands for something computed, or the shape is another.

        Examples
        --------
        >>> import numpy as np
        >>> from scratchnet import step
        >>> from scratchnet.equations.dense import dense
        >>> recording = step(dense, np.ones((1, 2)), np.ones((2, 1)), np.zeros(1))
        >>> recording.replay(W={(0, 0): 5.0}).result
        array([[6.]])
        """
        from scratchnet.stepper.record import step

        where = None if frame is None else self._frame(frame)
        given = changed(self, self._given, where, changes)
        return step(
            given.callable(), *given.arguments, title=self.title, **self._options, **given.keywords
        )

    def origin(self, frame: Frame | int, name: str) -> Origin | None:
        """Return the argument, and the part of it, whose memory a variable shows at a line."""
        frame = self._frame(frame)
        return self._origins.get((frame.call, name, frame.locals[name]))

    def beside(self, other: Recording) -> Comparison:
        """Set another run of the same function against this one, line by line."""
        return Comparison(self, other)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that the page shows, as JSON can hold it."""
        return {
            "version": VERSION,
            "title": self.title,
            "files": [file.to_dict() for file in self.files],
            "functions": [function.to_dict() for function in self.functions],
            "frames": [frame.to_dict() for frame in self.frames],
            "values": [value.to_dict() for value in self.values],
            "network": self.network,
            "result": self._result_value,
            "truncated": self.truncated,
        }

    def to_json(self) -> str:
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write the page: one HTML file that needs nothing else."""
        from scratchnet.stepper.display.page import render

        write_whole(Path(path), render(self).encode())

    def _repr_html_(self) -> str:
        from scratchnet.stepper.display.page import render

        page = html.escape(render(self), quote=True)
        style = "width: 100%; height: 48rem; border: 0"
        return (
            f'<iframe srcdoc="{page}" style="{style}" title="{html.escape(self.title)}"></iframe>'
        )

    def _frame(self, frame: Frame | int) -> Frame:
        return self.frames[frame] if isinstance(frame, int) else frame

    def _is(self, frame: Frame, name: str) -> bool:
        full = self.functions[frame.function].name
        return full == name or full.rpartition(".")[2] == name
