"""What the Wisconsin records look like before anything is learned from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.experiments.wisconsin_data import FEATURES, GRADES, LABEL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Statistics:
    """Summary of one feature over the records that have it; None where it is not defined."""

    count: int
    missing: int
    mean: float | None
    median: float | None
    std: float | None
    """With n - 1 in the denominator."""
    min: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    max: float | None
    skew: float | None
    """Adjusted Fisher–Pearson coefficient; above 0 where the long tail is to the right."""


@dataclass(frozen=True)
class Analysis:
    """The whole analysis, in plain numbers."""

    rows: int
    balance: tuple[int, int]
    """Records of class 0 and of class 1."""
    incomplete: int
    """Records with a missing value."""
    repeated: int
    """Records whose nine features stand in an earlier record too."""
    contradictory: int
    """Distinct sets of features that stand in records of both classes."""
    outside: int
    """Values that are no grade from 1 to 10."""
    statistics: dict[str, Statistics]
    """By feature."""
    histograms: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    """By feature, then class: how many records have grade 1, 2, … 10."""


def analyse(frame: pd.DataFrame) -> Analysis:
    """Describe records as `scratchnet.experiments.wisconsin_data.read` returns them."""
    features = frame[list(FEATURES)]
    classes = frame.groupby(list(FEATURES), dropna=False)[LABEL].nunique()
    by_class = [features[frame[LABEL] == label] for label in (0, 1)]
    return Analysis(
        rows=len(frame),
        balance=(len(by_class[0]), len(by_class[1])),
        incomplete=int(features.isna().any(axis=1).sum()),
        repeated=int(features.duplicated().sum()),
        contradictory=int((classes > 1).sum()),
        outside=int((features.notna() & ~features.isin(GRADES)).to_numpy().sum()),
        statistics={name: _statistics(features[name]) for name in FEATURES},
        histograms={
            name: (_counts(by_class[0][name]), _counts(by_class[1][name])) for name in FEATURES
        },
    )


def _statistics(values: pd.Series[float]) -> Statistics:
    def known(number: Any) -> float | None:
        return float(number) if math.isfinite(number) else None

    with np.errstate(over="ignore", invalid="ignore"):  # squares of huge values
        return Statistics(
            count=int(values.count()),
            missing=int(values.isna().sum()),
            mean=known(values.mean()),
            median=known(values.median()),
            std=known(values.std()),
            min=known(values.min()),
            lower_quartile=known(values.quantile(0.25)),
            upper_quartile=known(values.quantile(0.75)),
            max=known(values.max()),
            skew=known(values.skew()),
        )


def _counts(values: pd.Series[float]) -> tuple[int, ...]:
    return tuple(int((values == grade).sum()) for grade in GRADES)
