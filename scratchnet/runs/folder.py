"""Where a run is: a new folder for each training, and the names of what is in it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from scratchnet.errors import DataError, InputError
from scratchnet.runs.lock import locked

DESCRIPTION = "run.json"
MODEL = "model.npz"
KERAS_MODEL = "model.keras"
"""Keras's own, with its optimizer's state, beside a run that Keras trained."""
BEST = "best.npz"
"""The model of the best epoch, where one is chosen by validation."""
BEST_KERAS = "best.keras"
"""The same as Keras's own, beside a run that Keras trained."""
LOGS = "logs"
"""TensorBoard's, in a folder."""
HISTORY = "history.csv"
VOCABULARY = "vocabulary.json"
SAMPLES = "samples.jsonl"
FILES = (DESCRIPTION, MODEL, KERAS_MODEL, BEST, BEST_KERAS, HISTORY, VOCABULARY, SAMPLES)
PARENT = Path("runs")


def new_folder(experiment: str, out: str | Path | None = None) -> Path:
    """Return the folder for a new run, ``runs/<experiment>-<n>`` if none is named; make it.

    Raises
    ------
    InputError
        If there is something in it already.
    """
    folder = _free_folder(experiment, out)
    folder.mkdir(parents=True, exist_ok=out is not None)
    return folder


def newest_first(experiment: str) -> list[Path]:
    """Return the folders ``runs/<experiment>-<n>``, the highest number first."""
    return [PARENT / f"{experiment}-{number}" for number in sorted(_numbers(experiment))[::-1]]


def latest(experiment: str) -> Path:
    """Return the folder of the experiment's newest run.

    Raises
    ------
    DataError
        If there is none.
    """
    found = newest_first(experiment)
    if not found:
        raise DataError(
            f"{PARENT}: no run of {experiment} here. Name its folder with --out, or train one."
        )
    return found[0]


def _numbers(experiment: str) -> list[int]:
    """Return the numbers of the experiment's folders."""
    names = (path.name.removeprefix(f"{experiment}-") for path in PARENT.glob(f"{experiment}-*"))
    return [int(number) for number in names if number.isdecimal()]


def is_run(folder: Path) -> bool:
    """Whether a training has begun here."""
    return (folder / DESCRIPTION).is_file()


def has_model(folder: Path) -> bool:
    """Whether a training left something to go on from."""
    return any((folder / name).exists() for name in (MODEL, KERAS_MODEL))


def remove_drafts(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for draft in _drafts(folder):
        draft.unlink()


def _drafts(folder: Path) -> set[Path]:
    return {draft for name in FILES for draft in folder.glob(f".{name}.*")}


def _free_folder(experiment: str, out: str | Path | None) -> Path:
    if out is None:
        return PARENT / f"{experiment}-{max(_numbers(experiment), default=0) + 1}"
    folder = Path(out)
    if folder.is_file() or (folder.is_dir() and not _is_free(folder)):
        raise not_empty(folder)
    return folder


def not_empty(folder: Path) -> InputError:
    """Return the error of a folder that is not for a new run."""
    return InputError(
        f"--out: expected a new or empty folder, got {folder}, which has something in it. "
        "Name another, or remove it."
    )


def _is_free(folder: Path) -> bool:
    """Whether nothing is here but what a process that was killed at the very beginning leaves.

    The vocabulary comes before the description; `start` looks whether it is the same one.
    """
    return set(folder.iterdir()) <= {folder / VOCABULARY, *_drafts(folder)}


@contextlib.contextmanager
def recording(experiment: str, out: str | Path | None = None) -> Iterator[Path]:
    """Make a folder for a training as `new_folder` does; remove it if that fails without a model.

    A training that left one whole model leaves a run, whatever happens next.
    """
    folder = _free_folder(experiment, out)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=out is not None)
    with locked(folder):
        _free_folder(experiment, folder)  # another process may have been faster
        remove_drafts(folder)
        before = set(folder.iterdir())
        try:
            yield folder
        except BaseException:
            if not has_model(folder):
                _remove(folder, before, made)
            raise


def _remove(folder: Path, before: set[Path], made: list[Path]) -> None:
    """Remove what a training has added, and the folders that were made for it."""
    shutil.rmtree(folder / LOGS, ignore_errors=True)
    for path in {folder / name for name in FILES} - before:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # a folder that is not empty stays
        for path in made:
            path.rmdir()
