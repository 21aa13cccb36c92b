"""Combinations of options in which every pair of values occurs: far fewer than their product."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def all_pairs(
    factors: Mapping[str, Sequence[Any]],
    impossible: Callable[[Row], bool] = lambda row: False,
    *,
    least: int = 0,
) -> list[Row]:
    """Return rows that take a value of each factor, always the same ones.

    Parameters
    ----------
    factors : mapping
        The values of each.
    impossible : function
        Whether a row, or the part of one that has been chosen so far, makes no sense.
    least : int
        Random rows are added until there are so many.
    """
    rng = random.Random(0)
    missing = dict.fromkeys(pairs_of_values(factors, impossible))
    rows: list[Row] = []
    while missing:
        row = dict(next(iter(missing)))
        for factor in rng.sample([f for f in factors if f not in row], len(factors) - 2):
            possible = [v for v in factors[factor] if not impossible({**row, factor: v})]
            rng.shuffle(possible)
            chosen = row  # so that the function below closes over this row
            row = max(
                ({**chosen, factor: value} for value in possible),
                key=lambda longer: sum(pair in missing for pair in _pairs(longer, factors)),
            )
        rows.append({factor: row[factor] for factor in factors})
        for pair in _pairs(row, factors):
            missing.pop(pair, None)
    while len(rows) < least:
        row = {factor: rng.choice(values) for factor, values in factors.items()}
        if not impossible(row):
            rows.append(row)
    return rows


def pairs_of_values(
    factors: Mapping[str, Sequence[Any]], impossible: Callable[[Row], bool]
) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Return every possible pair of values of two factors."""
    for one, other in itertools.combinations(factors, 2):
        for v, w in itertools.product(factors[one], factors[other]):
            if not impossible({one: v, other: w}):
                yield (one, v), (other, w)


def _pairs(row: Row, factors: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    ordered = [(factor, row[factor]) for factor in factors if factor in row]
    return itertools.combinations(ordered, 2)
