"""The model that a run keeps, and whether it fits what the run's description says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scratchnet.errors import DataError
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Chain, Columns, Reader, Reviews
from scratchnet.model import Sequential
from scratchnet.runs.description import Run, not_a_run, other_file
from scratchnet.runs.folder import BEST, MODEL


def load_model(folder: str | Path, reader: Reader) -> Sequential:
    """Read the run's model: that of its best epoch where one is chosen, else the latest.

    Raises
    ------
    DataError
        If there is none, or its inputs and outputs are not as many as the reader's.
    CheckpointError
        If the file is not a whole model.
    """
    path = Path(folder) / BEST
    path = path if path.exists() else Path(folder) / MODEL
    if not path.exists():
        raise DataError(
            f"{folder}: no model here (no {MODEL}): the training ended before its first epoch did. "
            "Train again, or go on with --resume."
        )
    model = Sequential.load(path)
    if (found := _widths(model)) != (said := _said(reader)):
        reason = f"reader: expected inputs and outputs as {path.name} has, {found}, got {said}"
        raise not_a_run(folder, reason)
    return model


def _said(reader: Reader) -> tuple[int, int]:
    """Return how many inputs and outputs a model for the reader has; ids count as one each."""
    assert not isinstance(reader, Chain)  # counted, not trained
    if isinstance(reader, Columns):
        return len(reader.features), len(reader.outputs)
    V = len(reader.vocabulary)
    return V, len(reader.outputs) if isinstance(reader, Reviews) else V


def _widths(model: Sequential) -> tuple[Any, Any] | None:
    """Return the number of inputs, or of ids there are, and of outputs of a model that is built."""
    if not model.layers or not model.built:
        return None
    first, last = model.layers[0], model.layers[-1]
    assert first.input_shape is not None
    assert last.input_shape is not None
    ids = getattr(first, "num_tokens", getattr(first, "input_dim", None))
    return ids or first.input_shape[-1], last.compute_output_shape(last.input_shape)[-1]


def check_problem(folder: str | Path, problem: Problem, run: Run) -> None:
    """Make sure that a run was trained on this problem: the same files, read the same way.

    Raises
    ------
    DataError
        If it was not.
    """
    for path in problem.files:
        if path not in run.files:
            raise other_file(path, "one that the run does not know")
    if run.reader != problem.reader:
        reason = f"reader: expected that of {problem.experiment} on this data"
        raise not_a_run(folder, reason)
