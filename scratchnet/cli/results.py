"""Tables of scores, predictions and pairs, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from scratchnet.cli.visible import visible

if TYPE_CHECKING:
    from scratchnet.experiments.readers import Columns, Language, Reader, Reviews

MOST_WORDS = 12
"""Lines of the table of words."""
BAR = 24
"""Characters of its longest bar."""


def show_evaluation(screen: Console, results: dict[str, Any], reader: Reader) -> None:
    """Print what `scratchnet.runs.evaluate` found."""
    from scratchnet.experiments import readers

    assert not isinstance(reader, readers.Chain)
    loss = f", loss {results['loss']:.6g}" if "loss" in results else ""
    what = "window" if isinstance(reader, readers.Language) else "row"
    rows = what if results["rows"] == 1 else f"{what}s"
    which = f"held-out {rows}" if results["held_out"] else f"{rows}, those it learned from"
    screen.print(f"\n{results['rows']:,} {which}{loss}")
    if isinstance(reader, readers.Language):
        _show_text(screen, results, reader)
    else:
        _show_classes(screen, results, reader)


def _show_text(screen: Console, results: dict[str, Any], reader: Language) -> None:
    unit = reader.vocabulary.unit_name
    if results["perplexity"] is not None:
        screen.print(f"perplexity {results['perplexity']:.4g}")
    screen.print(f"{results['bits']:.4f} bits a {unit}")
    if "shares" in results:
        shares = results["shares"]
        screen.print(
            f"{shares['documents']} documents at temperature 0.5: {shares['parse']:.1%} parse, "
            f"{shares['fit']:.1%} fit the schema"
        )


def _show_classes(screen: Console, results: dict[str, Any], reader: Columns | Reviews) -> None:
    if "scores" in results:
        screen.print(scores_table(results["scores"]))
    screen.print(pairs_table(results["pairs"], reader.outputs))


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


def show_review(
    screen: Console, probability: float, words: list[tuple[str, float]], cut_off: float
) -> None:
    """Print a verdict, the review with each word in its colour, and the words that weigh most."""
    verdict = "good" if probability > cut_off else "bad"
    screen.print(f"{verdict}: the network takes the film for a good one at {probability:.1%}\n")
    largest = max((abs(value) for _, value in words), default=0.0) or 1.0
    shown = Text()
    for word, value in words:
        shown.append(visible(word), style=_weight_style(value / largest)).append(" ")
    screen.print(shown)
    table = Table("word", "contribution to the logit", "", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for word, value in sorted(words, key=lambda pair: -abs(pair[1]))[:MOST_WORDS]:
        bar = "█" * round(BAR * abs(value) / largest)
        table.add_row(
            escape(visible(word)), f"{value:+.4f}", Text(bar, style=_weight_style(value / largest))
        )
    screen.print()
    screen.print(table)


def _weight_style(weight: float) -> str:
    """Return green for what speaks for the film and red against it, bold where it weighs much."""
    colour = "green" if weight > 0 else "red"
    return f"bold {colour}" if abs(weight) > 0.5 else colour if abs(weight) > 0.1 else "dim"
