"""Functions of the page that look along the last axis, each as one kernel with a block a row."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.kernels.device.rows.expressions import COLUMN, NUMBER, ONE, WIDE, Row
from scratchnet.kernels.device.rows.source import Argument, row_source
from scratchnet.kernels.device.tracing.expressions import UntraceableError, everything_in, symbol

C_TYPES = {
    "float32": "float", "float64": "double", "int32": "int", "int64": "long long", "bool": "bool",
}  # fmt: skip
MOST_THREADS = 512
FEWEST_THREADS = 32


class RowKernel:
    """One kernel for a function of arrays (…, K), of arrays (…) beside them, and of numbers.

    Parameters
    ----------
    function : callable
        Run once, with symbols.  Returns a `Row` or a tuple of them.
    arguments : tuple of Argument
    T : {"float", "double"}
    single : bool
        Whether K is 1.
    name : str
        What a profiler shows.

    Raises
    ------
    UntraceableError
        If the function does what no such kernel can.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: tuple[Argument, ...],
        T: str,
        single: bool,
        name: str,
    ) -> None:
        self.name, self.arguments = name, arguments
        named = {f"a{number}": argument for number, argument in enumerate(arguments)}
        try:
            result = function(*(_symbol(key, a, T, single) for key, a in named.items()))
        except (AttributeError, TypeError) as error:
            raise UntraceableError(f"what only arrays can do: {error}") from error
        self.returns_tuple = isinstance(result, tuple)
        rows = result if isinstance(result, tuple) else (result,)
        if not all(isinstance(row, Row) and row.axes != NUMBER for row in rows):
            raise UntraceableError("a function whose results are not arrays (…, K) or (…)")
        self.axes = [row.axes for row in rows]
        outputs = {f"out{k}": (row.axes, row.expression) for k, row in enumerate(rows)}
        nodes = everything_in(row.expression for row in rows)
        read = {node.value[0] for node in nodes if node.operation == "symbol"}
        self._read = [key in read for key in named]
        self.source = row_source(name, T, {k: a for k, a in named.items() if k in read}, outputs)
        self._compiled: dict[int, Any] = {}

    def __call__(self, *arguments: Any, threads: int | None = None) -> Any:
        """Return what the function does; ``threads`` a block, a power of two up to 1,024."""
        wide = arguments[[axes for axes, _ in self.arguments].index(WIDE)]
        xp, lead, columns = array_module(wide), wide.shape[:-1], wide.shape[-1]
        shapes = {WIDE: wide.shape, ONE: lead, COLUMN: (*lead, 1)}
        results = tuple(xp.empty(shapes[axes], dtype=wide.dtype) for axes in self.axes)
        if wide.size:
            threads = threads or _threads(columns)
            read = itertools.compress(arguments, self._read)
            given = (a if isinstance(a, float) else xp.ascontiguousarray(a) for a in read)
            self.compiled(xp)(
                (math.prod(lead),),
                (threads,),
                (*given, *results, columns),
                shared_mem=threads * wide.dtype.itemsize,
            )
        return results if self.returns_tuple else results[0]

    def compiled(self, xp: Any) -> Any:
        """Return the kernel of an array module."""
        found = self._compiled.get(id(xp))
        if found is None:
            found = self._compiled[id(xp)] = xp.RawKernel(self.source, self.name)
        return found


def by_rows(function: Callable[..., Any], *arguments: Any, key: Hashable = None) -> Any:
    """Return what a function of the page returns for arrays of a device, from one kernel.

    Parameters
    ----------
    function : callable
        Looks at no value, and along no axis but the last.
    *arguments : array or float
        Arrays (…, K), of which the last has the type of all that are floats; arrays (…) with one
        axis less; and numbers.
    key : hashable
        Says what the function does, where that is more than which function it is.

    Raises
    ------
    UntraceableError
        If it does what no such kernel can.
    """
    ndim = max(a.ndim for a in arguments if not isinstance(a, float))
    wide = next(a for a in reversed(arguments) if not isinstance(a, float) and a.ndim == ndim)
    kinds = tuple(_argument(a, wide) for a in arguments)
    traced = _Traced(key or function, kinds, wide.dtype.name, wide.shape[-1] == 1, function)
    return _kernel(traced)(*arguments)


@dataclass(frozen=True)
class _Traced:
    """What a kernel is made of; of the function only the key counts."""

    key: Hashable
    arguments: tuple[Argument, ...]
    dtype: str
    single: bool
    function: Callable[..., Any] = field(compare=False)


@functools.lru_cache(maxsize=256)
def _kernel(traced: _Traced) -> RowKernel:
    function = traced.function
    while isinstance(function, functools.partial):
        function = function.func
    name = "rows_" + re.sub(r"\W", "_", function.__name__, flags=re.ASCII)
    return RowKernel(traced.function, traced.arguments, C_TYPES[traced.dtype], traced.single, name)


def _argument(a: Any, wide: Array) -> Argument:
    if isinstance(a, float):
        return Argument(NUMBER, "double")
    if a.shape not in (wide.shape, wide.shape[:-1]) or a.dtype.name not in C_TYPES:
        raise UntraceableError(
            f"{a.dtype} of shape {a.shape} beside an array of shape {wide.shape}"
        )
    return Argument(WIDE if a.ndim == wide.ndim else ONE, C_TYPES[a.dtype.name])


def _symbol(name: str, argument: Argument, T: str, single: bool) -> Row:
    axes, kind = argument
    return Row(symbol(name, "T" if kind == T or axes == NUMBER else kind), axes, single)


def _threads(columns: int) -> int:
    """Return how many threads a row gets: no more than it has columns, in warps of 32."""
    return min(max(1 << (columns - 1).bit_length(), FEWEST_THREADS), MOST_THREADS)
