"""What the tests share: the comparison of section 3 and random, asymmetric inputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

FORWARD_TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
GRADIENT_TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
DIFFERENCES_TOLERANCE = 1e-7
DEVICE_TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "bool": 0.0}
"""Between a device and the host, whose last digits are rounded in other orders."""


def scaled_difference(actual: Any, reference: Any) -> float:
    """Return the largest difference over the largest magnitude of the reference."""
    actual, reference = np.asarray(actual), np.asarray(reference)
    assert actual.shape == reference.shape, f"shape {actual.shape}, expected {reference.shape}"
    if reference.size == 0:
        return 0.0
    difference = np.abs(actual.astype(np.float64) - reference.astype(np.float64)).max()
    scale = np.abs(reference.astype(np.float64)).max()
    return float(difference) if scale == 0 else float(difference / scale)


def assert_agrees(actual: Any, reference: Any, tolerance: float, what: str = "array") -> None:
    """Assert that every element agrees, scaled by the reference's largest magnitude."""
    assert np.all(np.isfinite(np.asarray(reference, dtype=np.float64))), f"{what}: bad reference"
    difference = scaled_difference(actual, reference)
    assert difference <= tolerance, f"{what}: differs by {difference:.2e}, allowed {tolerance:.0e}"
    _record(difference, tolerance)


def _record(difference: float, tolerance: float) -> None:
    """Write a comparison down for the table in the README, if `make agreement` asked for it."""
    path = os.environ.get("SCRATCHNET_AGREEMENT")
    if path:
        test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps([test, difference, tolerance]) + "\n")


def assert_not_negligible(reference: Any, least: float = 1e-6) -> None:
    """Assert that a reference is large enough for a scaled comparison to mean something."""
    assert np.abs(np.asarray(reference)).max() > least, "the reference is negligible"


def central_differences(function: Any, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return the derivative of a scalar function with respect to each element of ``x``."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = function(x)
        x[index] = kept - step
        below = function(x)
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
