"""An array that nothing can reach except through its own kind, and what CuPy's arrays can do."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tests.strict_array import streams
from tests.strict_array.facts import METHODS
from tests.strict_array.memory import arrays_in, garbage, take_in
from tests.strict_array.performing import compute, cross, refuse_in_capture

ATTRIBUTES = {"T", "shape", "ndim", "size", "dtype", "itemsize", "nbytes", "strides", "flags"}
"""What NumPy's and CuPy's arrays both have."""

MUTATING = {"fill": "overwritten", "sort": "read"}
"""Methods that write into their array, and whether they read it."""

THRUST = {"argsort", "argpartition", "lexsort", "partition", "sort", "unique"}
HOST_DECIDES = {"argwhere", "bincount", "compress", "flatnonzero", "nonzero", "unique"}
CUBLAS = {"dot", "einsum", "inner", "matmul", "tensordot", "vdot"}


class StrictArray:
    """A NumPy array that nothing can reach except through its own kind."""

    __array_ufunc__ = None  # NumPy's operators leave the operation to this class, which refuses
    __hash__ = None

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self._owner = take_in(array)
        streams.born(self._owner)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        from tests.strict_array.namespace import NAMESPACE

        return NAMESPACE

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("implicit copy from device to host: use to_host(array)")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was given a StrictArray: use array_module")

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return wrap(getattr(self._array, name))
        if name in METHODS:
            return lambda *args, **keywords: self._call(name, args, keywords)
        raise AttributeError(f"CuPy's array has no {name!r}, or METHODS of the facts does not")

    def _call(self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        refuse_name(name, args)
        check_keywords(f"ndarray.{name}", METHODS[name], args, keywords)
        if name in MUTATING:
            given = unwrap(args)
            reads = arrays_in([given, [self._array] if MUTATING[name] == "read" else []])
            method = getattr(np.ndarray, name)
            compute(name, method, (self._array, *given), keywords, reads, [self._array])
            return None
        if name == "take":
            keywords = {"mode": "wrap", **keywords}  # CuPy's take has no other
        return call(name, getattr(np.ndarray, name), (self, *args), keywords)

    @property
    def data(self) -> Any:
        """Where it lies."""
        return types.SimpleNamespace(ptr=self._array.ctypes.data, device_id=0)

    @property
    def device(self) -> Any:
        from tests.strict_array.cuda import Device

        return Device()

    def get(self, stream: Any = None, order: str = "C", out: Any = None) -> np.ndarray:
        """Copy to the host, having waited."""
        cross("to_host", f"get of {self._array.dtype} {self.shape}")
        found = compute("get", np.ndarray.copy, (self._array,), {}, [self._array])
        streams.waited_by_host(streams.current())
        if out is None:
            return found
        out[...] = found
        return out

    def set(self, array: np.ndarray, stream: Any = None) -> None:
        """Copy a host's array of the same shape and type into this one."""
        if not isinstance(array, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if array.dtype != self.dtype:
            raise TypeError(f"{array.dtype} array cannot be set to {self._array.dtype} array")
        if array.shape != self.shape:
            raise ValueError(f"Shape mismatch: {array.shape} set into {self.shape}")
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        cross("to_device", f"set of {self._array.dtype} {self.shape}")
        order = None if stream is None else stream._order
        streams.touch("set", [], [self._array], order)
        self._array[...] = array

    def item(self) -> Any:
        cross("to_host", f"a number of {self._array.dtype}")
        found = compute("item", np.ndarray.copy, (self._array,), {}, [self._array]).item()
        streams.waited_by_host(streams.current())
        return found

    def __getitem__(self, index: Any) -> StrictArray:
        plain = _index(index)
        reads = [self._array, *arrays_in([plain])]
        return wrap(compute("getitem", _get_item, (self._array, plain), {}, reads))

    def __setitem__(self, index: Any, value: Any) -> None:
        plain = _index(index)
        if arrays_in([plain]) and not isinstance(value, StrictArray):
            refuse_in_capture("writing a number to chosen places")
        given = unwrap(value)
        if isinstance(given, list | tuple):
            raise TypeError("a list is the host's: use asarray")
        reads = arrays_in([plain, given])
        compute("setitem", _set_item, (self._array, plain, given), {}, reads, [self._array])

    def __copy__(self) -> StrictArray:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> StrictArray:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        from tests.strict_array.namespace import to_strict

        return to_strict, (self.get(),)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[StrictArray]:
        return (wrap(row) for row in self._array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __repr__(self) -> str:
        return f"StrictArray({self._array!r})"


def new_array(shape: tuple[int, ...], dtype: np.dtype) -> StrictArray:
    """Return an array that holds what memory may hold."""
    array = np.empty(shape, dtype=dtype)
    garbage(array)
    return StrictArray(array)


def unwrap(value: Any) -> Any:
    """Return what NumPy computes with, having refused everything that came from NumPy itself."""
    if isinstance(value, StrictArray):
        return value._array
    if isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"a StrictArray met {type(value).__name__} {value!r}: use to_like")
    if isinstance(value, tuple | list):
        return type(value)(unwrap(item) for item in value)
    return value


def wrap(value: Any) -> Any:
    """Return a result as the namespace gives it; a sum over everything is an array of rank 0."""
    if isinstance(value, np.ndarray | np.generic):
        return StrictArray(np.asarray(value))
    if isinstance(value, tuple | list) and arrays_in(value):
        wrapped = [wrap(item) for item in value]
        return wrapped if isinstance(value, list) else tuple(wrapped)
    return value


def call(
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    keywords: dict[str, Any],
    writes: Sequence[np.ndarray] = (),
) -> Any:
    """Return a function's results for StrictArrays; ``out`` is written and not read."""
    plain = {key: unwrap(value) for key, value in keywords.items()}
    given = unwrap(tuple(args))
    inputs = {key: value for key, value in plain.items() if key != "out"}
    written = [*arrays_in(plain.get("out")), *writes]
    reads = given
    if isinstance(function, np.ufunc):
        reads, written = given[: function.nin], written + arrays_in(given[function.nin :])
    return wrap(compute(name, function, given, plain, arrays_in((reads, inputs)), written))


def refuse_name(name: str, args: Sequence[Any]) -> None:
    """Raise for what CuPy cannot do while a stream captures."""
    if name in CUBLAS:
        refuse_in_capture(
            "calling cuBLAS API during stream capture is currently unsupported",
            NotImplementedError,
        )
    if name in THRUST or name in HOST_DECIDES:
        refuse_in_capture(f"{name}, for which CuPy waits for the device")
    if args and isinstance(args[0], list | tuple) and len(args[0]) > 8:
        refuse_in_capture(f"{name} of more than 8 arrays, whose addresses CuPy copies to a device")


def check_keywords(
    name: str, allowed: Sequence[str], args: Sequence[Any], keywords: dict[str, Any]
) -> None:
    """Raise TypeError for a keyword that CuPy's function does not take."""
    for keyword in keywords:
        if keyword not in allowed and "**" not in allowed:
            raise TypeError(f"cupy's {name} takes no {keyword!r}: {', '.join(allowed)}")


def _index(index: Any) -> Any:
    """Return NumPy's index, having refused what the host would have to know."""
    for item in index if isinstance(index, tuple) else [index]:
        if isinstance(item, list):
            cross("to_device", "a list as an index")
        if isinstance(item, StrictArray) and item.dtype.kind == "b":
            refuse_in_capture("an index of true and false, whose count the host must know")
    return unwrap(index)


def _get_item(array: np.ndarray, index: Any) -> Any:
    return array[_inside(index, array.shape)]


def _set_item(array: np.ndarray, index: Any, value: Any) -> None:
    array[_inside(index, array.shape)] = value


def _inside(index: Any, shape: tuple[int, ...]) -> Any:
    """Let whole numbers in arrays that are outside an axis come in at its other end, as in CuPy."""
    items = list(index) if isinstance(index, tuple) else [index]
    if not arrays_in(items):
        return index
    axis = 0
    for place, item in enumerate(items):
        if item is Ellipsis:
            axis = len(shape) - sum(_axes(later) for later in items[place + 1 :])
        elif isinstance(item, np.ndarray) and item.dtype.kind in "iu" and axis < len(shape):
            items[place] = item % shape[axis] if shape[axis] else item
        axis += _axes(item)
    return tuple(items) if isinstance(index, tuple) else items[0]


def _axes(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1
