"""What is to be exported, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scratchnet import runs
from scratchnet.errors import InputError
from scratchnet.experiments.readers import Chain
from scratchnet.runs import Run

FORMATS = {"keras": ".keras", "savedmodel": "", "onnx": ".onnx"}
"""Each with the ending of its name; a SavedModel is a folder."""


class Plan(NamedTuple):
    """An export that is to be."""

    folder: Path
    """Of the run."""
    run: Run
    kind: str
    """One of `FORMATS`."""
    path: Path
    """That is free."""


def planned(folder: str | Path, kind: str, out: str | Path | None = None) -> Plan:
    """Return the plan of an export.

    Parameters
    ----------
    folder
        Of a run, trained by either engine.
    kind : {"keras", "savedmodel", "onnx"}
    out
        A new file, or folder for a SavedModel; ``exported`` with the format's ending, in the run's
        folder, if none is named.

    Raises
    ------
    InputError
        If the format is unknown, ``out`` is taken or has another ending, or the run is a chain's.
    DataError
        If the folder is no run.
    """
    if kind not in FORMATS:
        raise InputError(
            f"--format: expected one of {', '.join(FORMATS)}, got {kind[:40]!r}. Name one of them."
        )
    run = runs.read(folder)
    if isinstance(run.reader, Chain):
        raise InputError(
            f"{folder}: expected a run of a network, got one of a chain, which only counts. Name "
            "another."
        )
    ending = FORMATS[kind]
    path = Path(folder) / f"exported{ending}" if out is None else Path(out)
    if ending and path.suffix != ending:
        raise InputError(f"--out: expected a name that ends in {ending}, got {path}. Add it.")
    if path.exists():
        raise InputError(
            f"--out: expected a new name, got {path}, which is there already. Name another, or "
            "remove it."
        )
    return Plan(Path(folder), run, kind, path)
