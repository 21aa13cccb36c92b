"""How well outputs above a cut-off tell two classes apart."""

from __future__ import annotations

from dataclasses import dataclass

from scratchnet.backend import Array
from scratchnet.metrics import confusion_matrix


@dataclass(frozen=True)
class Scores:
    """Counts and the shares made of them; None where there is nothing to divide by."""

    accuracy: float
    precision: float | None
    recall: float | None
    confusion: list[list[int]]
    """[[true negatives, false positives], [false negatives, true positives]]"""


def scores(y_true: Array, y_pred: Array, cut_off: float) -> Scores:
    """Return the scores of one output column, ``y_pred`` above ``cut_off`` meaning 1."""
    matrix = confusion_matrix(y_true, y_pred, cut_off)
    (tn, fp), (fn, tp) = ((int(count) for count in row) for row in matrix)
    return Scores(
        accuracy=(tn + tp) / (tn + fp + fn + tp),
        precision=tp / (tp + fp) if tp + fp else None,
        recall=tp / (tp + fn) if tp + fn else None,
        confusion=[[tn, fp], [fn, tp]],
    )
