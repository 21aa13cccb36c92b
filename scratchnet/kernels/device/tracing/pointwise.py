"""Kernels with one thread for each element, from functions of the page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.kernels.device.tracing.expressions import (
    Expression,
    Operators,
    everything_in,
    symbol,
)
from scratchnet.kernels.device.tracing.source import body


class PointwiseKernel:
    """One kernel that computes ``outputs`` from the symbols in them, element by element.

    Parameters
    ----------
    name : str
        What a profiler shows.
    outputs : mapping of str to Expression
        An output whose name is that of a symbol is read and written in place.

    Attributes
    ----------
    inputs : list of str
        The names of the symbols that are read, in the order of the kernel's parameters.
    """

    def __init__(self, name: str, outputs: Mapping[str, Expression]) -> None:
        self.name, self.outputs = name, dict(outputs)
        symbols = (node for node in everything_in(outputs.values()) if node.operation == "symbol")
        kinds: dict[str, str] = dict(node.value for node in symbols)
        self.inputs = [key for key in kinds if key not in outputs]
        self._parameters = ", ".join(f"{kinds[key]} {key}" for key in self.inputs)
        self._results = ", ".join(f"T {key}" for key in outputs)
        self.body = body(outputs)
        self._compiled: dict[int, Any] = {}

    def __call__(self, arrays: Mapping[str, Any], outputs: Mapping[str, Array]) -> None:
        """Write the outputs; ``arrays`` may hold more than is needed, and Python numbers."""
        results = [outputs[key] for key in self.outputs]
        self.compiled(array_module(results[0]))(*(arrays[key] for key in self.inputs), *results)

    def compiled(self, xp: Any) -> Any:
        """Return the kernel of an array module, to be called with inputs and outputs in order."""
        found = self._compiled.get(id(xp))
        if found is None:
            found = xp.ElementwiseKernel(self._parameters, self._results, self.body, self.name)
            self._compiled[id(xp)] = found
        return found


def fused(function: Callable[..., Any], *arrays: Array) -> Array:
    """Return what a function of the page returns for arrays of a device, in one kernel.

    The function works element by element and looks at no value.
    """
    kernel = _traced(function, len(arrays))
    out = array_module(arrays[0]).empty_like(arrays[0])
    kernel({f"a{k}": array for k, array in enumerate(arrays)}, {"out": out})
    return out


@functools.lru_cache(maxsize=256)
def _traced(function: Callable[..., Any], count: int) -> PointwiseKernel:
    result = function(*(symbol(f"a{k}") for k in range(count)))
    assert isinstance(result, Operators)
    bare = function.func if isinstance(function, functools.partial) else function
    return PointwiseKernel(f"page_{bare.__name__}", {"out": result.expression})  # CUDA has a tanh
