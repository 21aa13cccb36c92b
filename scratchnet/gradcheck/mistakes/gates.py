"""Gates that change places: in the order of the gradients' blocks, everywhere or in one array."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import Mistake, labels
from scratchnet.gradcheck.references import Built


def gate_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield every order that the gates' gradients may be put in instead of the right one."""
    weights = [e.start for e in labels(built, "weight", "bias") if "." in e.start]
    gates = list(dict.fromkeys(name.partition(".")[2] for name in weights))
    kinds = list(dict.fromkeys(name.partition(".")[0] for name in weights))
    groups: list[tuple[str, ...]] = [tuple(kinds), *((kind,) for kind in kinds)]
    for order in itertools.permutations(gates):
        taken = dict(zip(gates, order, strict=True))
        moved = [gate for gate in gates if taken[gate] != gate]
        if not moved:
            continue
        for side in _sides(kinds):
            yield _swapped(moved, taken, side, through=True)
        for group in groups if len(kinds) > 1 else groups[:1]:
            yield _swapped(moved, taken, group, through=False)


def _sides(kinds: list[str]) -> list[tuple[str, ...]]:
    """Return all parameters, and those beside x and beside h alone: GRUs have a da for each."""
    x_side = tuple(k for k in kinds if k in ("Wx", "bx"))
    h_side = tuple(k for k in kinds if k in ("Wh", "bh"))
    both = len(kinds) > 1 and x_side and h_side
    return [tuple(kinds), *([x_side, h_side] if both else [])]


def _swapped(
    moved: list[str], taken: dict[str, str], kinds: tuple[str, ...], through: bool
) -> Mistake:
    """Return the mistake that gate k's gradient stands in gate ``taken[k]``'s block."""

    def apply(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        right = built.gradients(upstream, _through(built, taken, kinds) if through else None)
        swapped = dict(right)
        for name in right:
            kind, _, gate = name.partition(".")
            if kind in kinds and gate in taken:
                swapped[f"{kind}.{taken[gate]}"] = right[name]
        return swapped

    names = " and ".join(moved) if len(moved) == 2 else ", ".join(moved)
    where = "d" + ", d".join(kinds) if not through else "the order of the gates' gradients"
    return Mistake(
        "gates-swapped",
        f"The gradients of gates {names} have changed places in {where}.",
        "the blocks of da in the order of the blocks of W and b",
        apply,
        ",".join(moved),
        "da" if through else f"d{kinds[0]}",
    )


def _through(
    built: Built, taken: dict[str, str], kinds: tuple[str, ...]
) -> Callable[[Edge, Array], Array | None]:
    """Return what takes every gate's gradient back through another gate's weights."""
    matrices = {node.name: node.value for node in built.graph.nodes if "." in node.name}

    def edit(e: Edge, d: Array) -> Array | None:
        if e.kind != "input":
            return None
        kind, _, gate = e.data["weight"].partition(".")
        return d @ matrices[f"{kind}.{taken[gate]}"].T if gate in taken and kind in kinds else None

    return edit
