"""``scratchnet evaluate RUN``: how good a trained model is on its test rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scratchnet.cli.problem import Json, make_problem


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    as_json: Json = False,
) -> None:
    """Evaluate a run's model on the rows that it was tested on when its training ended."""
    from scratchnet import runs
    from scratchnet.cli import console
    from scratchnet.cli.results import show_evaluation

    description = runs.read(run)
    model = runs.load_model(run, description.columns)
    runs.check_files(description)
    problem = make_problem(
        description.experiment,
        seed=description.seed,
        dtype=description.dtype,
        epochs=description.epochs,
        **description.settings,
    )
    runs.check_columns(run, problem, description.columns)
    results = runs.evaluate(model, problem)
    if as_json:
        console.print_json({"run": str(run), "engine": description.engine, **results})
        return
    show_evaluation(console.results(), results, problem.columns)
