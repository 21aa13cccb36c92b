"""Expressions over rows as CUDA C: one block for each row, as many passes over it as it takes.

A reduction, a maximum or a sum along a row, needs a pass of all threads over the row before it and
everything that depends on it comes after it.  What belongs to a row is computed by every thread,
what belongs to an element in each pass that needs it, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from scratchnet.kernels.device.rows.expressions import NUMBER, REDUCTIONS, WIDE
from scratchnet.kernels.device.tracing.expressions import Expression, everything_in
from scratchnet.kernels.device.tracing.source import FORMS, statements

PREAMBLE = """#ifndef INFINITY
#define INFINITY __longlong_as_double(0x7ff0000000000000LL)
#endif
#ifndef NAN
#define NAN __longlong_as_double(0x7ff8000000000000LL)
#endif
typedef {T} T;
__device__ T larger(T a, T b) {{ return {maximum}; }}
__device__ T total(T a, T b) {{ return a + b; }}
"""

REDUCE = """__device__ T block_{name}(T mine, T *shared) {{
  shared[threadIdx.x] = mine;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {{
    if (threadIdx.x < half)
      shared[threadIdx.x] = {name}(shared[threadIdx.x], shared[threadIdx.x + half]);
    __syncthreads();
  }}
  const T all = shared[0];
  __syncthreads();
  return all;
}}
"""

COMBINED = {"row_max": ("larger", "T(-INFINITY)"), "row_sum": ("total", "T(0.0)")}
"""For each reduction how two are combined, and what it begins with."""

LOOP = "for (long long k = threadIdx.x; k < K; k += blockDim.x) {"


class Argument(NamedTuple):
    """What a symbol stands for: an array, or a number for all rows."""

    axes: str
    kind: str
    """Its type in C."""


def row_source(
    name: str,
    T: str,
    arguments: Mapping[str, Argument],
    outputs: Mapping[str, tuple[str, Expression]],
) -> str:
    """Return the code of a kernel.

    Its parameters are those symbols and outputs in order, then K.  A thread block has as many
    threads as a power of two, and room for a T each in shared memory.

    Parameters
    ----------
    T : {"float", "double"}
    outputs : mapping of str to (axes, Expression)
    """
    parameters = [
        f"const {kind} {key}" if axes == NUMBER else f"const {kind} *{key}"
        for key, (axes, kind) in arguments.items()
    ]
    parameters += [f"{T} *{key}" for key in outputs]
    writer = _Writer(arguments, [expression for _, expression in outputs.values()])
    writer.write(outputs)
    lines = "\n  ".join(writer.lines)
    preamble = PREAMBLE.format(T=T, maximum=FORMS["maximum"]("a", "b"))
    helpers = "".join(REDUCE.format(name=combine) for combine, _ in COMBINED.values())
    return f"""{preamble}{helpers}
extern "C" __global__ void {name}({", ".join(parameters)}, const long long K) {{
  extern __shared__ {T} shared[];
  const long long row = blockIdx.x, start = row * K;
  {lines}
}}
"""


class _Writer:
    """The statements of a kernel, pass by pass."""

    def __init__(self, arguments: Mapping[str, Argument], outputs: Iterable[Expression]) -> None:
        self.lines: list[str] = []
        self._arguments = arguments
        self._names: dict[int, str] = {}
        self._nodes = list(everything_in(outputs))
        self._wide: set[int] = set()
        self._passes: dict[int, int] = {}
        for node in self._nodes:
            reduces = node.operation in REDUCTIONS
            before = [self._passes[id(argument)] for argument in node.arguments]
            self._passes[id(node)] = max(before, default=0) + reduces
            if not reduces and node.operation != "pick" and self._is_wide(node):
                self._wide.add(id(node))

    def _is_wide(self, node: Expression) -> bool:
        if node.operation == "symbol":
            name, kind = node.value
            return kind == "column" or (kind != "columns" and self._arguments[name].axes == WIDE)
        return any(id(argument) in self._wide for argument in node.arguments)

    def write(self, outputs: Mapping[str, tuple[str, Expression]]) -> None:
        """Write every pass, then the outputs."""
        for number in range(max(self._passes.values()) + 1):
            now = [node for node in self._nodes if self._passes[id(node)] == number]
            self._reduce([node for node in now if node.operation in REDUCTIONS])
            for node in now:
                if id(node) not in self._wide and node.operation not in REDUCTIONS:
                    self._row_value(node)
        wide = {key: node for key, (axes, node) in outputs.items() if axes == WIDE}
        if wide:
            lines, names = self._elements(wide.values())
            written = [f"{key}[start + k] = {names[id(node)]};" for key, node in wide.items()]
            self.lines += [LOOP, *lines, *written, "}"]
        rest = {key: node for key, (_, node) in outputs.items() if key not in wide}
        if rest:
            written = [f"{key}[row] = {self._names[id(node)]};" for key, node in rest.items()]
            self.lines += ["if (threadIdx.x == 0) {", *written, "}"]

    def _reduce(self, reductions: list[Expression]) -> None:
        """Pass over the row for these at once."""
        if not reductions:
            return
        lines, names = self._elements(node.arguments[0] for node in reductions)
        partial = {id(node): f"mine{len(self._names) + k}" for k, node in enumerate(reductions)}
        for node in reductions:
            combine, first = COMBINED[node.operation]
            self.lines.append(f"T {partial[id(node)]} = {first};")
            mine, each = partial[id(node)], names[id(node.arguments[0])]
            lines.append(f"{mine} = {combine}({mine}, {each});")
        self.lines += [LOOP, *lines, "}"]
        for node in reductions:
            name = self._names[id(node)] = f"v{len(self._names)}"
            call = f"block_{COMBINED[node.operation][0]}({partial[id(node)]}, shared)"
            self.lines.append(f"const T {name} = {call};")

    def _row_value(self, node: Expression) -> None:
        """Write what belongs to the row and depends on what is there."""
        if node.operation == "pick":
            element, label = node.arguments
            lines, names = self._elements([element])
            name = self._names[id(node)] = f"picked{len(self._names)}"
            at = names[id(label)]
            self.lines += [f"T {name} = T(NAN);", f"if ({at} >= 0 && {at} < K) {{"]
            self.lines += [f"const long long k = {at};", *lines, f"{name} = {names[id(element)]};"]
            self.lines.append("}")
        else:
            self.lines += self._statements(node, self._names)

    def _elements(self, targets: Iterable[Expression]) -> tuple[list[str], dict[int, str]]:
        """Return what computes targets for column k, and names."""
        names = dict(self._names)
        lines: list[str] = []
        for node in everything_in(targets, given=self._names):
            lines += self._statements(node, names)
        return lines, names

    def _statements(self, node: Expression, names: dict[int, str]) -> list[str]:
        if node.operation != "symbol":
            return statements([node], names)
        key, kind = node.value
        if kind in ("column", "columns"):
            names[id(node)] = key
            return []
        axes, kind = self._arguments[key]
        if axes == NUMBER:
            names[id(node)] = f"T({key})"
            return []
        name = names[id(node)] = f"v{len(names)}"
        return [f"const {kind} {name} = {key}[{'start + k' if axes == WIDE else 'row'}];"]
