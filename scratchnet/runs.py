"""A run: the folder that a training leaves, and what can be asked of it afterwards.

``run.json`` says what was trained on what; ``model.npz`` is the latest whole model, in the one
format both engines' runs have; ``history.csv`` has a line an epoch.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import scratchnet
from scratchnet.archive import one_line
from scratchnet.backend import Array
from scratchnet.callbacks import Callback, CSVLogger, ModelCheckpoint
from scratchnet.datasets import file_sha256
from scratchnet.errors import DataError, InputError, NonFiniteError
from scratchnet.experiments.problem import Columns, Problem
from scratchnet.experiments.scores import scores
from scratchnet.files import write_whole
from scratchnet.model import Sequential
from scratchnet.run_fields import checked_fields

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
    files: dict[str, str]
    """SHA-256, by path, of the files that the settings name."""
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
    folder = _free_folder(experiment, out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _free_folder(experiment: str, out: str | Path | None) -> Path:
    if out is None:
        numbers = itertools.count(1)
        return next(f for n in numbers if not (f := PARENT / f"{experiment}-{n}").exists())
    folder = Path(out)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError(
            f"--out: expected a new or empty folder, got {folder}, which has something in it. "
            "Name another, or remove it."
        )
    return folder


@contextlib.contextmanager
def recording(experiment: str, out: str | Path | None = None) -> Iterator[Path]:
    """Make a `new_folder` for a training, and remove it again if it fails without a model.

    A training that ended one epoch leaves a whole model, and so a run, whatever happens next.
    """
    planned = _free_folder(experiment, out)
    made = [path for path in (planned, *planned.parents) if not path.exists()]
    folder = new_folder(experiment, planned)
    try:
        yield folder
    except BaseException:
        if not (folder / MODEL).exists():
            for name in (DESCRIPTION, HISTORY):
                (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder that is not empty stays
                for path in made:
                    path.rmdir()
        raise


def start(problem: Problem, engine: str, folder: Path) -> Run:
    """Describe a training that begins, so that the folder explains itself whatever happens."""
    run = Run(
        problem.experiment,
        engine,
        problem.seed,
        problem.dtype,
        problem.epochs,
        problem.settings,
        {path: _sha256(path) for path in _named_files(problem.settings)},
        problem.columns,
        _versions(engine),
        list(problem.notes),
    )
    write(run, folder)
    return run


def _versions(engine: str) -> dict[str, str]:
    versions = {
        "python": platform.python_version(),
        "scratchnet": scratchnet.__version__,
        "numpy": np.__version__,
    }
    if engine == "keras":
        for package in ("keras", "tensorflow", "tensorflow-cpu"):  # the last is the same by name
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions[package] = metadata.version(package)
    return versions


def _named_files(settings: dict[str, Any]) -> list[str]:
    return [value for value in settings.values() if isinstance(value, str)]


def _sha256(path: str) -> str:
    """Return a file's SHA-256; nothing for what cannot be read twice, such as a pipe."""
    return file_sha256(Path(path)) if Path(path).is_file() else ""


def check_files(run: Run) -> None:
    """Make sure that the data files a run was trained on are still the same.

    Raises
    ------
    DataError
        If one is gone or differs.
    """
    for path in _named_files(run.settings):
        found = _sha256(path)
        if not found or found != run.files.get(path):
            raise DataError(
                f"{path}: expected the file that the run was trained on, got "
                f"{'another' if found else 'none'}. Restore it, or train again."
            )


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
        return Run(**checked_fields(json.loads(path.read_text(encoding="utf-8"))))
    except (ValueError, RecursionError) as error:
        _refuse(folder, str(error))


def _refuse(folder: str | Path, reason: str) -> NoReturn:
    raise DataError(
        f"{Path(folder) / DESCRIPTION}: not a description of a run ({one_line(reason)}). "
        "Train again, or restore the file."
    )


def load_model(folder: str | Path, columns: Columns) -> Sequential:
    """Read the run's latest model.

    Raises
    ------
    DataError
        If there is none, or its inputs and outputs are not as many as the columns say.
    CheckpointError
        If the file is not a whole model.
    """
    path = Path(folder) / MODEL
    if not path.exists():
        raise DataError(
            f"{folder}: no model here (no {MODEL}): the training ended before its first epoch did. "
            "Train again."
        )
    model = Sequential.load(path)
    said = len(columns.features), len(columns.outputs)
    if (found := _widths(model)) != said:
        _refuse(folder, f"columns: expected inputs and outputs as {MODEL} has, {found}, got {said}")
    return model


def _widths(model: Sequential) -> tuple[Any, Any] | None:
    """Return the number of inputs and of outputs of a model that is built."""
    if not model.layers or not model.built:
        return None
    first, last = model.layers[0].input_shape, model.layers[-1].input_shape
    assert first is not None
    assert last is not None
    return first[-1], model.layers[-1].compute_output_shape(last)[-1]


def check_columns(folder: str | Path, problem: Problem, columns: Columns) -> None:
    """Make sure that a run's description has the columns of its problem.

    Raises
    ------
    DataError
        If it has others.
    """
    if columns != problem.columns:
        _refuse(folder, f"columns: expected those of {problem.experiment} on this data")


def train(problem: Problem, folder: Path, verbose: bool | str = "auto") -> Sequential:
    """Train the scratch engine; a whole model stands in the folder after every epoch."""
    model = problem.build_model()
    if problem.trained:
        model.save(folder / MODEL)
        return model
    literal = str(folder / MODEL).replace("{", "{{").replace("}", "}}")
    callbacks: list[Callback] = [ModelCheckpoint(literal), CSVLogger(folder / HISTORY)]
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


def predict(model: Sequential, x: Array) -> Array:
    """Return the model's outputs.

    Raises
    ------
    NonFiniteError
        If they are not finite.
    """
    return _finite(model.predict(x), "outputs")


def _finite(value: Any, name: str) -> Any:
    if not np.isfinite(value).all():
        raise NonFiniteError(
            f"{name}: expected finite numbers of the model, got others. Train again, with other "
            "data or a smaller learning rate."
        )
    return value


def evaluate(model: Sequential, problem: Problem) -> dict[str, Any]:
    """Return the loss on the test rows and, where outputs are classes, the scores of each.

    ``held_out`` says whether those rows are others than the ones trained on.

    Raises
    ------
    NonFiniteError
        If the outputs or the loss are not finite.
    """
    y_pred = predict(model, problem.x_test)
    results: dict[str, Any] = {
        "rows": len(y_pred),
        "held_out": problem.x_test is not problem.x_train,
    }
    if model.loss is not None:
        loss = model.evaluate(problem.x_test, problem.y_test, return_dict=True)["loss"]
        results["loss"] = _finite(loss, "loss")
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
