"""An array that refuses to meet NumPy, to prove without a device that code would run on one.

It stands for a GPU's array where there is no GPU.  What a device allows it allows: arithmetic with
arrays of its own kind and with Python numbers, functions of its own namespace, reading one number
with ``float``, ``int`` or ``bool``.  What would be a copy between host and device, or an error
there, is a TypeError here: a NumPy function, operand, scalar, index or value.  The two explicit
ways across are those `scratchnet.backend` uses, ``namespace.asarray(host_array)`` and
``array.get()``::

    from tests.strict_array import StrictArray, to_strict

    x = to_strict(host_x)
    y = sigmoid(x)                      # a StrictArray, or a TypeError that names the culprit
    assert_agrees(to_host(y), sigmoid(host_x), 0)
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

ATTRIBUTES = {"T", "shape", "ndim", "size", "dtype", "itemsize", "nbytes"}
METHODS = {
    *("all", "any", "argmax", "argmin", "argsort", "astype", "clip", "copy", "cumsum", "dot"),
    *("fill", "flatten", "max", "mean", "min", "prod", "ravel", "repeat", "reshape", "round"),
    *("sort", "squeeze", "std", "sum", "swapaxes", "take", "transpose", "var", "view"),
}
"""What NumPy's and CuPy's arrays both have."""

GENERATOR_METHODS = {"integers", "random", "standard_normal", "uniform"}
"""What NumPy's and CuPy's generators both have: no ``permutation``, no ``shuffle``."""

HOST_ONLY = {"errstate", "frombuffer", "fromiter", "geterr", "nditer", "seterr", "vectorize"}
"""What a device has no counterpart of."""


def to_strict(array: Any) -> StrictArray:
    """Copy a NumPy array into a StrictArray."""
    return NAMESPACE.asarray(np.asarray(array))


class StrictArray:
    """A NumPy array that nothing can reach except through its own kind."""

    __array_ufunc__ = None  # NumPy's operators leave the operation to this class, which refuses

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __array_namespace__(self, api_version: str | None = None) -> Namespace:
        return NAMESPACE

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("implicit copy from device to host: use to_host(array)")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was given a StrictArray: use array_module")

    def get(self) -> np.ndarray:
        return self._array.copy()

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return _wrap(getattr(self._array, name))
        if name in METHODS:
            return _Function(getattr(self._array, name))
        raise AttributeError(f"StrictArray has no {name!r}; see METHODS in tests/strict_array.py")

    def item(self) -> Any:
        return self._array.item()

    def __getitem__(self, index: Any) -> StrictArray:
        return _wrap(self._array[_unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[_unwrap(index)] = _unwrap(value)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[StrictArray]:
        return (_wrap(row) for row in self._array)

    def __float__(self) -> float:
        return float(self._array.item())

    def __int__(self) -> int:
        return int(self._array.item())

    def __bool__(self) -> bool:
        return bool(self._array.item())

    def __repr__(self) -> str:
        return f"StrictArray({self._array!r})"

    __hash__ = None


def _unwrap(value: Any) -> Any:
    """Return what NumPy computes with, having refused everything that came from NumPy itself."""
    if isinstance(value, StrictArray):
        return value._array
    if isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"a StrictArray met {type(value).__name__} {value!r}: use to_like")
    if isinstance(value, tuple | list):
        return type(value)(_unwrap(item) for item in value)
    return value


def _wrap(value: Any) -> Any:
    """Return a result as the namespace gives it; a sum over everything is an array of rank 0."""
    if isinstance(value, np.ndarray | np.generic):
        return StrictArray(np.asarray(value))
    if isinstance(value, tuple | list):
        wrapped = [_wrap(item) for item in value]
        return wrapped if isinstance(value, list) else tuple(wrapped)
    return value


class _Function:
    """A NumPy function or method that takes and gives StrictArrays, and so does its ``.at``."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        unwrapped = {name: _unwrap(value) for name, value in kwargs.items()}
        return _wrap(self._function(*_unwrap(args), **unwrapped))

    def __getattr__(self, name: str) -> _Function:
        return _Function(getattr(self._function, name))


class _Generator:
    """A seeded generator whose numbers are born as StrictArrays."""

    def __init__(self, seed: Any = None) -> None:
        self._generator = np.random.default_rng(seed)

    def __getattr__(self, name: str) -> _Function:
        if name not in GENERATOR_METHODS:
            raise AttributeError(f"a device's generator has no {name!r}")
        return _Function(getattr(self._generator, name))


class Namespace:
    """NumPy's functions, constants and types, for StrictArrays."""

    random = types.SimpleNamespace(default_rng=_Generator)
    special = types.SimpleNamespace(
        erfc=_Function(lambda x: np.vectorize(math.erfc, otypes=[np.float64])(x).astype(x.dtype))
    )

    def __init__(self, module: Any) -> None:
        self._module = module

    def asarray(self, value: Any, dtype: Any = None) -> StrictArray:
        """Copy a host array to the device; a StrictArray comes back as it is."""
        if isinstance(value, StrictArray):
            return value if dtype is None or dtype == value.dtype else value.astype(dtype)
        return StrictArray(np.array(value, dtype=dtype))

    def array(self, value: Any, dtype: Any = None) -> StrictArray:
        """Copy a host array, or a StrictArray, into a new one."""
        return StrictArray(np.array(getattr(value, "_array", value), dtype=dtype))

    def __getattr__(self, name: str) -> Any:
        if name in HOST_ONLY:
            raise AttributeError(f"a device's namespace has no {name!r}")
        found = getattr(self._module, name)
        if isinstance(found, types.ModuleType):
            return Namespace(found)
        return _Function(found) if callable(found) and not isinstance(found, type) else found


NAMESPACE = Namespace(np)


def _give_operators() -> None:
    """Define ``+``, ``-``, … , their reflections and their in-place forms."""
    binary = (
        *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "divmod"),
        *("and", "or", "xor", "lshift", "rshift"),
    )
    for name in binary:
        function = divmod if name == "divmod" else getattr(operator, f"__{name}__")
        setattr(StrictArray, f"__{name}__", lambda a, b, f=function: _Function(f)(a, b))
        setattr(StrictArray, f"__r{name}__", lambda a, b, f=function: _Function(f)(b, a))
        if name != "divmod":
            setattr(StrictArray, f"__i{name}__", _in_place(getattr(operator, f"__i{name}__")))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        function = getattr(operator, name)
        setattr(StrictArray, f"__{name}__", lambda a, b, f=function: _Function(f)(a, b))
    for name in ("neg", "pos", "abs", "invert"):
        function = getattr(operator, f"__{name}__")
        setattr(StrictArray, f"__{name}__", lambda a, f=function: _Function(f)(a))


def _in_place(function: Callable[..., Any]) -> Callable[[StrictArray, Any], StrictArray]:
    def operate(self: StrictArray, other: Any) -> StrictArray:
        function(self._array, _unwrap(other))
        return self

    return operate


_give_operators()
