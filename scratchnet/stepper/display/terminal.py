"""A recording in a terminal: the source, the line's equation, and the arrays that it touches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scratchnet.stepper.display.mathml import plain

if TYPE_CHECKING:
    from scratchnet.backend import Array
    from scratchnet.stepper.frame import Frame
    from scratchnet.stepper.recording import Recording

AROUND = 5
"""Lines of source above and below the current one."""
WIDTH = 160
"""Columns at most."""
ROWS = 8
"""Rows of an array before the rest is left out."""
CELL = 8

NEGATIVE, MIDDLE, POSITIVE = (0, 82, 127), (246, 245, 241), (168, 67, 0)
"""Colours of the most negative number, of zero and of the most positive one."""

NEXT, BACK, OVER, QUIT = {"n", "\x1b[C", "\r", "\n"}, {"p", "\x1b[D"}, {" "}, {"q", "\x03", "\x04"}
FIRST, LAST = {"\x1b[H"}, {"\x1b[F"}
HELP = "n next, p back, space over calls, a number and Enter to go there, q quit"


def show(recording: Recording, index: int, console: Console) -> None:
    """Print one frame."""
    console.print(_view(recording, index, min(console.width, WIDTH)))


def show_all(recording: Recording, console: Console) -> None:
    """Print every frame, one after the other."""
    for index in range(len(recording)):
        show(recording, index, console)
        console.print()


def walk(
    recording: Recording, console: Console, read_key: Callable[[], str], index: int = 0
) -> None:
    """Show frames as keys ask for them, until q.

    Parameters
    ----------
    read_key
        Waits for a key and returns it, arrows as the terminal sends them.
    index
        The first frame to show.
    """
    typed = ""
    while True:
        console.clear()
        show(recording, index, console)
        console.print(Text(f"\nGo to {typed}" if typed else f"\n{HELP}", style="dim"))
        key = read_key()
        if key in QUIT:
            return
        if key.isdecimal() or (typed and key in {"\x7f", "\b"}):
            typed = typed + key if key.isdecimal() else typed[:-1]
            continue
        if typed and key in {"\r", "\n"}:
            index = min(int(typed), len(recording) - 1)
        else:
            index = _after(recording, index, key)
        typed = ""


def _after(recording: Recording, index: int, key: str) -> int:
    last = len(recording) - 1
    if key in NEXT:
        return min(index + 1, last)
    if key in BACK:
        return max(index - 1, 0)
    if key in FIRST | LAST:
        return 0 if key in FIRST else last
    if key in OVER:
        depth = recording.frames[index].depth
        later = recording.frames[index + 1 :]
        return next((frame.i for frame in later if frame.depth <= depth), last)
    return index


def _view(recording: Recording, index: int, width: int) -> RenderableType:
    frame = recording.frames[index]
    written = list(frame.changed)
    read = [name for name in frame.read if name in frame.locals and name not in written]
    parts: list[RenderableType] = [_heading(recording, frame), _source(recording, frame, width)]
    latex = recording.files[recording.functions[frame.function].file].equations.get(frame.line)
    if latex:
        parts.append(Padding(Text(plain(latex), style="bold"), (1, 0, 1, 9), expand=False))
    for title, names in (
        ("read", read),
        ("arguments" if frame.event == "call" else "written", written),
    ):
        for name in names:
            parts.append(_array(recording, frame, name, title, width))
    if recording.truncated and index == len(recording) - 1:
        parts.append(Text(recording.truncated, style="yellow"))
    return Group(*parts)


def _heading(recording: Recording, frame: Frame) -> Text:
    function = recording.functions[frame.function]
    at = "" if frame.t is None else f", t = {frame.t}"
    file = recording.files[function.file].name
    return Text.assemble(
        (f"{frame.i} of {len(recording) - 1}", "bold"),
        f"  {frame.phase}{at}  ",
        (function.name, "cyan"),
        f"  {file}:{frame.line}",
    )


def _source(recording: Recording, frame: Frame, width: int) -> Table:
    function = recording.functions[frame.function]
    lines = recording.files[function.file].statements.lines
    first = max(function.first, frame.line - AROUND)
    last = min(function.last, frame.line + AROUND, len(lines))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=6)
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=width - 8)
    for number in range(first, last + 1):
        now = number == frame.line
        style = "black on yellow" if now else ""
        text = _clean(lines[number - 1].rstrip("\n"))
        grid.add_row(
            Text(f"{'>' * now} {number}", style="bold" if now else "dim"), Text(text, style=style)
        )
    return grid


def _array(recording: Recording, frame: Frame, name: str, title: str, width: int) -> RenderableType:
    value = recording.values[frame.locals[name]]
    array = value.array
    heading = Text.assemble(f"{title} ", (_clean(name), "bold"))
    if not value.shape:
        return Text.assemble(heading, f" = {_number(array.item())}")
    sizes = [
        f"{axis} {size}"
        for axis, size in zip(value.axes or [""] * array.ndim, value.shape, strict=True)
    ]
    heading.append(f"  {' × '.join(size.strip() for size in sizes)}", style="dim")
    if value.view_of:
        heading.append(f"  a view of {value.view_of.name}{value.view_of.slice or ''}", style="dim")
    return Group(heading, Padding(_cells(array, width - 4), (0, 0, 0, 4), expand=False))


def _cells(array: Array, width: int) -> RenderableType:
    """Return an array's rows, coloured; what is left out is said."""
    if array.size == 0:
        return Text("empty", style="dim")
    rows = array.reshape(-1, array.shape[-1])
    columns = min(rows.shape[1], max(1, width // (CELL + 1)))
    finite = rows[np.isfinite(rows)] if rows.dtype.kind == "f" else rows
    most = float(np.abs(finite.astype(float)).max()) if finite.size else 0.0
    grid = Table.grid(padding=(0, 1, 0, 0))
    for row in rows[:ROWS, :columns].tolist():
        grid.add_row(*(Text(f"{_number(x):>{CELL}}", style=_style(x, most)) for x in row))
    left_out = [
        f"{count} more {what}"
        for count, what in ((len(rows) - ROWS, "rows"), (rows.shape[1] - columns, "columns"))
        if count > 0
    ]
    return Group(grid, Text(f"and {', '.join(left_out)}", style="dim")) if left_out else grid


def _number(x: float | int | bool) -> str:
    if isinstance(x, bool | int):
        return str(x)
    if math.isfinite(x) and x and not 1e-3 <= abs(x) < 1e4:
        return f"{x:.1e}"
    return f"{x:.4f}"


def _style(x: float, most: float) -> str:
    share = float(x) / most if most and math.isfinite(x) else 0.0
    end = POSITIVE if share >= 0 else NEGATIVE
    mixed = [round(m + (e - m) * abs(share) ** 0.75) for m, e in zip(MIDDLE, end, strict=True)]
    ink = "black" if _luminance(mixed) > 0.18 else "bright_white"
    return f"{ink} on #{''.join(f'{channel:02x}' for channel in mixed)}"


def _luminance(colour: Sequence[int]) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (k / 255 for k in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _clean(said: str) -> str:
    """Return a text without what would steer the terminal: it may come from the user's file."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said)
