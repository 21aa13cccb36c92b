"""The files and functions of a recording: their lines, equations and axes."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from scratchnet.stepper.source_text.axes import Axes
from scratchnet.stepper.source_text.equations import equation_of_lines, mathematics
from scratchnet.stepper.tracing.statements import FileStatements, last_line

OWN = "scratchnet"


@dataclass
class SourceFile:
    """One file that something was recorded in."""

    name: str
    """As shown: never an absolute path."""
    statements: FileStatements
    module_doc: str
    whole: bool
    """Whether to show all of it, or the recorded functions alone."""
    span: tuple[int, int] = (0, 0)
    """First and last line of the recorded functions."""
    equations: dict[int, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the file as the recording's JSON has it."""
        lines = [line.rstrip("\n") for line in self.statements.lines]
        first = 1 if self.whole else self.span[0]
        return {
            "name": self.name,
            "first": first,
            "lines": lines if self.whole else lines[first - 1 : self.span[1]],
            "equations": {str(line): latex for line, latex in sorted(self.equations.items())},
        }


@dataclass(frozen=True)
class Function:
    """One function that was recorded."""

    name: str
    file: int
    first: int
    last: int
    backward: bool
    doc: str
    """The mathematics of its docstring or else of its module's, as LaTeX; may be empty."""
    axes: Axes

    def to_dict(self) -> dict[str, Any]:
        """Return the function as the recording's JSON has it."""
        return {
            "name": self.name,
            "file": self.file,
            "first": self.first,
            "last": self.last,
            "backward": self.backward,
            "doc": self.doc,
        }


@dataclass
class Sources:
    """Files and functions, numbered as they are met."""

    files: list[SourceFile] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    _file_numbers: dict[str, int] = field(default_factory=dict)
    _function_numbers: dict[CodeType, int] = field(default_factory=dict)

    def function(self, code: CodeType, module_globals: dict[str, Any]) -> int:
        """Return a function's number, reading its source where it is new."""
        if code not in self._function_numbers:
            file = self._file(code, module_globals)
            self._function_numbers[code] = len(self.functions)
            self.functions.append(self._described(code, file, module_globals))
        return self._function_numbers[code]

    def statements(self, function: int) -> FileStatements:
        """Return the statements of the file that a function is in."""
        return self.files[self.functions[function].file].statements

    def _file(self, code: CodeType, module_globals: dict[str, Any]) -> int:
        number = self._file_numbers.setdefault(code.co_filename, len(self.files))
        if number == len(self.files):
            module = str(module_globals.get("__name__", ""))
            self.files.append(
                SourceFile(
                    name=_shown(code.co_filename, module),
                    statements=FileStatements.of(code.co_filename, module_globals),
                    module_doc=inspect.cleandoc(module_globals.get("__doc__") or ""),
                    whole=module.partition(".")[0] == OWN,
                )
            )
        return number

    def _described(self, code: CodeType, number: int, module_globals: dict[str, Any]) -> Function:
        file = self.files[number]
        name = code.co_qualname.replace("<locals>.", "")
        first, last = _def_line(file.statements.lines, code.co_firstlineno), last_line(code)
        doc = docstring(code)
        before = file.span if file.span[0] else (first, last)
        file.span = (min(before[0], first), max(before[1], last))
        file.equations |= equation_of_lines(
            file.statements.lines, first, last, code.co_name, doc, file.module_doc
        )
        forward = module_globals.get(code.co_name.removesuffix("_backward"))
        tables = [doc, inspect.getdoc(forward) or ""] if inspect.isfunction(forward) else [doc]
        return Function(
            name=name,
            file=number,
            first=first,
            last=last,
            backward=is_backward(code.co_name),
            doc=mathematics(doc) or mathematics(file.module_doc),
            axes=Axes.of(tables),
        )


def is_backward(name: str) -> bool:
    """Whether a function of this name goes back."""
    return name.endswith("_backward") or name.startswith("backward")


def docstring(code: CodeType) -> str:
    """Return a function's docstring, read off its code."""
    first = code.co_consts[0] if code.co_consts else None
    return inspect.cleandoc(first) if isinstance(first, str) else ""


def _def_line(lines: list[str], first: int) -> int:
    """Return the line with ``def``, below the decorators."""
    for line in range(first, len(lines) + 1):
        if lines[line - 1].lstrip().startswith(("def ", "async def ")):
            return line
    return first


def _shown(filename: str, module: str) -> str:
    parts = Path(filename).parts
    if module.partition(".")[0] == OWN and OWN in parts:
        start = len(parts) - 1 - parts[::-1].index(OWN)
        return "/".join(parts[start:])
    return re.sub(r"^<(ipython-input|stdin).*>$", "notebook", Path(filename).name)
