"""A run: the folder that a training leaves, and what can be asked of it afterwards.

``run.json`` says what was trained on what; ``model.npz`` is the latest whole model, in the one
format both engines' runs have; ``history.csv`` has a line an epoch.
"""

from __future__ import annotations

import itertools
import json
import platform
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import scratchnet
from scratchnet.callbacks import Callback, CSVLogger, ModelCheckpoint
from scratchnet.errors import DataError, InputError
from scratchnet.experiments.problem import Columns, Problem
from scratchnet.experiments.scores import scores
from scratchnet.files import write_whole
from scratchnet.model import Sequential

DESCRIPTION = "run.json"
MODEL = "model.npz"
HISTORY = "history.csv"
PARENT = Path("runs")


@dataclass
class Run:
    """The contents of ``run.json``."""

    experiment: str
    engine: str
    seed: int
    dtype: str
    epochs: int
    settings: dict[str, Any]
    columns: Columns
    versions: dict[str, str]
    notes: list[str]
    results: dict[str, Any] | None = None
    """None until the training has ended."""


def new_folder(experiment: str, out: str | Path | None = None) -> Path:
    """Return the folder for a new run, ``runs/<experiment>-<n>`` if none is named; make it.

    Raises
    ------
    InputError
        If there is something in it already.
    """
    if out is None:
        numbers = itertools.count(1)
        folder = next(f for n in numbers if not (f := PARENT / f"{experiment}-{n}").exists())
    else:
        folder = Path(out)
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            raise InputError(
                f"--out: expected a new or empty folder, got {folder}, which has something in it. "
                "Name another, or remove it."
            )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start(problem: Problem, engine: str, folder: Path) -> Run:
    """Describe a training that begins, so that the folder explains itself whatever happens."""
    run = Run(
        problem.experiment,
        engine,
        problem.seed,
        problem.dtype,
        problem.epochs,
        problem.settings,
        problem.columns,
        {"python": platform.python_version(), "scratchnet": scratchnet.__version__,
         "numpy": np.__version__},
        list(problem.notes),
    )  # fmt: skip
    write(run, folder)
    return run


def write(run: Run, folder: Path) -> None:
    """Write ``run.json``."""
    text = json.dumps(asdict(run), indent=2, allow_nan=False)
    write_whole(folder / DESCRIPTION, text.encode())


def read(folder: str | Path) -> Run:
    """Read ``run.json``.

    Raises
    ------
    DataError
        If the folder is not one that a training left.
    """
    path = Path(folder) / DESCRIPTION
    if not path.is_file():
        raise DataError(
            f"{folder}: no run here (no {DESCRIPTION}). Name a folder that scratchnet train wrote."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        columns = content["columns"]
        for key in ("features", "outputs"):
            columns[key] = tuple(map(str, columns[key]))
        known = {field.name: content[field.name] for field in fields(Run)}
        return Run(**{**known, "columns": Columns(**columns)})
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a description of a run ({error!r}). Train again, or restore the file."
        ) from None


def load_model(folder: str | Path) -> Sequential:
    """Read the run's latest model."""
    return Sequential.load(Path(folder) / MODEL)


def train(problem: Problem, folder: Path, verbose: bool | str = "auto") -> Sequential:
    """Train the scratch engine; a whole model stands in the folder after every epoch."""
    model = problem.build_model()
    if problem.trained:
        model.save(folder / MODEL)
        return model
    callbacks: list[Callback] = [ModelCheckpoint(folder / MODEL), CSVLogger(folder / HISTORY)]
    model.fit(
        problem.x_train,
        problem.y_train,
        batch_size=problem.batch_size,
        epochs=problem.epochs,
        validation_data=(problem.x_test, problem.y_test),
        callbacks=callbacks,
        seed=problem.seed,
        verbose=verbose,
    )
    return model


def evaluate(model: Sequential, problem: Problem) -> dict[str, Any]:
    """Return the loss on the held-out rows and, where outputs are classes, the scores of each."""
    y_pred = model.predict(problem.x_test)
    results: dict[str, Any] = {"rows": len(y_pred)}
    if model.loss is not None:
        results["loss"] = model.evaluate(problem.x_test, problem.y_test, return_dict=True)["loss"]
    if problem.columns.cut_off is not None:
        results["scores"] = {
            name: asdict(scores(problem.y_test[:, i], y_pred[:, i], problem.columns.cut_off))
            for i, name in enumerate(problem.columns.outputs)
        }
    results["pairs"] = [
        {"calculated": calculated.tolist(), "expected": expected.tolist()}
        for calculated, expected in zip(y_pred[:10], problem.y_test[:10], strict=True)
    ]
    return results
