"""The analysis of the Wisconsin records as a terminal shows it."""

from __future__ import annotations

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from scratchnet.experiments.wisconsin_analysis import Analysis, Statistics

COLOURS = ("cyan", "magenta")
BAR = 11
"""Longest bar, in characters."""
RIGHTWARDS = ("", *"▏▎▍▌▋▊▉")
LEFTWARDS = ("", *"▕▕▐▐▐▐█")
"""A bar's last character, by eighths; few blocks fill from the right."""
WIDEST = 120
"""Columns that the histograms fill at most, also off a terminal."""


def show(screen: Console, analysis: Analysis, classes: tuple[str, str], file: str) -> None:
    """Print the analysis: what is in the file, a table of statistics, histograms by class."""
    records = "record" if analysis.rows == 1 else "records"
    screen.print(
        f"[bold]{escape(file)}[/]: {analysis.rows:,} {records} of nine features and a class\n"
    )
    screen.print(_overview(analysis, classes), "")
    screen.print(_statistics(analysis), "")
    screen.print(
        "[dim]A mean well above the median, and a skew above 0, is a long tail of high grades.[/]\n"
    )
    screen.print(
        f"[bold]Records by grade[/]: [{COLOURS[0]}]{classes[0]}[/] to the left, "
        f"[{COLOURS[1]}]{classes[1]}[/] to the right"
    )
    panels = [_histogram(name, *counts) for name, counts in analysis.histograms.items()]
    screen.print(Columns(panels, padding=(1, 3), equal=True), width=min(screen.width, WIDEST))
    screen.print()


def _overview(analysis: Analysis, classes: tuple[str, str]) -> Table:
    """Return the counts, one a line, with what each means."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    for name, colour, count in zip(classes, COLOURS, analysis.balance, strict=True):
        table.add_row(f"{count:,}", f"[{colour}]{name}[/], {count / analysis.rows:.1%}")
    missing = [
        f"{_spaced(name)}: {one.missing}"
        for name, one in analysis.statistics.items()
        if one.missing
    ]
    table.add_row(
        f"{analysis.incomplete:,}",
        f"with a missing value ({', '.join(missing)})" if missing else "with a missing value",
    )
    table.add_row(f"{analysis.repeated:,}", "with the same nine features as an earlier one")
    table.add_row(f"{analysis.contradictory:,}", "sets of nine features that stand in both classes")
    if analysis.outside:
        table.add_row(f"{analysis.outside:,}", "[yellow]values that are no grade from 1 to 10[/]")
    return table


def _statistics(analysis: Analysis) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("feature", no_wrap=True)
    for name in ("missing", "mean", "median", "std", "min", "q1", "q3", "max", "skew"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, one in analysis.statistics.items():
        table.add_row(_spaced(name), *_cells(one))
    return table


def _cells(one: Statistics) -> list[str]:
    def number(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    return [
        str(one.missing) if one.missing else "–",
        number(one.mean, ".2f"),
        number(one.median, "g"),
        number(one.std, ".2f"),
        number(one.min, "g"),
        number(one.lower_quartile, "g"),
        number(one.upper_quartile, "g"),
        number(one.max, "g"),
        number(one.skew, "+.2f"),
    ]


def _histogram(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> Text:
    """Return the two histograms of a feature back to back, one line a grade."""
    largest = max(*left, *right, 1)
    lines = [Text(_spaced(name).center(2 * BAR + 13), style="bold")]
    for grade, (one, other) in enumerate(zip(left, right, strict=True), 1):
        lines.append(
            Text.assemble(
                (f"{one or '':>4} ", "dim"),
                (_bar(one / largest, leftwards=True), COLOURS[0]),
                f" {grade:>2} ",
                (_bar(other / largest), COLOURS[1]),
                (f" {other or '':<3}", "dim"),
            )
        )
    return Text("\n").join(lines)


def _bar(share: float, *, leftwards: bool = False) -> str:
    """Return a bar of that share of the longest; what is not nothing is seen."""
    whole, part = divmod(max(round(8 * BAR * share), 1 if share else 0), 8)
    if leftwards:
        return (LEFTWARDS[part] + "█" * whole).rjust(BAR)
    return ("█" * whole + RIGHTWARDS[part]).ljust(BAR)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
