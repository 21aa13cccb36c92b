"""The line of someone's file that computes the offending quantity."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FunctionType

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.diagnosis.tracing import Step, watch
from scratchnet.gradcheck.diagnosis.transforms import EXACT
from scratchnet.gradcheck.findings import Finding, Line
from scratchnet.gradcheck.subjects.naming import target_of

LOOPS = ("first-step-skipped", "last-step-skipped")
WRITES = ("upstream-modified", "cache-modified", "updated-weights")


def with_line(case: Case, finding: Finding, values: Sequence[Array]) -> Finding:
    """Return the finding with the line that computes what is wrong, if it can be told.

    Parameters
    ----------
    values : sequence of array
        What the wrong quantity is, step by step: a line that computes one of them is the line.
    """
    functions = [f for f in case.subject.functions if isinstance(f, FunctionType)]
    if not functions or finding.line is not None:
        return finding
    try:
        source = _Source(functions[-1])
    except (OSError, TypeError, SyntaxError):
        return finding
    number = _number(case, finding, values, source)
    if number is None:
        return finding
    text = linecache.getline(source.file, number).rstrip("\n")
    return replace(finding, line=Line(Path(source.file).name, number, text))


def _number(case: Case, finding: Finding, values: Sequence[Array], source: _Source) -> int | None:
    arrays = finding.array.split(", ") if finding.array else []
    if finding.id in LOOPS and (line := source.loop()):
        return line
    if finding.id == "last-use-only" and (line := source.assignment(arrays, in_loop=True)):
        return line
    steps = watch(case.subject, lambda: case.subject.pull(case.arrays, case.upstream))
    if finding.id in WRITES:
        return next((s.line for s in steps if s.given), None)
    if finding.id == "plus-parameter":
        values = [np.asarray(case.arrays[n]) for n in arrays]
    wrong = [case.pulled.gradients[n] for n in arrays if n in case.pulled.gradients]
    tolerance = EXACT[case.subject.dtype]
    return (
        _computing(steps, values, tolerance)
        or source.assignment(arrays)
        or _computing(steps, wrong, tolerance)
    )


def _computing(steps: Sequence[Step], values: Sequence[Array], tolerance: float) -> int | None:
    """Return the last line after which a variable holds the first of these values that any holds.

    However it is laid out: a value that was only handed on is found where it was handed to.
    """
    held = [(step, np.sort(np.ravel(step.value).astype(np.float64))) for step in steps]
    for value in values:
        if np.size(value) < 2 or not np.any(value):
            continue
        wanted = np.sort(np.ravel(value))
        close = tolerance * np.abs(wanted).max()
        found = [
            step
            for step, numbers in held
            if not step.given
            and numbers.size == wanted.size
            and np.abs(numbers - wanted).max() <= close
        ]
        if found:
            return [step.line for step in found if step.function == found[0].function][-1]
    return None


class _Source:
    """A function's syntax tree, with the line numbers of its file."""

    def __init__(self, function: FunctionType) -> None:
        lines, first = inspect.getsourcelines(function)
        self.file = inspect.getsourcefile(function) or ""
        tree = ast.parse(textwrap.dedent("".join(lines)))
        self.tree = ast.increment_lineno(tree, first - 1)

    def loop(self) -> int | None:
        """Return the line of the loop over time: the first loop."""
        return next((n.lineno for n in ast.walk(self.tree) if isinstance(n, ast.For)), None)

    def assignment(self, arrays: Sequence[str], in_loop: bool = False) -> int | None:
        """Return the line that computes the gradient of one of the arrays.

        With ``in_loop`` the line of a plain ``=`` inside a loop; else the last line that writes.
        """
        nodes = list(self._assignments(self.tree, False))
        found = [
            (node.lineno, looped and isinstance(node, ast.Assign))
            for node, looped in nodes
            for label in _targets(node)
            if target_of(label, arrays, plain=False) is not None
        ]
        if in_loop:
            return next((line for line, plain in found if plain), None)
        return found[-1][0] if found else None

    def _assignments(self, node: ast.AST, looped: bool) -> Iterator[tuple[ast.stmt, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Assign | ast.AugAssign):
                yield child, looped
            inside = looped or isinstance(child, ast.For | ast.While)
            yield from self._assignments(child, inside)


def _targets(node: ast.stmt) -> Iterator[str]:
    """Yield what a statement assigns to: variables, attributes, keys of dicts."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name):
                yield part.id
            elif isinstance(part, ast.Attribute):
                yield part.attr
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
