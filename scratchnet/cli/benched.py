"""What ``scratchnet bench`` shows: one table, what beats what, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from keras_impl.bench.report.changes import Change
    from keras_impl.bench.report.results import Results
    from keras_impl.bench.report.table import Row

TIMES = 4
"""So many columns are the work and its times; the others are what they are held against."""
FIGURES = ("ms", "Keras ms", "ratio")
"""Columns that keep their width where the words beside them are broken."""
STYLES = {"aimed": "green", "required": "yellow", "missed": "red", "": ""}


def show(screen: Console, found: Results) -> None:
    """Print the tables, and what they mean."""
    from rich.markup import escape

    from keras_impl.bench.report import table as words

    for failure in found.failures:
        screen.print(f"[red]{failure.name}: not timed, the engines do not agree.[/]")
        for miss in failure.misses:
            screen.print(f"  {miss}", markup=False)
    if not (found.works or found.cold or found.curves):
        return
    screen.print(f"[dim]{escape(words.machine_line(found))}[/]\n")
    if found.works:
        _show_works(screen, words.rows(found))
    if found.cold:
        screen.print("\n[bold]From a cold start[/]")
        screen.print(_plain(words.COLD, words.cold_rows(found)))
    if found.curves:
        screen.print("\n[bold]How the cost of the char LSTM's step grows[/], one size at a time")
        screen.print(_plain(words.CURVES, words.curve_rows(found)))
    if found.works:
        screen.print("\n[dim]" + "\n".join(words.how(found)) + "[/]")
    if remark := words.in_one_graph(found):
        screen.print(f"\n{remark}", markup=False)


def _show_works(screen: Console, rows: Sequence[Row]) -> None:
    """Print the columns that say anything, where they do not fit as two tables."""
    from scratchnet.cli.console import UNLIMITED

    said = [n for n in range(len(rows[0].cells)) if any(row.cells[n] for row in rows)]
    whole = _works(rows, said)
    unlimited = screen.options.update(max_width=UNLIMITED)
    if screen.measure(whole, options=unlimited).maximum <= screen.width:
        screen.print(whole)
        return
    screen.print(_works(rows, [n for n in said if n < TIMES]))
    screen.print()
    others = [n for n in said if n >= TIMES]
    screen.print(_works([row for row in rows if row.main], [0, *others]))


def _works(rows: Sequence[Row], columns: Sequence[int]) -> Table:
    from rich.markup import escape

    from keras_impl.bench.report import table as words

    table = _headed([words.HEAD[n] for n in columns])
    for row in rows:
        style = STYLES[row.verdict]
        cells = [escape(cell) for cell in row.cells]
        if row.main:
            cells[0] = f"[bold]{cells[0]}[/]"
            cells[3] = f"[{style}]{cells[3]}[/]" if style else cells[3]
        table.add_row(*(cells[n] for n in columns), style="" if row.main else "dim")
    return table


def show_changes(screen: Console, before: Results, found: Results, changes: list[Change]) -> None:
    """Print each ratio beside the baseline's, and whether one got worse."""
    from keras_impl.bench.report import table as words
    from keras_impl.bench.report.changes import absent, differing

    screen.print("\n[bold]Against the baseline[/]: ratios, not seconds")
    for phrase in differing(before, found):
        screen.print(f"Not the same: {phrase}.", markup=False)
    if missing := absent(before, found):
        screen.print(f"Not in the baseline: {', '.join(missing)}.", markup=False)
    if not changes:
        return
    lines = words.change_rows(changes)
    screen.print(_plain(words.CHANGES, [cells for cells, _ in lines]))
    worse = sum(regressed for _, regressed in lines)
    screen.print(f"[red]{worse} got worse.[/]" if worse else "[green]None got worse.[/]")


def _plain(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    from rich.markup import escape

    table = _headed(head)
    for line in lines:
        table.add_row(*map(escape, line))
    return table


def _headed(head: Sequence[str]) -> Table:
    """Return a table whose figures are never cut off, however narrow the screen."""
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
        column.no_wrap = column.header in FIGURES
    return table
