"""An ElementwiseKernel's parameters, and its code in C++."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.strict_array.compiling import c_type


class Parameter(NamedTuple):
    """``raw T x``: a letter stands for a type that an array decides."""

    type: str
    name: str
    raw: bool


def parameters(declared: str) -> tuple[Parameter, ...]:
    found = []
    for declaration in declared.strip().split(",") if declared.strip() else ():
        *words, kind, name = declaration.split()
        if words not in ([], ["raw"]):
            raise ValueError(f"unknown keyword in {declaration!r}")
        if name == "i":
            raise ValueError("cannot use 'i' as a parameter's name")
        if len(kind) > 1:
            c_type(np.dtype(kind))
        found.append(Parameter(kind, name, bool(words)))
    return tuple(found)


def loop(kernel: Any, types: dict[str, str], scalars: frozenset[int]) -> str:
    """Write the loop, backwards: nothing may rely on the threads' order."""
    letters = "".join(
        f"typedef {c_type(np.dtype(name))} {letter};\n"
        for letter, name in sorted(types.items())
        if len(letter) == 1
    )
    opened, elements = [], []
    for k, p in enumerate(kernel.params):
        kind = c_type(np.dtype(types[p.type]))
        const = "const " if k < kernel.nin else ""
        if k in scalars:
            opened.append(f"const {kind} {p.name} = *({kind} *)pointers[{k}];")
            continue
        name = p.name if p.raw else f"_raw_{p.name}"
        opened.append(
            f"{const}CArray<{kind}> {name}(pointers[{k}], g[0], g + 1, g + 1 + g[0]); "
            "g += 1 + 2 * g[0];"
        )
        if not p.raw:
            elements.append(f"{const}{kind} &{p.name} = {name}[_ind.get()];")
    newline = "\n  "
    return f"""#include "cuda_like.h"
{letters}{kernel.preamble}
extern "C" void {kernel.name}(
    void **pointers, const ptrdiff_t *g, ptrdiff_t ndim, const ptrdiff_t *shape) {{
  {newline.join(opened)}
  CIndexer _ind(ndim, shape);
  {kernel.loop_prep};
  for (ptrdiff_t i = _ind.size(); --i >= 0;) {{
    _ind.set(i);
    {newline.join(elements)}
    {kernel.operation};
  }}
  {kernel.after_loop};
}}
"""
