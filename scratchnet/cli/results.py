"""Tables of scores, predictions and pairs, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from scratchnet.experiments.problem import Columns


def show_evaluation(screen: Console, results: dict[str, Any], columns: Columns) -> None:
    """Print what `scratchnet.runs.evaluate` found."""
    loss = f", loss {results['loss']:.6g}" if "loss" in results else ""
    rows = "row" if results["rows"] == 1 else "rows"
    which = f"held-out {rows}" if results["held_out"] else f"{rows}, those it learned from"
    screen.print(f"\n{results['rows']} {which}{loss}")
    if "scores" in results:
        screen.print(scores_table(results["scores"]))
    screen.print(pairs_table(results["pairs"], columns.outputs))


def scores_table(scores: dict[str, dict[str, Any]]) -> Table:
    """Return accuracy, precision, recall and the confusion matrix, a line a name."""
    table = Table(
        "", "accuracy", "precision", "recall", "true 0 as 0", "0 as 1", "1 as 0", "true 1 as 1",
        box=None, pad_edge=False,
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in scores.items():
        (tn, fp), (fn, tp) = one["confusion"]
        shares = [one["accuracy"], one["precision"], one["recall"]]
        shown = ["none" if share is None else f"{share:.4f}" for share in shares]
        table.add_row(escape(name), *shown, *map(str, (tn, fp, fn, tp)))
    return table


def pairs_table(pairs: list[dict[str, list[float]]], outputs: tuple[str, ...]) -> Table:
    """Return what was calculated and expected, a line a row, a column an output and source."""
    table = Table("row", box=None, pad_edge=False)
    for output in outputs:
        for source in pairs[0]:
            name = f"{output} {source}" if len(outputs) > 1 else source
            table.add_column(escape(name), justify="right")
    for number, pair in enumerate(pairs, 1):
        values = [source[i] for i in range(len(outputs)) for source in pair.values()]
        table.add_row(str(number), *(f"{value:.6g}" for value in values))
    return table


def show_predictions(screen: Console, rows: list[dict[str, Any]], columns: Columns) -> None:
    """Print a line a row: its outputs and, where outputs are classes, the class."""
    table = Table("row", box=None, pad_edge=False)
    for output in columns.outputs:
        table.add_column(escape(output), justify="right")
    if columns.cut_off is not None:
        table.add_column("class", justify="right")
    for number, row in enumerate(rows, 1):
        classes = [", ".join(map(str, row["class"]))] if "class" in row else []
        table.add_row(str(number), *(f"{row[o]:.6g}" for o in columns.outputs), *classes)
    screen.print(table)
