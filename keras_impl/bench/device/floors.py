r"""The two least times of a training step on a device: for its arithmetic, and for its bytes.

Arithmetic: the operations of all matrix products (`keras_impl.bench.floor.training_products`),

.. math:: 2 \sum_{(m, k, n)} m k n,

at the rate of a large square product of the same device in the same dtype.

Bytes: every array of the step that no order of computation can do without, moved once for each of
the three passes (forward, backward, update) that makes it or reads it, at the rate of a large copy:

.. math:: s \Big(2 |x| + \sum_{\text{recurrent}} 2 B T k H + 2 B V + 10 P\Big)

with s bytes a number, inputs x (read forwards, and backwards for the kernel's gradient), k the
numbers that a unit leaves for the way back at each time step (LSTM: four gates, c and h, 6; GRU
with reset after the product: three gates, the candidate's recurrent sum and h, 5; SimpleRNN: h, 1),
written and read, the logits, and P weights: read forwards and backwards, their gradients written
and read, and in Adam's update weight, mean and mean square each read and written.  What passes
between time steps alone can stay on the chip and is left out, and so are the weights' other
readings.  An array that fits into the device's cache need not move at all: for a small network
a share of the byte floor above 100 % is possible.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_impl.bench.device.clock import Clock
from scratchnet import Sequential
from scratchnet.layers import GRU, LSTM, Dense, SimpleRNN
from scratchnet.layers.recurrent import Recurrent

KEPT = {LSTM: 6, GRU: 5, SimpleRNN: 1}
"""Numbers that a unit leaves for the way back at each time step, by layer."""
WEIGHTS = 10
"""How often a weight, its gradient and its two slots of Adam are moved, all together."""
SIZE = 8192
"""Of the square matrices whose product measures the arithmetic."""
COPIED = 2**29
"""Bytes of the array whose copy measures the memory: more than fits into any cache."""
LAPS = 5
CALLS = 4
"""In a lap."""


def training_bytes(model: Sequential, batch: int) -> int:
    """Return the bytes of the docstring's formula for a built model of these layers."""
    shape = model.layers[0].input_shape
    assert shape is not None
    moved = 2 * batch * math.prod(size or 1 for size in shape[1:])
    for layer in model.layers:
        assert layer.input_shape is not None
        if isinstance(layer, Dense):
            moved += 2 * batch * layer.units
        elif isinstance(layer, Recurrent):
            moved += 2 * batch * (layer.input_shape[1] or 1) * KEPT[type(layer)] * layer.units
    return (moved + WEIGHTS * model.count_params()) * np.dtype(model.dtype).itemsize


def product_rate(xp: Any, clock: Clock, size: int = SIZE, laps: int = LAPS) -> float:
    """Return the float32 operations a second of a large product.

    The least disturbed lap counts, as does that of `copy_rate`.
    """
    rng = np.random.default_rng(0)
    a, b = (xp.asarray(rng.standard_normal((size, size), dtype="float32")) for _ in range(2))
    out = xp.empty_like(a)
    return 2 * size**3 / _least(clock, lambda: xp.matmul(a, b, out=out), laps)


def copy_rate(xp: Any, clock: Clock, size: int = COPIED, laps: int = LAPS) -> float:
    """Return the bytes a second that a large copy reads and writes."""
    source = xp.zeros(size // 4, dtype="float32")
    target = xp.empty_like(source)

    def copy() -> None:
        target[...] = source

    return 2 * source.nbytes / _least(clock, copy, laps)


def _least(clock: Clock, run: Any, laps: int) -> float:
    run()
    return min(clock.lap(run, CALLS).seconds for _ in range(laps))
