"""The samples a model is given: checked, split, weighted, and put in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.arguments import FRACTION_BELOW_1, NOT_NEGATIVE, numeric, real, whole_number
from scratchnet.backend import Array, array_module, to_like
from scratchnet.device import device_of, expect_beside
from scratchnet.errors import InputError
from scratchnet.finite import expect_finite


@dataclass(slots=True)
class Samples:
    """Inputs, targets and, if there are any, weights: one a sample along the first axis."""

    x: Array
    y: Array
    sample_weight: Array | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> Samples:
        """Return the samples of a slice (a view) or of an array of indices (a copy)."""
        weight = self.sample_weight
        return Samples(self.x[rows], self.y[rows], None if weight is None else weight[rows])

    def batches(self, size: int, order: Array | None = None, first: int = 0) -> Iterator[Samples]:
        """Yield batches of ``size`` samples, from batch ``first`` on, the last of what is left."""
        for start in range(first * size, len(self), size):
            rows = slice(start, start + size)
            yield self[rows if order is None else order[rows]]

    def shuffled_order(self, seed: int, epoch: int) -> Array:
        """Return an order that depends on the seed and the epoch alone, not on epochs before it."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        return to_like(order, self.x)


def checked_samples(owner: str, x: Any, y: Any, sample_weight: Any = None) -> Samples:
    """Return data as samples, nothing copied that is an array already.

    Raises
    ------
    InputError
        If they are empty, of different length, on different devices, not numbers, NaN or infinite.
    """
    samples = Samples(
        checked_array(owner, "x", x),
        checked_array(owner, "y", y),
        None if sample_weight is None else checked_array(owner, "sample_weight", sample_weight),
    )
    for argument, array in (("y", samples.y), ("sample_weight", samples.sample_weight)):
        if array is not None and len(array) != len(samples):
            raise InputError(
                f"{owner}: expected {argument} of as many samples as x, {len(samples)}, got "
                f"{len(array)}. Pass one entry of {argument} for each of x."
            )
        if array is not None:
            expect_beside(owner, argument, array, device_of(samples.x), "x is")
    return samples


def checked_array(owner: str, argument: str, value: Any) -> Array:
    """Return data as a finite array of one or more samples.

    Raises
    ------
    InputError
        If they are not.
    """
    array = numeric(owner, argument, value)
    if not array.shape or not len(array):
        raise InputError(
            f"{owner}: expected {argument} with one or more samples along the first axis, got "
            f"shape {tuple(array.shape)}. Check how it was loaded."
        )
    expect_finite(owner, argument, array)
    return array


def checked_validation(data: Sequence[Any]) -> Samples:
    """Return ``fit``'s ``validation_data`` as samples, or raise as `checked_samples`."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        found = f"{len(data)} of them" if isinstance(data, (tuple, list)) else type(data).__name__
        raise InputError(
            "fit: expected validation_data to be (x, y) or (x, y, sample_weight), got "
            f"{found}. Pass such a tuple."
        )
    return checked_samples("fit validation_data", *data)


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """Return the samples without a share at their end, and those at the end.

    Raises
    ------
    InputError
        If either part is empty.
    """
    at = int(len(samples) * (1 - real("fit", "validation_split", share, FRACTION_BELOW_1)))
    if not 0 < at < len(samples):
        raise InputError(
            f"fit: expected a validation_split that leaves both parts a sample, got {share} of "
            f"{len(samples)} samples. Choose another, or pass validation_data."
        )
    return samples[:at], samples[at:]


def weighted_by_class(samples: Samples, class_weight: Mapping[int, float]) -> Samples:
    """Return the samples with their class's weight, 1 for a class that is not named.

    Raises
    ------
    InputError
        If they have weights already, or a class or a weight is not a number of 0 or more.
    """
    if samples.sample_weight is not None:
        raise InputError(
            "fit: expected sample_weight or class_weight, got both. Multiply them into "
            "sample_weight."
        )
    if not isinstance(class_weight, Mapping):
        raise InputError(
            "fit: expected class_weight to be a dict from class to weight, got "
            f"{class_weight!r}. Pass for instance {{0: 1.0, 1: 2.5}}."
        )
    y, xp = samples.y, array_module(samples.y)
    if y.ndim > 1:
        y = y[..., 0] if y.shape[-1] == 1 else xp.argmax(y, axis=-1)
    label, weight = xp.round(y), xp.ones(y.shape, dtype="float64")
    for key, value in class_weight.items():
        rows = label == whole_number("fit", "a class of class_weight", key)
        weight[rows] = real("fit", f"class_weight[{key}]", value, NOT_NEGATIVE)
    return Samples(samples.x, samples.y, weight)
