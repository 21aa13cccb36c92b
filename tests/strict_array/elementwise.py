"""``ElementwiseKernel``: one thread an element, with CuPy's meaning of every parameter."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.strict_array.array import StrictArray, new_array
from tests.strict_array.compiling import library
from tests.strict_array.loop import Parameter, loop, parameters
from tests.strict_array.performing import launch


class ElementwiseKernel:
    """A loop over all elements, in an order that is nobody's business."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        *,
        options: tuple[str, ...] = (),
        loop_prep: str = "",
        after_loop: str = "",
    ) -> None:
        if not name.isidentifier():
            raise ValueError(f"invalid kernel name: {name!r}")
        self.in_params, self.out_params = parameters(in_params), parameters(out_params)
        self.params = self.in_params + self.out_params
        self.nin, self.nout, self.nargs = (
            len(self.in_params),
            len(self.out_params),
            len(self.params),
        )
        self.operation, self.name, self.__name__ = operation, name, name
        self.preamble, self.loop_prep, self.after_loop = preamble, loop_prep, after_loop
        self.no_return, self.return_tuple = no_return, return_tuple
        self._ran: set[Any] = set()

    def __call__(self, *args: Any, size: int = -1, block_size: int = 128) -> Any:
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(
                f"{self.name!r} takes {self.nin} arguments or {self.nargs}, not {len(args)}"
            )
        arrays = [self._array_or_none(p, a) for p, a in zip(self.params, args, strict=False)]
        plain = [
            a for p, a in zip(self.params, arrays, strict=False) if not p.raw and a is not None
        ]
        if size == -1 and not plain:
            raise ValueError("the loop's size is undecided")
        if size != -1 and plain:
            raise ValueError("size is only for kernels whose arrays are all raw")
        shape = np.broadcast_shapes(*(a.shape for a in plain)) if size == -1 else (size,)
        types = self._types(arrays)
        outs = self._outputs(args[self.nin :], shape, types, size)
        arrays[self.nin :] = [out._array for out in outs]
        scalars = {
            k: _scalar(value, np.dtype(types[p.type]), p)
            for k, (p, value) in enumerate(zip(self.in_params, args, strict=False))
            if arrays[k] is None
        }
        if 0 not in shape:
            self._launch(arrays, scalars, shape, types)
        if self.no_return:
            return None
        return outs[0] if self.nout == 1 and not self.return_tuple else tuple(outs)

    def _array_or_none(self, parameter: Parameter, value: Any) -> np.ndarray | None:
        if isinstance(value, StrictArray):
            return value._array
        if isinstance(value, bool | int | float | np.generic) and not parameter.raw:
            return None
        raise TypeError(
            f"{self.name!r}: {parameter.name} is a {type(value).__name__}, "
            "neither a device's array nor a number"
        )

    def _types(self, arrays: Sequence[np.ndarray | None]) -> dict[str, str]:
        """Return what each declared type is: letters are decided by arrays, outputs first."""
        types = {p.type: p.type for p in self.params if len(p.type) > 1}
        given = list(zip(self.params, arrays, strict=False))
        for parameter, array in given[self.nin :] + given[: self.nin]:
            if array is not None:
                known = types.setdefault(parameter.type, array.dtype.name)
                if np.dtype(known) != array.dtype:
                    raise TypeError(
                        f"{self.name!r}: {parameter.name} is {array.dtype}, "
                        f"{parameter.type} is {known}"
                    )
        for parameter in self.params:
            if parameter.type not in types:
                raise TypeError(f"{self.name!r}: no array decides what {parameter.type} is")
        return types

    def _outputs(
        self, given: Sequence[Any], shape: tuple[int, ...], types: dict[str, str], size: int
    ) -> list[StrictArray]:
        if not given:
            if size == -1 and any(p.raw for p in self.out_params):
                raise ValueError("the size of a raw output is undecided")
            return [new_array(shape, np.dtype(types[p.type])) for p in self.out_params]
        for parameter, out in zip(self.out_params, given, strict=True):
            if not isinstance(out, StrictArray):
                raise TypeError(f"{self.name!r}: output {parameter.name} must be an array")
            if not parameter.raw and out.shape != shape:
                raise ValueError(f"{self.name!r}: {parameter.name} is {out.shape}, not {shape}")
        return list(given)

    def _launch(
        self,
        arrays: list[np.ndarray | None],
        scalars: dict[int, np.ndarray],
        shape: tuple[int, ...],
        types: dict[str, str],
    ) -> None:
        placed = [
            a if a is None or p.raw else np.broadcast_to(a, shape, subok=False)
            for p, a in zip(self.params, arrays, strict=True)
        ]
        self._refuse_races(placed)
        ranks = tuple(None if a is None else a.ndim for a in placed)
        run = self._function(placed, scalars, shape, types)
        reads = [a for a in arrays[: self.nin] if a is not None]
        writes = [a for a in arrays[self.nin :] if a is not None]
        launch(self.name, run, reads, writes, first=self._is_first((ranks, *sorted(types.items()))))

    def _is_first(self, signature: Any) -> bool:
        if signature in self._ran:
            return False
        self._ran.add(signature)
        return True

    def _refuse_races(self, placed: Sequence[np.ndarray | None]) -> None:
        """Threads that write where others read, or all in one place, meet in any order."""
        outs = [(p, a) for p, a in zip(self.params, placed, strict=True) if p in self.out_params]
        for parameter, out in outs:
            if parameter.raw:
                continue
            if any(n > 1 and step == 0 for n, step in zip(out.shape, out.strides, strict=True)):
                raise ValueError(f"{self.name!r}: {parameter.name} writes one element many times")
            for other, array in zip(self.params, placed, strict=True):
                if array is None or other.raw or other is parameter or _same_place(array, out):
                    continue
                if np.shares_memory(array, out):
                    raise ValueError(
                        f"{self.name!r}: {other.name} overlaps {parameter.name} elsewhere than in "
                        "its own element: the order of the threads would decide"
                    )

    def _function(
        self,
        placed: Sequence[np.ndarray | None],
        scalars: dict[int, np.ndarray],
        shape: tuple[int, ...],
        types: dict[str, str],
    ) -> Callable[[], None]:
        compiled = library(loop(self, types, frozenset(scalars)))
        pointers = (ctypes.c_void_p * len(placed))(
            *(scalars[k].ctypes.data if a is None else a.ctypes.data for k, a in enumerate(placed))
        )
        numbers: list[int] = []
        for array in placed:
            if array is not None:
                numbers += [array.ndim, *array.shape, *array.strides]
        geometry = (ctypes.c_ssize_t * len(numbers))(*numbers)
        extent = (ctypes.c_ssize_t * max(len(shape), 1))(*shape)
        keep = (list(placed), scalars)

        def run() -> None:
            assert keep
            looped = getattr(compiled, self.name)
            looped(pointers, geometry, ctypes.c_ssize_t(len(shape)), extent)
            if compiled.kernel_fault():
                raise IndexError(f"{self.name!r} reached outside a raw array")

        return run


def _same_place(a: np.ndarray, b: np.ndarray) -> bool:
    return a.ctypes.data == b.ctypes.data and a.strides == b.strides and a.dtype == b.dtype


def _scalar(value: Any, dtype: np.dtype, parameter: Parameter) -> np.ndarray:
    """Return a number in a parameter's type, or raise TypeError where it is none of that type."""
    try:
        if isinstance(value, float | np.floating) and dtype.kind not in "f":
            raise OverflowError("a fraction")
        if dtype.kind == "b" and not isinstance(value, bool | np.bool_):
            raise OverflowError("a number")
        return np.array(value if isinstance(value, bool) else dtype.type(value), dtype=dtype)
    except OverflowError as error:
        raise TypeError(f"{parameter.name}: {value!r} is no {dtype} ({error})") from None
