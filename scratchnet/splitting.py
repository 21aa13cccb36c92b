"""Holding records out so that what a network is tested on is new to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def split(
    frame: pd.DataFrame, features: Sequence[str], label: str, share: float, seed: int
) -> tuple[Array, Array]:
    """Return the positions of the records to train on and of those held out, in file order.

    Records with the same features stay together, so none is on both sides.  Of each class about
    ``share`` is held out, as nearly as whole groups allow.

    Parameters
    ----------
    frame
        The records; the label is 0 or 1.
    features, label
        Names of its columns.
    share
        Share of the records to hold out.
    seed
        Decides which.

    Raises
    ------
    DataError
        There are too few distinct records: one side would be empty.
    """
    import pandas as pd

    group = same_record(frame[list(features)])
    groups = frame[label].groupby(group).agg(["size", "mean"])
    majority = groups["mean"] >= 0.5
    generator = np.random.default_rng(seed)
    chosen: list[int] = []
    for one_class in (False, True):
        candidates = groups["size"][majority == one_class]
        room = round(share * int(candidates.sum()))
        for number in generator.permutation(list(candidates.index)):
            size = int(candidates[number])
            if size <= room:
                chosen.append(int(number))
                room -= size
    held_out = pd.Series(group).isin(chosen).to_numpy()
    if not held_out.any() or held_out.all():
        raise DataError(
            f"expected enough distinct records to hold some out, got {len(groups)} among "
            f"{len(frame)} rows."
        )
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def same_record(features: pd.DataFrame) -> Array:
    """Number the records ``(B,)`` so that those with the same features share a number.

    A missing value may turn out to be any: once it is filled, its record can be the same as every
    other that agrees in the values that both have.  Such records share a number too.
    """
    import pandas as pd

    features = features.reset_index(drop=True)
    missing = features.isna()
    patterns = [np.asarray(pattern) for pattern in missing.drop_duplicates().to_numpy()]
    links = []
    for one, other in combinations_with_replacement(patterns, 2):
        is_one, is_other = ((missing == pattern).all(axis=1) for pattern in (one, other))
        known = list(features.columns[~(one | other)])
        rows = features[is_one | is_other]
        key = rows.groupby(known).ngroup() if known else pd.Series(0, index=rows.index)
        links.append(key[key.isin(key[is_one]) & key.isin(key[is_other])])
    number = pd.Series(np.arange(len(features)))
    while True:
        before = number.copy()
        for key in links:
            number[key.index] = number[key.index].groupby(key).transform("min")
        if number.equals(before):
            return number.to_numpy()
