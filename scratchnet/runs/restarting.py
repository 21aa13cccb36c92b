"""Whether a run is the one that a command would begin: then the command goes on with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scratchnet.errors import InputError
from scratchnet.experiments.problem import Problem
from scratchnet.runs.description import Run, files_of

FIELDS = ("experiment", "epochs", "seed", "dtype")
"""What both a problem and a run have, beside their settings."""


def difference(run: Run, problem: Problem, engine: str, training: dict[str, Any]) -> str | None:
    """Return how a run differs from what would be begun now; None where it does not."""
    wanted, found = _said(problem, engine, training), _found(run)
    for name in dict.fromkeys([*wanted, *found]):
        asked, was = wanted.get(name), found.get(name)
        if asked != was:
            return f"{name} {_shown(was)}, got {_shown(asked)}"
    if run.files != files_of(problem.files) or run.reader != problem.reader:
        return "the data it was started with, got others"
    return None


def require_same(
    folder: Path, run: Run, problem: Problem, engine: str, training: dict[str, Any]
) -> None:
    """Make sure that a folder's run is the one that would be begun now.

    Raises
    ------
    InputError
        If it is not.
    """
    differs = difference(run, problem, engine, training)
    if differs is not None:
        raise InputError(
            f"--out: {folder} is another run: expected {differs}. Repeat its settings, or name "
            "another folder."
        )


def _said(problem: Problem, engine: str, training: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of what would be begun, as they come out of a file."""
    said = {"engine": engine, **{name: getattr(problem, name) for name in FIELDS}}
    known: dict[str, Any] = json.loads(json.dumps({**said, **problem.settings, **training}))
    return known


def _found(run: Run) -> dict[str, Any]:
    said = {
        name: getattr(run, name) for name in ("experiment", "engine", "epochs", "seed", "dtype")
    }
    return {**said, **run.settings, **run.training}


def _shown(value: Any) -> str:
    return "left out" if value is None else str(value)[:60]
