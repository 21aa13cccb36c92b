"""What ``run.json`` says of a training, and the files it was trained on."""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import scratchnet
from scratchnet.archive import one_line
from scratchnet.datasets import file_sha256
from scratchnet.device import gpu_version
from scratchnet.errors import DataError
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Language, Reader, Reviews
from scratchnet.files import write_whole
from scratchnet.runs.fields import FORMAT, checked_fields
from scratchnet.runs.folder import DESCRIPTION, VOCABULARY, not_empty
from scratchnet.text.vocabulary import Vocabulary


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
    """SHA-256, by path, of the user's own files."""
    reader: Reader
    versions: dict[str, str]
    notes: list[str]
    results: dict[str, Any] | None = None
    """None until the training has ended."""
    training: dict[str, Any] = field(default_factory=dict)
    """What was chosen of how the engine trains, beside the problem's own settings."""
    device: str | None = None
    """Where it was last trained; None where the engine decides."""


def start(
    problem: Problem,
    engine: str,
    folder: Path,
    training: dict[str, Any] | None = None,
    device: str | None = None,
) -> Run:
    """Describe a training that begins, so that the folder explains itself whatever happens.

    Raises
    ------
    InputError
        If the folder has a vocabulary that is not the problem's.
    """
    _check_left_over(problem.reader, folder / VOCABULARY)
    run = Run(
        problem.experiment,
        engine,
        problem.seed,
        problem.dtype,
        problem.epochs,
        problem.settings,
        files_of(problem.files),
        problem.reader,
        versions(engine, device),
        list(problem.notes),
        training=training or {},
        device=device,
    )
    write(run, folder)
    return run


def _check_left_over(reader: Reader, path: Path) -> None:
    """Raise unless a vocabulary that is here already is what a process killed here has left."""
    if path.exists():
        mine = reader.vocabulary if isinstance(reader, (Language, Reviews)) else None
        if mine is None or Vocabulary.load(path) != mine:
            raise not_empty(path.parent)


def versions(engine: str, device: str | None = None) -> dict[str, str]:
    """Return the versions of what trains."""
    found = {
        "python": platform.python_version(),
        "scratchnet": scratchnet.__version__,
        "numpy": np.__version__,
    }
    if device == "gpu":
        found |= gpu_version()
    if engine == "keras":
        for package in ("keras", "tensorflow", "tensorflow-cpu"):  # the last is the same by name
            with contextlib.suppress(metadata.PackageNotFoundError):
                found[package] = metadata.version(package)
    return found


def files_of(paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of files by their paths."""
    return {path: _sha256(path) for path in paths}


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
    for path, sha256 in run.files.items():
        found = _sha256(path)
        if not found or found != sha256:
            raise other_file(path, "another" if found else "none")


def other_file(path: str, got: str) -> DataError:
    """Return the error of data that are not those of the run."""
    return DataError(
        f"{path}: expected the file that the run was trained on, got {got}. Restore it, or train "
        "again."
    )


def write(run: Run, folder: Path) -> None:
    """Write ``run.json``, and the vocabulary of a reader that has one beside it."""
    fields = {name: value for name, value in vars(run).items() if name != "reader"}
    reader = {"kind": type(run.reader).__name__.lower()}
    reader |= vars(run.reader)
    if isinstance(run.reader, (Language, Reviews)):
        if not (folder / VOCABULARY).exists():
            run.reader.vocabulary.save(folder / VOCABULARY)
        reader["vocabulary"] = file_sha256(folder / VOCABULARY)
    text = json.dumps({"format": FORMAT, **fields, "reader": reader}, indent=2, allow_nan=False)
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
        return Run(**checked_fields(json.loads(path.read_text(encoding="utf-8")), path.parent))
    except (ValueError, RecursionError) as error:
        raise not_a_run(folder, str(error)) from error


def not_a_run(folder: str | Path, reason: str) -> DataError:
    """Return the error of a folder whose description does not hold together."""
    return DataError(
        f"{Path(folder) / DESCRIPTION}: not a description of a run ({one_line(reason)}). "
        "Train again, or restore the file."
    )
