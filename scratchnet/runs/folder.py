"""Where a run is: a new folder for each training, and the names of what is in it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from scratchnet.errors import DataError, InputError

DESCRIPTION = "run.json"
MODEL = "model.npz"
BEST = "best.npz"
"""The model of the best epoch, where one is chosen by validation."""
HISTORY = "history.csv"
VOCABULARY = "vocabulary.json"
SAMPLES = "samples.jsonl"
PARENT = Path("runs")


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


def latest(experiment: str) -> Path:
    """Return the folder of the experiment's newest run.

    Raises
    ------
    DataError
        If there is none.
    """
    numbers = itertools.count(1)
    free = next(n for n in numbers if not (PARENT / f"{experiment}-{n}").exists())
    if free == 1:
        raise DataError(
            f"{PARENT}: no run of {experiment} here. Name its folder with --out, or train one."
        )
    return PARENT / f"{experiment}-{free - 1}"


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

    A training that left one whole model leaves a run, whatever happens next.
    """
    planned = _free_folder(experiment, out)
    made = [path for path in (planned, *planned.parents) if not path.exists()]
    folder = new_folder(experiment, planned)
    try:
        yield folder
    except BaseException:
        if not (folder / MODEL).exists():
            for name in (DESCRIPTION, HISTORY, VOCABULARY, SAMPLES):
                (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder that is not empty stays
                for path in made:
                    path.rmdir()
        raise
