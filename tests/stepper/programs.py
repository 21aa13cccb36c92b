"""Random small programs, each with an interpreter of its own that never runs their source."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

Variables = dict[str, Any]
_numbers = itertools.count()


class Simple(NamedTuple):
    """A statement, what it assigns, and the same done by hand."""

    source: str
    target: str
    run: Callable[[Variables], None]


def put(name: str, compute: Callable[[Variables], Any]) -> Callable[[Variables], None]:
    def run(v: Variables) -> None:
        v[name] = compute(v)

    return run


def copy_into(name: str, where: Any, compute: Callable[[Variables], Any]):
    def run(v: Variables) -> None:
        v[name].__setitem__(where, compute(v))

    return run


SIMPLE = [
    Simple("a = b + 1.5", "a", put("a", lambda v: np.add(v["b"], 1.5))),
    Simple("b = a * n", "b", put("b", lambda v: np.multiply(v["a"], v["n"]))),
    Simple("a += b", "a", lambda v: v["a"].__iadd__(v["b"])),
    Simple("a[0] = n", "a", copy_into("a", 0, lambda v: v["n"])),
    Simple("b[:, 1] -= a[:, 0]", "b", lambda v: v["b"][:, 1].__isub__(v["a"][:, 0].copy())),
    Simple("v = a[1]", "v", put("v", lambda v: v["a"][1])),
    Simple("v += 1", "v", lambda v: v["v"].__iadd__(1)),
    Simple("w = v.copy()", "w", put("w", lambda v: np.array(v["v"]))),
    Simple("n = (n * 3 + 1) % 17", "n", put("n", lambda v: (v["n"] * 3 + 1) % 17)),
    Simple("n = n", "n", lambda v: None),
    Simple("m = float(n) / 2", "m", put("m", lambda v: float(v["n"]) / 2)),
    Simple(
        "b = np.where(\n    a > n,\n    a,\n    b,\n)",
        "b",
        put("b", lambda v: np.where(v["a"] > v["n"], v["a"], v["b"])),
    ),
    Simple(
        "a = np.array([\n    [x + n for x in row]\n    for row in b\n])",
        "a",
        put("a", lambda v: np.array([[x + v["n"] for x in row] for row in v["b"]])),
    ),
]


class Loop(NamedTuple):
    variable: str
    count: int
    body: list[Any]


class Expected(NamedTuple):
    line: int
    t: int | None
    targets: set[str]
    variables: Variables


def bodies(variables: str) -> st.SearchStrategy[list[Any]]:
    simple = st.sampled_from(SIMPLE)
    if not variables:
        return st.lists(simple, min_size=1, max_size=4)
    inner = st.builds(Loop, st.just(variables[0]), st.integers(0, 3), bodies(variables[1:]))
    return st.lists(simple | inner, min_size=1, max_size=5)


programs = bodies("ts")


def source_of(body: list[Any], indent: str = "    ") -> str:
    lines = []
    for node in body:
        if isinstance(node, Loop):
            lines.append(f"{indent}for {node.variable} in range({node.count}):")
            lines.append(source_of(node.body, indent + "    ").rstrip("\n"))
        else:
            lines += [indent + line for line in node.source.split("\n")]
    return "\n".join(lines) + "\n"


def interpret(body: list[Any], variables: Variables, first: int) -> list[Expected]:
    """Return what each executed line leaves; ``first`` is the line that the body begins in."""
    trace: list[Expected] = []

    def note(line: int, targets: set[str], t: int | None) -> None:
        kept = {k: np.array(x) if isinstance(x, np.ndarray) else x for k, x in variables.items()}
        trace.append(Expected(line, t, targets, kept))

    def run(nodes: list[Any], line: int, t: int | None) -> int:
        for node in nodes:
            if not isinstance(node, Loop):
                node.run(variables)
                note(line, {node.target}, t)
                line += node.source.count("\n") + 1
                continue
            over_time = node.variable == "t"
            for k in range(node.count):
                variables[node.variable] = k
                note(line, {node.variable}, k if over_time else t)
                run(node.body, line + 1, k if over_time else t)
            note(line, set(), t)
            line += source_of([node]).count("\n")
        return line

    run(body, first, None)
    return trace


def module(folder: Path, text: str) -> ModuleType:
    """Write a module and import it, under a name that was never used before."""
    name = f"stepper_program_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
