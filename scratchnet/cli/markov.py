"""``scratchnet markov``: what follows what in a text, and samples of a chain."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scratchnet.cli.visible import visible

if TYPE_CHECKING:
    import pandas as pd

    from scratchnet.text.markov import MarkovChain

LENGTH = 400
MOST = 100
"""Rows of a table."""
BAR = 30
"""Characters of the longest bar."""


def markov(
    followers: Annotated[
        str | None,
        typer.Option(metavar="CONTEXT", help="Print what follows a context, and how often."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Continue this text by a sample.")
    ] = None,
    length: Annotated[
        int | None,
        typer.Option(metavar="N", help=f"Characters or words of the sample, by default {LENGTH}."),
    ] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Your own text, several times for several files."),
    ] = None,
    order: Annotated[int, typer.Option(metavar="N", help="How many symbols back to look.")] = 1,
    unit: Annotated[
        str, typer.Option(metavar="char|word", help="What a symbol is: a character or a word.")
    ] = "char",
    keep_case: Annotated[
        bool, typer.Option("--keep-case", help="Keep capital letters; words never have any.")
    ] = False,
    max_lines: Annotated[
        int | None, typer.Option(metavar="N", help="Read that many lines of each file.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the files, by default UTF-8.")
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="T", help="Below 1 the likely becomes likelier; 0 takes the likeliest."
        ),
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(metavar="K", help="Draw from the K likeliest only.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides the sample.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count what follows what in a text, Nietzsche's by default, and sample from the counts."""
    from scratchnet.cli import console
    from scratchnet.experiments import markov as experiment
    from scratchnet.text.markov import MarkovChain

    chain = MarkovChain(order, unit)
    content, reports = experiment.read(text, keep_case, max_lines, encoding)
    chain.fit(content)
    if not keep_case:  # what is asked for is written as the text now is
        followers, prompt = followers and followers.lower(), prompt and prompt.lower()
    counts = None if followers is None else chain.followers(followers)
    sample: Iterable[str] | None = None
    if followers is None or prompt is not None or length is not None:
        size = LENGTH if length is None else length
        sample = chain.stream(size, prompt, temperature, seed, top_k)
    if as_json:
        said = {
            "files": [vars(report) for report in reports],
            **experiment.size(chain),
            "context": followers,
            "followers": None if counts is None else counts.to_dict(),
            "probabilities": None if counts is None else (counts / counts.sum()).to_dict(),
            "prompt": prompt,
            "sample": None if sample is None else "".join(sample),
        }
        console.print_json(said)
        return
    _remark(chain, [Path(report.path).name for report in reports])
    if counts is not None:
        _show(followers or "", counts)
    if counts is not None and sample is not None:
        print()
    if sample is not None:
        _write([chain.join(chain.split(prompt or ""))], sample)


def _remark(chain: MarkovChain, names: list[str]) -> None:
    """Say on stderr what was counted."""
    from scratchnet.cli import console
    from scratchnet.experiments.markov import size

    counted = size(chain)
    units = {"char": "characters", "word": "words"}[chain.unit]
    console.progress().print(
        f"{', '.join(names)}: {counted['symbols']:,} {units}, {counted['vocabulary']:,} different; "
        f"{counted['contexts']:,} contexts of order {chain.order}, "
        f"{counted['transitions']:,} transitions",
        style="dim",
        markup=False,
    )


def _show(context: str, counts: pd.Series[int]) -> None:
    """Print the followers of a context, blanks and line ends visible."""
    from rich.table import Table
    from rich.text import Text

    from scratchnet.cli import console

    total = int(counts.sum())
    table = Table("follower", "count", "probability", "", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    largest = counts.iloc[0]
    for symbol, count in counts.iloc[:MOST].items():
        bar = "█" * round(BAR * count / largest)
        table.add_row(Text(repr(symbol)), f"{count:,}", f"{count / total:.6f}", bar)
    screen = console.results()
    after = f"After {context!r}" if context else "After anything"
    screen.print(f"{after}: {len(counts):,} different, {total:,} times", markup=False)
    screen.print(table)
    if len(counts) > MOST:
        screen.print(f"and {len(counts) - MOST:,} more, which --json has", style="dim")


def _write(*parts: Iterable[str]) -> None:
    """Write a sample as it is drawn, and end its last line."""
    for part in parts:
        for piece in part:
            sys.stdout.write(visible(piece))
    print(flush=True)
