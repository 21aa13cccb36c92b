"""``scratchnet list``: the experiments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def list_experiments(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the experiments: what each shows, which engines train it, what data it needs."""
    from rich.table import Table

    from scratchnet.cli import console
    from scratchnet.experiments import EXPERIMENTS

    experiments = EXPERIMENTS.values()
    if as_json:
        console.print_json(
            [asdict(one) | {"has_gradient": one.has_gradient} for one in experiments]
        )
        return
    table = Table("experiment", "what it shows", "engines", "data", box=None, pad_edge=False)
    table.columns[0].style = "bold"
    table.columns[0].no_wrap = True
    for one in experiments:
        table.add_row(one.name, one.title, ", ".join(one.engines), ", ".join(one.data) or "its own")
    console.results().print(table)
