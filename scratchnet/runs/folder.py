"""Where a run is: a new folder for each training, and the names of what is in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from scratchnet.errors import DataError, InputError

DESCRIPTION = "run.json"
MODEL = "model.npz"
KERAS_MODEL = "model.keras"
"""Keras's own, with its optimizer's state, beside a run that Keras trained."""
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
    folder.mkdir(parents=True, exist_ok=out is not None)
    return folder


def latest(experiment: str) -> Path:
    """Return the folder of the experiment's newest run.

    Raises
    ------
    DataError
        If there is none.
    """
    newest = _newest(experiment)
    if newest == 0:
        raise DataError(
            f"{PARENT}: no run of {experiment} here. Name its folder with --out, or train one."
        )
    return PARENT / f"{experiment}-{newest}"


def _newest(experiment: str) -> int:
    """Return the highest number of the experiment's folders, 0 where there is none."""
    names = (path.name.removeprefix(f"{experiment}-") for path in PARENT.glob(f"{experiment}-*"))
    return max((int(number) for number in names if number.isdecimal()), default=0)


def has_model(folder: Path) -> bool:
    """Whether a training left something to go on from."""
    return any((folder / name).exists() for name in (MODEL, KERAS_MODEL))


def remove_drafts(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for name in (DESCRIPTION, MODEL, KERAS_MODEL, BEST, HISTORY, VOCABULARY, SAMPLES):
        for draft in folder.glob(f".{name}.*"):
            draft.unlink()


def _free_folder(experiment: str, out: str | Path | None) -> Path:
    if out is None:
        return PARENT / f"{experiment}-{_newest(experiment) + 1}"
    folder = Path(out)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError(
            f"--out: expected a new or empty folder, got {folder}, which has something in it. "
            "Name another, or remove it."
        )
    return folder


@contextlib.contextmanager
def recording(experiment: str, out: str | Path | None = None) -> Iterator[Path]:
    """Make a folder for a training as `new_folder` does; remove it if that fails without a model.

    A training that left one whole model leaves a run, whatever happens next.
    """
    folder = _free_folder(experiment, out)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=out is not None)
    try:
        yield folder
    except BaseException:
        if not has_model(folder):
            for name in (DESCRIPTION, HISTORY, VOCABULARY, SAMPLES, BEST):
                (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder that is not empty stays
                for path in made:
                    path.rmdir()
        raise
