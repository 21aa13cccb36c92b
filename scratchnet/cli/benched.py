"""What ``scratchnet bench`` shows: one table, what beats what, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from keras_impl.bench.changes import Change
    from keras_impl.bench.results import Results

STYLES = {"aimed": "green", "required": "yellow", "missed": "red", "": ""}


def show(screen: Console, found: Results) -> None:
    """Print the tables, and what they mean."""
    from rich.markup import escape
    from rich.table import Table

    from keras_impl.bench import table as words

    for failure in found.failures:
        screen.print(f"[red]{failure.name}: not timed, the engines do not agree.[/]")
        for miss in failure.misses:
            screen.print(f"  {miss}", markup=False)
    if not found.works:
        return
    screen.print(f"[dim]{escape(words.machine_line(found))}[/]\n")
    table = Table(*words.HEAD, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in words.rows(found):
        style = STYLES[row.verdict]
        cells = [escape(cell) for cell in row.cells]
        if row.main:
            cells[0] = f"[bold]{cells[0]}[/]"
            cells[3] = f"[{style}]{cells[3]}[/]" if style else cells[3]
        table.add_row(*cells, style="" if row.main else "dim")
    screen.print(table)
    if found.cold:
        screen.print("\n[bold]From a cold start[/]")
        screen.print(_plain(words.COLD, words.cold_rows(found)))
    if found.curves:
        screen.print("\n[bold]How the cost of the char LSTM's step grows[/], one size at a time")
        screen.print(_plain(words.CURVES, words.curve_rows(found)))
    screen.print(f"\n[dim]{words.HOW}\n{words.floor_line(found)}[/]")
    if remark := words.in_one_graph(found):
        screen.print(f"\n{remark}", markup=False)


def show_changes(screen: Console, before: Results, found: Results, changes: list[Change]) -> None:
    """Print each ratio beside the baseline's, and whether one got worse."""
    from keras_impl.bench import table as words
    from keras_impl.bench.changes import differing

    screen.print("\n[bold]Against the baseline[/]: ratios, not seconds")
    for phrase in differing(before, found):
        screen.print(f"Not the same: {phrase}.", markup=False)
    lines = words.change_rows(changes)
    screen.print(_plain(words.CHANGES, [cells for cells, _ in lines]))
    worse = sum(regressed for _, regressed in lines)
    screen.print(f"[red]{worse} got worse.[/]" if worse else "[green]None got worse.[/]")


def _plain(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in lines:
        table.add_row(*map(escape, line))
    return table
