"""The statements of a source file: what each reads and writes, and its instructions."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

Place = tuple[int, int]
"""A line and a column."""

TIME = "t"
"""The variable of a loop over time."""


@dataclass(frozen=True)
class Statement:
    """A statement; of one with a body (``for``, ``if``, …) what stands before the body."""

    line: int
    """The first line."""
    first: Place = (0, 0)
    last: Place = (0, 0)
    reads: tuple[str, ...] = ()
    """Names and attributes (``self.x``) in the order of the text."""
    writes: tuple[str, ...] = ()
    """What it assigns, whole or in part."""
    header: bool = False
    """Whether it has a body."""
    body: tuple[Place, Place] | None = None
    """Where a loop's body stands."""
    timed: bool = False
    """Whether it is in the body of a ``for t in …`` of its own function."""
    starts_time: bool = False
    """Whether it is the head of a ``for t in …``."""

    def inside(self, loop: Statement) -> bool:
        """Whether it stands in the body of ``loop``."""
        return loop.body is not None and loop.body[0] <= self.first <= loop.body[1]


@dataclass
class FileStatements:
    """The statements of one file, found from a code object's positions."""

    lines: list[str]
    statements: list[Statement] = field(default_factory=list)
    _found: dict[tuple[CodeType, int], Statement] = field(default_factory=dict)
    _attributes: dict[CodeType, tuple[str, ...]] = field(default_factory=dict)
    _positions: dict[CodeType, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, filename: str, module_globals: dict[str, Any] | None = None) -> FileStatements:
        """Read a file; one that cannot be read, or is no Python, has no statements."""
        lines = linecache.getlines(filename, module_globals)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            return cls(lines)
        return cls(lines, list(_statements(tree.body, timed=False)))

    def at(self, code: CodeType, offset: int, line: int) -> Statement:
        """Return the innermost statement around the instruction at ``offset``."""
        key = (code, offset)
        if key not in self._found:
            self._found[key] = self._look(code, offset, line)
        return self._found[key]

    def attributes(self, code: CodeType) -> tuple[str, ...]:
        """Return every ``name.attribute`` that the function reads or writes."""
        if code not in self._attributes:
            first, last = code.co_firstlineno, last_line(code)
            names = {
                name.partition("[")[0]
                for statement in self.statements
                if first <= statement.line <= last
                for name in (*statement.reads, *statement.writes)
                if "." in name.partition("[")[0]
            }
            self._attributes[code] = tuple(sorted(names))
        return self._attributes[code]

    def _look(self, code: CodeType, offset: int, line: int) -> Statement:
        if code not in self._positions:
            self._positions[code] = list(code.co_positions())
        start, _, column, _ = self._positions[code][offset // 2]
        place = (start or line, column if column is not None else -1)
        around = [s for s in self.statements if s.first <= place <= s.last]
        if not around:  # an instruction without a column: the line decides
            around = [s for s in self.statements if s.first[0] <= place[0] <= s.last[0]]
        return max(around, key=lambda s: s.first, default=Statement(line))


def last_line(code: CodeType) -> int:
    """Return the last line that any instruction of the function has."""
    lines = [line for _, _, line in code.co_lines() if line is not None]
    inner = [last_line(c) for c in code.co_consts if isinstance(c, CodeType)]
    return max([code.co_firstlineno, *lines, *inner])


def _statements(body: list[ast.stmt], timed: bool) -> Iterator[Statement]:
    for node in body:
        yield from _statement(node, timed)


def _statement(node: Any, timed: bool) -> Iterator[Statement]:
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    inner: list[Any] = [child for block in blocks for child in block]
    branches: list[Any] = [*getattr(node, "handlers", []), *getattr(node, "cases", [])]
    own = _own_nodes(node)
    reads, writes = _names(node, own)
    decorators = getattr(node, "decorator_list", [])
    start = node.pattern if isinstance(node, ast.match_case) else node
    first = min((d.lineno, d.col_offset - 1) for d in [*decorators, start])
    if isinstance(node, ast.match_case):
        first = (start.lineno, start.col_offset - len("case "))
    last = (start.end_lineno, start.end_col_offset)
    header = bool(inner or branches)
    if header:
        nearest = min((child.lineno, child.col_offset) for child in _placed(inner, branches))
        last = (nearest[0], nearest[1] - 1)
    is_loop = isinstance(node, ast.For | ast.AsyncFor | ast.While)
    over_time = isinstance(node, ast.For | ast.AsyncFor) and TIME in writes
    yield Statement(
        line=first[0],
        first=first,
        last=last,
        reads=reads,
        writes=writes,
        header=header,
        body=_extent(node.body) if is_loop else None,
        timed=timed,
        starts_time=over_time,
    )
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        timed = False
    for block in blocks:
        yield from _statements(block, timed or (over_time and block is node.body))
    for branch in branches:
        yield from _statement(branch, timed)


def _placed(inner: list[Any], branches: list[Any]) -> list[Any]:
    first_decorators = [d for child in inner for d in getattr(child, "decorator_list", [])]
    patterns = [b.pattern if isinstance(b, ast.match_case) else b for b in branches]
    return [*inner, *first_decorators, *patterns]


def _extent(body: list[ast.stmt]) -> tuple[Place, Place]:
    end = body[-1]
    return (body[0].lineno, body[0].col_offset - 1), (end.end_lineno or 0, end.end_col_offset or 0)


def _own_nodes(node: ast.AST) -> list[ast.AST]:
    """Return the expressions of a statement without those of the statements in it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return list(node.decorator_list)
    skipped = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, skipped)]


def _names(node: ast.AST, own: list[ast.AST]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}

    def visit(child: ast.AST) -> None:
        if isinstance(child, ast.Name):
            if isinstance(child.ctx, ast.Store):
                writes[child.id] = None
            elif isinstance(child.ctx, ast.Load):
                reads[child.id] = None
            return
        if isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Load):
            base = _base(child.value) if not isinstance(child.value, ast.Subscript) else None
            if base is not None and isinstance(child.slice, ast.Constant):
                reads[f"{base}[{child.slice.value!r}]"] = None  # one entry of a tuple or dict
                if "." in base:
                    reads[base.partition(".")[0]] = None
                return
        if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            kept = reads if isinstance(child.ctx, ast.Load) else writes
            kept[f"{child.value.id}.{child.attr}"] = None
            reads[child.value.id] = None
            return
        if isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store):
            written = _base(child)
            if written is not None:
                writes[written] = None
            visit(child.slice)
            value = child.value
            while isinstance(value, ast.Subscript):
                visit(value.slice)
                value = value.value
            return
        if isinstance(child, ast.comprehension):  # its target is no variable of the function
            visit(child.iter)
            for test in child.ifs:
                visit(test)
            return
        for grandchild in ast.iter_child_nodes(child):
            visit(grandchild)

    for child in own:
        visit(child)
    if isinstance(node, ast.AugAssign):
        target = _base(node.target)
        reads = {target: None, **reads} if target is not None else reads
    if isinstance(node, ast.ExceptHandler) and node.name:
        writes[node.name] = None
    return tuple(reads), tuple(writes)


def _base(node: ast.AST) -> str | None:
    """Return ``stack`` for ``stack[t][0]`` and ``self.dx`` for ``self.dx[t]``."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
