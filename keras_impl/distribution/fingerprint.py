"""What workers have to have in common."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.experiments.problem import Problem

ROWS = 4096
"""Of the data, copied at once."""


def fingerprint(problem: Problem, **others: Any) -> dict[str, str]:
    """Return, by the name a user knows it by, what decides a training's weights.

    Files are compared by what was read from them, for each machine has its own paths.
    """
    said = {
        "experiment": problem.experiment,
        "seed": problem.seed,
        "dtype": problem.dtype,
        "epochs": problem.epochs,
        "batch size": problem.batch_size,
        "network": problem.architecture,
        "data": _digest(problem.x_train, problem.y_train),
        **others,
        **{name: _version(name) for name in ("scratchnet", "keras", "tensorflow")},
    }
    return {name: json.dumps(value, sort_keys=True) for name, value in said.items()}


def difference(ours: dict[str, str], theirs: dict[str, str]) -> str | None:
    """Return the first thing in which two differ, with both values; None where they are alike."""
    for name in dict.fromkeys([*ours, *theirs]):
        here, there = ours.get(name, "none"), theirs.get(name, "none")
        if here != there:
            return f"{name} {here[:60]}, got {there[:60]}"
    return None


def _digest(*arrays: Array) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        for start in range(0, len(array), ROWS):  # windows overlap: all at once would be large
            digest.update(np.ascontiguousarray(array[start : start + ROWS]).data)
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # TensorFlow has several names, scratchnet may be a tree
        return "unknown"
