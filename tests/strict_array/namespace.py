"""The module ``cupy`` itself: NumPy's functions, as far as CuPy has them, for StrictArrays."""

from __future__ import annotations

import importlib.machinery
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.strict_array import memory, streams
from tests.strict_array.array import (
    StrictArray,
    call,
    check_keywords,
    refuse_name,
    unwrap,
    wrap,
)
from tests.strict_array.elementwise import ElementwiseKernel
from tests.strict_array.facts import FUNCTIONS, GENERATOR, SUBMODULES, TYPES, UFUNC, UFUNCS
from tests.strict_array.memory import arrays_in, garbage
from tests.strict_array.operators import refuse_lists
from tests.strict_array.performing import compute, cross, refuse_in_capture
from tests.strict_array.raw import RawKernel

NUMBERS = "?bhilqBHILQefdFD"
"""Types of elements, by NumPy's letters, that CuPy has: no text, no objects, no dates."""
MUTATES_FIRST = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}
ARRAY_OF_RANK_0 = {"allclose", "array_equal", "count_nonzero"}
"""Functions whose result NumPy hands to the host and CuPy does not."""


class Function:
    """A NumPy function that takes and gives StrictArrays, and so do a ufunc's methods."""

    def __init__(self, name: str, function: Callable[..., Any], allowed: tuple[str, ...]) -> None:
        self.name, self._function, self._allowed = name, function, allowed

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if isinstance(self._function, np.ufunc):
            refuse_lists(self.name, args)
        refuse_name(self.name, args)
        check_keywords(self.name, self._allowed, args, keywords)
        if self.name == "take":
            keywords = {"mode": "wrap", **keywords}  # CuPy's take has no other
        writes = [args[0]._array] if self.name in MUTATES_FIRST else []
        result = call(self.name, self._function, args, keywords, writes)
        if self.name in ARRAY_OF_RANK_0 and not isinstance(result, StrictArray):
            refuse_in_capture(f"{self.name} in this stand-in")
            return StrictArray(np.asarray(result))
        if self.name.startswith("empty"):
            garbage(result._array)
        return result

    def __getattr__(self, name: str) -> Any:
        if name == "at":
            return lambda array, *args: call(
                f"{self.name}.at", self._function.at, (array, *args), {}, [array._array]
            )
        if name in ("reduce", "accumulate", "reduceat", "outer"):
            function = getattr(self._function, name)
            return lambda *args, **keywords: call(f"{self.name}.{name}", function, args, keywords)
        raise AttributeError(f"cupy.{self.name} has no {name!r}")


class Generator:
    """A seeded generator whose numbers are born as StrictArrays, its state beside them."""

    def __init__(self, seed: Any = None) -> None:
        self._generator = np.random.default_rng(seed)

    def __getattr__(self, name: str) -> Any:
        if name not in GENERATOR:
            raise AttributeError(f"cupy.random.Generator has no {name!r}")

        def draw(*args: Any, **keywords: Any) -> Any:
            check_keywords(f"Generator.{name}", GENERATOR[name], args, keywords)
            if name == "uniform":
                refuse_in_capture("uniform, which copies its bounds to the device,")
            bits = self._generator.bit_generator
            before = bits.state if streams.recording() is not None else None
            writes = arrays_in(unwrap([keywords.get("out")]))
            plain = {key: unwrap(value) for key, value in keywords.items()}
            method = getattr(self._generator, name)
            made = compute(
                name, lambda *a, **k: np.asarray(method(*a, **k)), args, plain, [], writes
            )
            if before is not None:
                bits.state = before
            return wrap(np.asarray(made))

        return draw


class Namespace:
    """NumPy's functions, constants and types, as far as CuPy has them, for StrictArrays."""

    __name__ = "cupy"
    __version__ = "14.2.0"
    __spec__ = importlib.machinery.ModuleSpec("cupy", None)
    __path__: list[str] = []  # noqa: RUF012

    ndarray = StrictArray
    ElementwiseKernel, RawKernel = ElementwiseKernel, RawKernel
    random = types.SimpleNamespace(default_rng=Generator, Generator=Generator)
    standing_in = False
    """Whether ``import cupy`` gives this namespace."""

    erfc = Function(
        "erfc",
        lambda x: np.vectorize(math.erfc, otypes=[np.float64])(x).astype(x.dtype),
        ("out", "dtype"),
    )

    def __init__(self, module: Any, prefix: str = "") -> None:
        self._module, self._prefix = module, prefix

    @property
    def special(self) -> Any:
        """What CuPy does not have: it has ``cupyx.scipy.special``."""
        if self.standing_in:
            raise AttributeError("cupy has no 'special'; cupyx.scipy has")
        return types.SimpleNamespace(erfc=self.erfc)

    @property
    def cuda(self) -> Any:
        from tests.strict_array import cuda

        return cuda

    @staticmethod
    def get_default_memory_pool() -> memory.MemoryPool:
        return memory.DEFAULT

    def asarray(self, a: Any, dtype: Any = None, order: Any = None) -> StrictArray:
        """Copy a host array to the device; a StrictArray comes back as it is."""
        if isinstance(a, StrictArray):
            return a if dtype is None or dtype == a.dtype else a.astype(dtype)
        return self._from_host(a, dtype)

    def array(self, obj: Any, dtype: Any = None, copy: bool = True) -> StrictArray:
        """Copy a host array, or a StrictArray, into a new one."""
        if isinstance(obj, StrictArray):
            return obj.astype(obj.dtype if dtype is None else dtype, copy=copy)
        return self._from_host(obj, dtype)

    def _from_host(self, value: Any, dtype: Any) -> StrictArray:
        if arrays_in(getattr(value, "_array", None)) or _holds_strict(value):
            raise TypeError("asarray of a list of arrays: use stack")
        made = np.array(value, dtype=dtype)
        if made.dtype.char not in NUMBERS:
            raise ValueError(f"Unsupported dtype {made.dtype}")
        cross("to_device", f"asarray of {made.dtype} {made.shape}")
        return StrictArray(made)

    def asnumpy(self, a: Any, stream: Any = None, order: str = "C", out: Any = None) -> Any:
        """Copy to the host."""
        return a.get(out=out) if isinstance(a, StrictArray) else np.asarray(a)

    def __getattr__(self, name: str) -> Any:
        known = f"{self._prefix}{name}"
        if known in TYPES:
            return getattr(self._module, name)
        if known in SUBMODULES:
            return Namespace(getattr(self._module, name), f"{known}.")
        if known in UFUNCS or known in FUNCTIONS:
            return Function(known, getattr(self._module, name), FUNCTIONS.get(known, UFUNC))
        raise AttributeError(f"cupy has no {known!r}, or tests/strict_array/facts.py does not")


def _holds_strict(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_strict, value))
    return isinstance(value, StrictArray)


NAMESPACE = Namespace(np)


def to_strict(array: Any) -> StrictArray:
    """Copy a NumPy array into a StrictArray."""
    return NAMESPACE.asarray(np.asarray(array))
