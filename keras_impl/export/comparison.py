"""Whether an exported model answers as scratchnet does."""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import ScratchnetError

TOLERANCE = 1e-5


class DisagreementError(ScratchnetError, ArithmeticError):
    """An exported model's outputs are not scratchnet's."""


def compared(found: Array, expected: Array, kind: str) -> float:
    """Return the largest difference over the largest magnitude of what is expected.

    Raises
    ------
    DisagreementError
        If it is above 1e-5, or the shapes differ.
    """
    if found.shape != expected.shape:
        raise _disagreement(kind, f"shape {found.shape} in place of {expected.shape}")
    difference = np.abs(found.astype("float64") - expected).max() / np.abs(expected).max()
    if not difference <= TOLERANCE:
        raise _disagreement(kind, f"a difference of {difference:.1e}")
    return float(difference)


def _disagreement(kind: str, got: str) -> DisagreementError:
    return DisagreementError(
        f"{kind}: expected scratchnet's outputs to {TOLERANCE:.0e}, got {got}; nothing was "
        "written. Export in another format, and report it with the versions of the packages."
    )
