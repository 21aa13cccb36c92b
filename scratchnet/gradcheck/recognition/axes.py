"""Which axis of someone's arrays is the batch, which time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.recognition.arrangement import Arrangement, Block

CANONICAL = {
    "x": ("B", "T", "D"),
    "hs": ("B", "T", "H"),
    "cs": ("B", "T", "H"),
    "ys": ("B", "T", "O"),
    "h": ("B", "H"),
    "c": ("B", "H"),
    "h0": ("B", "H"),
    "c0": ("B", "H"),
    "y": ("B", "O"),
    "mask": ("B", "T"),
    "target": ("B", "O"),
}


def axes_of(
    arrangement: Arrangement, arrays: Mapping[str, Array], outputs: Mapping[str, Array]
) -> dict[str, tuple[str, ...]]:
    """Return the names of the axes of all arrays and outputs that have a batch or time axis."""
    found = {}
    recurrent = arrangement.kind in ("simple_rnn", "lstm", "gru")
    for given, blocks in ((arrays, arrangement.blocks), (outputs, arrangement.outputs)):
        for name, held in blocks.items():
            block = held if isinstance(held, Block) else held[0]
            if block.slot in CANONICAL and np.ndim(given[name]) > 0:
                labels = CANONICAL[block.slot]
                if block.slot == "x" and not recurrent:
                    labels = ("B", "D")
                axes = _axes(block, np.shape(given[name]), labels)
                if axes:
                    found[name] = axes
    return found


def _axes(block: Block, shape: tuple[int, ...], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Follow each axis through the view by its stride in an array of other sizes."""
    sizes = [n if n == 1 else 7 + 2 * k for k, n in enumerate(shape)]
    probe = np.empty(sizes, dtype=np.int8)
    seen = block.view(probe)
    if seen.ndim != len(labels):
        return ()
    by_stride = {
        stride: label
        for stride, label, n in zip(seen.strides, labels, seen.shape, strict=True)
        if n > 1
    }
    return tuple(
        by_stride.get(stride, "") if n > 1 else ""
        for stride, n in zip(probe.strides, sizes, strict=True)
    )
