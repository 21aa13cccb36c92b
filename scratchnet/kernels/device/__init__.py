"""The page's equations on a GPU, fused: every kernel here is made from the page itself.

A function of `scratchnet.equations` is run once with symbols in the place of arrays.  What it would
compute is written down as one kernel, so that an equation that is eight calls on the page reads its
operands and writes its results once: `tracing` for what goes element by element, `rows` for what
looks along a row, `recurrent` for the steps through time, `rules` for an optimizer's.  Beside them:
matrix products by cuBLAS (`products`), rows of a table (`embedding`), random numbers (`philox`).

The kernels run on CuPy's arrays; any other module with kernels of the same meaning will do.
"""

from __future__ import annotations

import numpy as np

from scratchnet.backend import array_module


def has_kernels(array: object) -> bool:
    """Whether an array is on a device that kernels can be made for."""
    if type(array) is np.ndarray:
        return False
    xp = array_module(array)
    return xp is not np and hasattr(xp, "ElementwiseKernel")
