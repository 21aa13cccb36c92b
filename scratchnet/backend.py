"""NumPy or CuPy: the only module that knows there are two.

No function elsewhere chooses a device.  It asks the array it was given::

    xp = array_module(x)
    y = xp.exp(x)

and whatever holds ``x`` (NumPy, CuPy, or any type with the array API's ``__array_namespace__``)
holds the result too.  Moving between host and device happens in `to_host` and `to_like` alone.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""An array of whichever module the caller uses; annotated as NumPy's."""


CACHE_LINE = 64
"""Bytes."""


def array_module(array: object) -> Any:
    """Return the module (``numpy``, ``cupy``, …) whose functions take this array.

    Lists, tuples and Python numbers are NumPy's.
    """
    if type(array) is np.ndarray or isinstance(array, np.generic):
        return np
    if type(array).__module__.partition(".")[0] == "cupy":
        import cupy

        return cupy
    namespace = getattr(array, "__array_namespace__", None)
    return np if namespace is None else namespace()


def to_host(array: Any) -> Array:
    """Copy an array from its device into a NumPy array (NumPy arrays come back as they are)."""
    get = getattr(array, "get", None)
    return np.asarray(array if get is None else get())


def to_like(array: Array, like: object) -> Array:
    """Copy a host array to where ``like`` is."""
    xp = array_module(like)
    return array if xp is np else xp.asarray(array)


def empty_aligned(xp: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array with whatever it holds that begins where a line of the cache does.

    NumPy's own begin 16 bytes behind: every load of a vector of 64 touches two lines, and sums of
    arrays that are in the cache take twice as long.
    """
    if xp is not np:
        return xp.empty(shape, dtype=dtype)
    count = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(count + CACHE_LINE, dtype=np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + count].view(dtype).reshape(shape)


def random_generator(seed: Any, like: object = None) -> Any:
    """Return a seeded generator with ``random`` and ``standard_normal`` where ``like`` is."""
    return array_module(like).random.default_rng(seed)


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def erfc(x: Array) -> Array:
    r"""Complementary error function, :math:`\frac{2}{\sqrt\pi}\int_x^\infty e^{-t^2} dt`.

    NumPy has none; the C library's, element by element, is exact to the last digit or two.
    """
    xp = array_module(x)
    if xp is np:
        return _erfc(x).astype(x.dtype, copy=False)
    if hasattr(xp, "special"):
        return xp.special.erfc(x)
    import cupyx.scipy.special

    return cupyx.scipy.special.erfc(x)
