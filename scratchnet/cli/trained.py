"""What a training tells in the end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchnet.cli.visible import path_shown

if TYPE_CHECKING:
    from scratchnet.experiments.problem import Problem
    from scratchnet.runs import Run

SCALARS = ("loss", "perplexity", "bits")
"""Figures that the answer has twice: of each epoch, and of the test rows."""


def answer(run: Run, folder: Path) -> dict[str, Any]:
    """Return what ``--json`` prints: a list with an entry an epoch for what was watched."""
    results = dict(run.results or {})
    training = results.pop("training")
    tested = {f"test_{key}" if key in SCALARS else key: v for key, v in results.items()}
    return {"run": str(folder), "engine": run.engine, **training, **tested}


def show(run: Run, folder: Path, problem: Problem) -> None:
    """Print the results, and what can be done with the run."""
    from rich.markup import escape

    from scratchnet.cli import console
    from scratchnet.cli.results import show_evaluation
    from scratchnet.experiments.readers import Columns

    screen = console.results()
    if isinstance(problem.reader, Columns):
        for note in problem.notes:
            screen.print(f"[dim]{escape(note)}[/]")
    show_evaluation(screen, run.results or {}, problem.reader)
    shown = shlex.quote(path_shown(folder))
    commands = {"Columns": f"predict {shown} FILE.csv", "Language": f"generate {shown}"}
    command = commands.get(
        type(problem.reader).__name__, f'predict {shown} --text "a review in words"'
    )
    screen.print(f"\nThe run is in [bold]{escape(str(folder))}[/]: ", end="")
    screen.print(f"scratchnet {command}", markup=False)
