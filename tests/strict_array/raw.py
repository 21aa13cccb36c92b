"""``RawKernel``: blocks of threads that share memory and wait for each other."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.strict_array.array import StrictArray
from tests.strict_array.compiling import C_TYPES, library
from tests.strict_array.performing import launch

SHARED = 48 * 1024
"""Bytes of shared memory that a block has without asking for more."""

_WORDS = {name: name for name in C_TYPES.values()} | {
    **{"ptrdiff_t": "long long", "size_t": "unsigned long long", "long": "long long"},
    **{"int64_t": "long long", "int32_t": "int", "uint64_t": "unsigned long long"},
    **{"uint32_t": "unsigned int", "unsigned": "unsigned int", "unsigned long": C_TYPES["uint64"]},
    **{"long long int": "long long", "unsigned long long int": C_TYPES["uint64"]},
}
_NUMPY = {c: name for name, c in C_TYPES.items()}


class RawKernel:
    """A function ``extern "C" __global__ void name(…)`` of concrete types."""

    def __init__(
        self,
        code: str,
        name: str,
        options: tuple[str, ...] = (),
        backend: str = "nvrtc",
        **_: Any,
    ) -> None:
        self.code, self.name = code, name
        self._parameters = _declared(code, name)
        self._ran: set[Any] = set()

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Any, *, shared_mem: int = 0
    ) -> None:
        extents = [_extent(grid, (2**31 - 1, 65535, 65535)), _extent(block, (1024, 1024, 64))]
        if np.prod(extents[1]) > 1024:
            raise ValueError(f"{self.name}: a block of {block} has more than 1,024 threads")
        if len(args) != len(self._parameters):
            raise TypeError(f"{self.name} takes {len(self._parameters)} arguments, not {len(args)}")
        held = [_argument(self.name, *p, a) for p, a in zip(self._parameters, args, strict=True)]
        compiled = library(_program(self.code, self.name, self._parameters))
        compiled.static_shared.restype = ctypes.c_size_t
        if compiled.static_shared() + shared_mem > SHARED:
            raise MemoryError(f"{self.name}: more than {SHARED} bytes of shared memory")
        pointers = (ctypes.c_void_p * max(len(held), 1))(*(a.ctypes.data for a in held))
        numbers = (ctypes.c_uint * 6)(*extents[0], *extents[1])

        def run() -> None:
            assert held
            if compiled.run(pointers, numbers, ctypes.c_size_t(shared_mem)):
                raise RuntimeError(f"{self.name}: threads wait for each other for ever")

        arrays = [
            (const, a)
            for (_, pointer, const), a in zip(self._parameters, held, strict=True)
            if pointer
        ]
        launch(
            self.name,
            run,
            [a for _, a in arrays],
            [a for const, a in arrays if not const],
            first=not self._ran,
        )
        self._ran.add(self.name)


def _declared(code: str, name: str) -> list[tuple[str, bool, bool]]:
    """Return (type in C, whether a pointer, whether to what is not written) for each parameter."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", " ", code, flags=re.S)
    pattern = rf'extern\s*"C"\s*__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?{name}\s*\('
    found = re.search(pattern + r"([^)]*)\)", code)
    if found is None:
        raise ValueError(f'no extern "C" __global__ void {name}(…) in the code')
    parameters = []
    for declared in filter(None, map(str.strip, found[1].split(","))):
        kind, _, _ = re.sub(r"\b(__restrict__|volatile)\b", " ", declared).rpartition(" ")
        pointer = "*" in declared
        const = bool(re.search(r"\bconst\b[^*]*\*", declared))
        if pointer:
            kind = declared.partition("*")[0]
        words = " ".join(re.sub(r"\bconst\b", " ", kind).split())
        if words not in _WORDS:
            raise TypeError(f"{name}: {declared!r} is none of {sorted(_WORDS)}")
        parameters.append((_WORDS[words], pointer, const))
    return parameters


def _argument(name: str, kind: str, pointer: bool, _: bool, value: Any) -> np.ndarray:
    """Return the array, or the number in an array; CuPy would hand on wrong bytes in silence."""
    wanted = np.dtype(_NUMPY[kind])
    if pointer:
        if not isinstance(value, StrictArray):
            raise TypeError(f"{name}: {kind} * was given a {type(value).__name__}")
        array = value._array
    elif isinstance(value, np.generic):
        array = np.asarray(value)
    elif isinstance(value, bool | int | float):
        array = np.array(value)  # CuPy too: bool, long long, double
    else:
        raise TypeError(f"{name}: {kind} was given a {type(value).__name__}")
    if array.dtype != wanted:
        raise TypeError(f"{name}: {kind}{' *' if pointer else ''} was given {array.dtype}")
    return array


def _extent(given: Sequence[int], largest: tuple[int, int, int]) -> tuple[int, ...]:
    extent = (*(int(n) for n in given), 1, 1, 1)[:3]
    if not isinstance(given, tuple) or any(
        not 1 <= n <= most for n, most in zip(extent, largest, strict=True)
    ):
        raise ValueError(f"invalid configuration: {given}")
    return extent


def _program(code: str, name: str, parameters: Sequence[tuple[str, bool, bool]]) -> str:
    dynamic = rf"alignas(16) static char dynamic_shared[{SHARED}];"
    code = re.sub(
        r"extern\s+__shared__\s+(?:__align__\(\d+\)\s*)?([\w ]+?)\s+(\w+)\s*\[\s*\]\s*;",
        r"\1 *\2 = (\1 *)dynamic_shared;",
        code,
    )
    given = ", ".join(
        f"({kind} *)*(void **)(given + {k})" if pointer else f"*({kind} *)given[{k}]"
        for k, (kind, pointer, _) in enumerate(parameters)
    )
    return f"""#include "cuda_like.h"
#include "cuda_block.h"
{dynamic}
{code}
static void **given;
static void body() {{ {name}({given}); }}
extern "C" int run(void **pointers, const unsigned *n, size_t dynamic) {{
  given = pointers;
  std::memset(dynamic_shared, 0xff, dynamic);
  return run_grid({{n[0], n[1], n[2]}}, {{n[3], n[4], n[5]}}, body);
}}
"""
