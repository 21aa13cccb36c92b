r"""What most losses end with: the mean over a sample's K outputs, and its backward."""

from __future__ import annotations

from scratchnet.backend import Array, array_module

EPSILON = 1e-7
"""Keras's: probabilities and divisors stay at least this far from 0."""


def mean(x: Array) -> Array:
    r"""Return :math:`\frac{1}{K} \sum_k x_k`, over the last axis."""
    if x.shape[-1] == 1:  # one output is its own mean: no pass over the array
        return x[..., 0]
    return array_module(x).mean(x, axis=-1)


def mean_backward(dvalues: Array, x: Array) -> Array:
    r"""Return :math:`d\ell / K`, the share of each of the K outputs, as (…, 1)."""
    if x.shape[-1] == 1:
        return dvalues[..., None]
    return (dvalues / x.shape[-1])[..., None]
