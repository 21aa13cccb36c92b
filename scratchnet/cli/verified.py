"""What ``scratchnet verify`` found: one report in full, or many in one table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scratchnet.gradcheck.display.terminal import MARKS, STYLES, clean, figure
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, Report, Row, plain

GRAVITY = (RIGHT, UNJUDGED, WRONG)


class Checked(NamedTuple):
    """One case: its kind of layer (``LSTM``), the options that make it, what was found."""

    name: str
    label: str
    report: Report
    dtype: str = "float64"


class Worst(NamedTuple):
    """The worst figure of one array by one oracle in one dtype, over all cases of a kind."""

    name: str
    array: str
    oracle: str
    dtype: str
    row: Row
    label: str


def status(checked: Sequence[Checked]) -> int:
    """Return the exit status: that of the gravest verdict."""
    return {RIGHT: 0, WRONG: 1, UNJUDGED: 2}[_verdict(checked)]


def to_dict(checked: Sequence[Checked]) -> dict[str, Any]:
    """Return everything as JSON can hold it."""
    figures = ("absolute", "relative", "tolerance", "verdict")
    return plain(
        {
            "verdict": _verdict(checked),
            "worst": [
                {
                    "name": one.name,
                    "array": one.array,
                    "oracle": one.oracle,
                    "dtype": one.dtype,
                    **{figure: getattr(one.row, figure) for figure in figures},
                    "case": one.label,
                }
                for one in worst(checked)
            ],
            "reports": [one.report.to_dict() for one in checked],
        }
    )


def show(screen: Console, checked: Sequence[Checked], remark: str) -> None:
    """Print one report in full; of several a table, and those in full that are not right."""
    if len(checked) == 1:
        checked[0].report.show(screen)
    else:
        if len({one.name for one in checked}) == 1:
            screen.print(_cases_table(checked))
            screen.print()
        screen.print(_worst_table(worst(checked)))
        for one in checked:
            if not one.report.ok:
                screen.print()
                one.report.show(screen)
        screen.print()
        screen.print(_summary(checked))
    if remark:
        screen.print(Text(remark, style="dim"))


def worst(checked: Iterable[Checked]) -> list[Worst]:
    """Return the worst of each kind, array, oracle and dtype."""
    found: dict[tuple[str, str, str, str], Worst] = {}
    for name, label, report, dtype in checked:
        for row in report.rows:
            key = (name, row.array, row.oracle, dtype)
            if key not in found or _badness(row) > _badness(found[key].row):
                found[key] = Worst(*key, row, label)
    return list(found.values())


def _verdict(checked: Iterable[Checked]) -> str:
    return max((one.report.verdict for one in checked), key=GRAVITY.index, default=UNJUDGED)


def _badness(row: Row) -> tuple[int, float]:
    """Return how bad a row is: its verdict, then its share of what is allowed."""
    share = row.relative / row.tolerance
    return GRAVITY.index(row.verdict), math.inf if math.isnan(share) else share


def _cases_table(checked: Sequence[Checked]) -> Table:
    table = Table("case", "", box=None, pad_edge=False)
    for one in checked:
        said = Text(clean(one.report.answer), style=STYLES[one.report.verdict])
        table.add_row(Text(clean(one.label)), said)
    return table


def _worst_table(found: Sequence[Worst]) -> Table:
    """Return a line for each kind and array, a column for each oracle and dtype."""
    columns = sorted({(one.dtype, one.oracle) for one in found}, key=_column_order)
    heads = [oracle + f"\n{dtype}" * (dtype != "float64") for dtype, oracle in columns]
    table = Table("", "array", *heads, "", box=None, pad_edge=False)
    table.columns[1].overflow = "fold"
    for column in table.columns[2:-1]:
        column.justify = "right"
    names = list(dict.fromkeys(one.name for one in found))  # a kind's cases need not follow it
    lines: dict[tuple[str, str], dict[tuple[str, str], Row]] = {}
    for one in sorted(found, key=lambda one: names.index(one.name)):
        lines.setdefault((one.name, one.array), {})[one.dtype, one.oracle] = one.row
    before = ""
    for (name, array), rows in lines.items():
        verdict = max((row.verdict for row in rows.values()), key=GRAVITY.index)
        table.add_row(
            Text(clean(name) if name != before else "", style="bold"),
            Text(clean(array)),
            *(_cell(rows.get(column)) for column in columns),
            Text(MARKS[verdict], style=STYLES[verdict]),
        )
        before = name
    return table


def _column_order(column: tuple[str, str]) -> tuple[bool, bool, str]:
    """Put float64 before float32 and Keras last."""
    dtype, oracle = column
    return dtype != "float64", oracle == "Keras", oracle


def _cell(row: Row | None) -> Text:
    if row is None:
        return Text("")
    return Text(figure(row.relative), style="" if row.verdict == RIGHT else STYLES[row.verdict])


def _summary(checked: Sequence[Checked]) -> Text:
    """Return the verdict over all cases in a sentence, and which are not right."""
    seconds = sum(one.report.seconds for one in checked)
    cases = f"{len(checked)} cases in {seconds:.0f} s"
    verdict = _verdict(checked)
    if verdict == RIGHT:
        return Text.assemble(f"{cases}: ", ("all right", STYLES[RIGHT]), f", {_to(checked)}.")
    parts: list[str | tuple[str, str]] = [f"{cases}:"]
    for grave, said in ((WRONG, "WRONG"), (UNJUDGED, "could not be judged")):
        names = [clean(one.report.name) for one in checked if one.report.verdict == grave]
        if names:
            parts += [" ", (f"{len(names)} {said}", STYLES[grave]), f": {'; '.join(names)}."]
    return Text.assemble(*parts)


def _to(checked: Sequence[Checked]) -> str:
    """Return the worst figure in each dtype and where it is."""
    parts = []
    for dtype in sorted({one.dtype for one in checked}, reverse=True):
        of_dtype = [one for one in worst(checked) if one.dtype == dtype]
        if of_dtype:
            most = max(of_dtype, key=lambda one: one.row.relative)
            place = f"{most.name}, {most.array}, {most.oracle}"
            parts.append(f"in {dtype} to {figure(most.row.relative)} ({place})")
    return ", ".join(parts)
