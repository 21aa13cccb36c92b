"""``scratchnet evaluate RUN``: how good a trained model is on its test rows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.chains import evaluate_chain


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    device: options.Device = None,
    as_json: options.Json = False,
) -> None:
    """Evaluate a run's model on the rows that it was tested on when its training ended."""
    from scratchnet import runs
    from scratchnet.cli import console
    from scratchnet.cli.results import show_evaluation
    from scratchnet.experiments.readers import Chain

    description = runs.read(run)
    if isinstance(description.reader, Chain):
        options.refuse_device(device)
        evaluate_chain(run, description, as_json)
        return
    where = options.checked_device(device) or "cpu"
    model = runs.load_model(run, description.reader).to(where)
    runs.check_files(description)
    problem = options.problem_of(description)
    runs.check_problem(run, problem, description)
    screen = console.progress()
    with screen.status("evaluating") if screen.is_terminal else contextlib.nullcontext():
        results = runs.evaluate(model, problem)
    if as_json:
        console.print_json({"run": str(run), "engine": description.engine, **results})
        return
    show_evaluation(console.results(), results, problem.reader)
