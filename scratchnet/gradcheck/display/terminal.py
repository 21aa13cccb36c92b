"""The report as text: in colour on a terminal, plain everywhere else."""

from __future__ import annotations

import io
import math

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scratchnet.gradcheck.findings import TITLES, Finding
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, Report, Row

WIDTH = 100
"""Columns of ``print(report)``."""

STYLES = {RIGHT: "green", WRONG: "bold red", UNJUDGED: "yellow"}
MARKS = {RIGHT: "right", WRONG: "WRONG", UNJUDGED: "unjudged"}


def text(report: Report) -> str:
    """Return the report as plain text of `WIDTH` columns."""
    page = io.StringIO()
    show(report, Console(file=page, width=WIDTH, color_system=None, highlight=False, emoji=False))
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def show(report: Report, console: Console) -> None:
    """Print the verdict, the table, what was found out, every finding, and how to run it again."""
    style = STYLES[report.verdict]
    console.print(Text.assemble((clean(report.name), "bold"), ": ", (clean(report.answer), style)))
    if report.rows:
        console.print()
        console.print(rows_table(report.rows))
        console.print()
    for line in remarks(report):
        console.print(Text(clean(line)))
    for number, finding in enumerate(report.findings, 1):
        console.print()
        _show_finding(console, number, finding)
    if report.smallest:
        console.print()
        console.print(Text(f"Smallest case that fails: {clean(report.smallest)}"))
    if report.findings or remarks(report):
        console.print()
    console.print(Text(f"Seed {report.seed}, {report.seconds:.1f} s.", style="dim"))
    if report.replay:
        console.print(Text("The same case again:", style="dim"))
        console.print(Text(f"  {clean(report.replay)}"), soft_wrap=True)  # whole, to be copied


def rows_table(rows: list[Row]) -> Table:
    """Return one line for each array and oracle, in the order given."""
    table = Table(box=None, pad_edge=False)
    table.add_column("array", overflow="fold")
    for column in ("oracle", "shape", "absolute", "relative", "allowed", "verdict", "judged"):
        left = column in {"oracle", "shape", "verdict"}
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        words = clean(row.array), clean(row.oracle), sizes(row.shape)
        figures = figure(row.absolute), figure(row.relative), f"{row.tolerance:.0e}"
        table.add_row(
            *map(Text, words),
            *figures,
            Text(MARKS[row.verdict], style=STYLES[row.verdict]),
            f"{row.judged}/{row.entries}",
            style="" if row.verdict == RIGHT else STYLES[row.verdict],
        )
    return table


def sizes(shape: tuple[int, ...]) -> str:
    """Return a shape for a narrow column: ``3×6×4``."""
    return "×".join(map(str, shape)) or "scalar"


def figure(value: float) -> str:
    """Return an error with two digits; 0 is exact."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    return f"{value:.1e}" if value else "0"


def remarks(report: Report) -> list[str]:
    """Return what there is to say of the table, a sentence a line."""
    wrong = {row.array: row for row in reversed(report.rows) if row.verdict == WRONG}
    lines = [worst_entry(wrong[array]) for array in reversed(wrong)]
    for row in report.rows:
        if row.verdict == UNJUDGED:
            reason = row.reason or "the reference is not reliable here"
            lines.append(f"{row.array} against {row.oracle} cannot be judged: {reason}")
    lines += report.notes
    if report.slope is not None and math.isfinite(report.slope):
        lines.append(
            f"Taylor remainder: slope {report.slope:.2f}, where a right gradient gives 2 "
            "and a wrong one 1"
        )
    return lines


def worst_entry(row: Row) -> str:
    """Return what the code and the oracle say where they differ most, so that it can be seen."""
    entry = f"[{', '.join(map(str, row.worst))}]" if row.worst else ""
    ours, reference = f"{row.ours:.6g}", f"{row.reference:.6g}"
    if ours == reference:
        ours, reference = str(float(row.ours)), str(float(row.reference))
    return (
        f"The gradient of {row.array}{entry} is given as {ours}, and is {reference} by {row.oracle}"
    )


def details(finding: Finding) -> list[tuple[str, str]]:
    """Return what a finding says, each with its label, without what is empty."""
    others = [f"{TITLES.get(other, '')} ({other})".strip() for other in finding.alternatives]
    pairs = [
        ("where", finding.where),
        ("what", finding.explanation),
        ("equation", finding.equation),
        ("evidence", finding.evidence),
        ("line", "" if finding.line is None else str(finding.line)),
        ("also fits", "\n".join(others)),
    ]
    return [(label, said) for label, said in pairs if said]


def _show_finding(console: Console, number: int, finding: Finding) -> None:
    title = Text.assemble((finding.title, STYLES[WRONG]), f" ({finding.id})")
    console.print(_beside(f"{number}.", title, 2))
    for label, said in details(finding):
        if label == "line":  # whole, so that a terminal can find the file and its number in it
            console.print(Text.assemble(f"   {label:<9} ", (clean(said), "cyan")), soft_wrap=True)
        else:
            console.print(Padding(_beside(label, Text(clean(said)), 9), (0, 0, 0, 3), expand=False))


def _beside(label: str, said: Text, width: int) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=width)
    grid.add_column()
    grid.add_row(label, said)
    return grid


def clean(said: str) -> str:
    """Return a text without what would steer the terminal: it may come from the user's file."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in said)
