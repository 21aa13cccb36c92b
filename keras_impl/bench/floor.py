"""The least time a unit of work can take: its matrix products at the machine's measured peak.

What a network computes beside its products can hide behind nothing smaller, so the share of this
floor that is reached says how much there is left to win.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from scratchnet import Sequential
from scratchnet.layers import Layer, OneHot
from scratchnet.layers.recurrent import Recurrent

SIZE = 1024
"""Of the square matrices that the peak is measured on: they fit into no first cache."""
REPETITIONS = 12


@dataclass(frozen=True)
class Product:
    """``count`` products of (m, k) and (k, n) matrices."""

    m: int
    k: int
    n: int
    count: int = 1
    one_hot: bool = False
    """Whether one factor is rows of one-hot vectors, so that looking rows up does as well."""

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.m * self.k * self.n * self.count


def flops(products: Iterable[Product], one_hot: bool = True) -> int:
    """Return the operations of some products, with or without those of one-hot rows."""
    return sum(one.flops for one in products if one_hot or not one.one_hot)


def training_products(model: Sequential, batch: int) -> list[Product]:
    """Return the products of a training step of a built model.

    Backwards, a layer's weights need the transposed input times the gradient, and the layer before
    needs the gradient times the transposed kernel, unless nothing before it is trained.
    """
    found = inference_products(model, batch)
    previous, trained_before = None, False
    for layer in model.layers:
        rows, features, width = _sizes(layer, batch)
        if width:
            found.append(Product(features, rows, width, one_hot=isinstance(previous, OneHot)))
        if width and trained_before:
            found.append(Product(rows, width, features))
        if isinstance(layer, Recurrent):
            units, steps = layer.units, rows // batch
            found += [Product(units, rows, width), Product(batch, width, units, steps)]
        trained_before = trained_before or bool(layer.params)
        previous = layer
    return found


def inference_products(model: Sequential, batch: int) -> list[Product]:
    """Return the products of a forward pass of a built model."""
    found, previous = [], None
    for layer in model.layers:
        rows, features, width = _sizes(layer, batch)
        if width:
            found.append(Product(rows, features, width, one_hot=isinstance(previous, OneHot)))
        if isinstance(layer, Recurrent):
            found.append(Product(batch, layer.units, width, rows // batch))
        previous = layer
    return found


def _sizes(layer: Layer, batch: int) -> tuple[int, int, int]:
    """Return the rows that a layer's kernel is multiplied by, and the kernel's two sizes."""
    if "kernel" not in layer.params or layer.input_shape is None:
        return 0, 0, 0
    features, width = layer.params["kernel"].shape
    return batch * math.prod(size or 1 for size in layer.input_shape[1:-1]), features, width


def peak(threads: int, repetitions: int = REPETITIONS, size: int = SIZE) -> float:
    """Return the float32 operations a second of so many threads, each at its own matrix product.

    The least disturbed of some repetitions counts, as in a race.
    """
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), dtype="float32") for _ in range(2))
    outs = [np.empty_like(a) for _ in range(threads)]
    seconds = []
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for _ in range(repetitions):
            start = time.perf_counter()
            list(pool.map(lambda out: np.matmul(a, b, out=out), outs))
            seconds.append(time.perf_counter() - start)
    return threads * Product(size, size, size).flops / min(seconds)
