"""Mistakes inside one step: biases, softmax, lookups, masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import (
    Mistake,
    Wrong,
    edited,
    gate_of,
    labels,
    same,
    several,
)
from scratchnet.gradcheck.references import Built


def local_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield them for every operation of the graph."""
    yield from _bias_mistakes(built)
    for edge in labels(built, "softmax"):
        yield from _softmax_mistakes(edge)
    for edge in labels(built, "lookup"):
        yield from _lookup_mistakes(edge)
    if labels(built, "hold"):
        yield from _mask_mistakes()


def _bias_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield them for all biases together and for each."""
    biases = labels(built, "bias")
    groups = [[b] for b in biases] + ([biases] if len(biases) > 1 else [])
    by_name: dict[str, list[Edge]] = {}
    for b in biases:
        by_name.setdefault(b.start.partition(".")[0], []).append(b)
    groups += [group for group in by_name.values() if 1 < len(group) < len(biases)]
    for kind in by_name:
        yield from _joint_bias_mistakes(kind)
    for group in groups:
        equation = group[0].equation if len(group) == 1 else "db += da.sum(axis=0)"
        gate = gate_of(group[0].start) if len(group) == 1 else ""
        rows = next(len(node.value) for node in built.graph.nodes if node.name == "x")
        for what, wrong in _BIAS_SUMS.items():
            if wrong is _transposed_sum and np.size(group[0].to.value) != rows:
                continue  # another shape, which is seen before

            def edit(
                e: Edge, d: Array, group: list[Edge] = group, wrong: Wrong = wrong
            ) -> Array | None:
                return wrong(e, d) if any(same(e, b) for b in group) else None

            yield Mistake(
                "bias-axis", f"The bias's gradient is {what}.", equation, edited(edit), gate, "db"
            )


def _joint_bias_mistakes(kind: str) -> Iterator[Mistake]:
    """Yield what becomes of a bias whose gates' blocks are summed together."""
    for what, reduce in (("sum", np.sum), ("mean", np.mean)):

        def apply(
            built: Built, upstream: Mapping[str, Array], reduce: Callable[[Array], float] = reduce
        ) -> dict[str, Array]:
            right = built.gradients(upstream)
            blocks = [name for name in right if name.partition(".")[0] == kind]
            if not blocks:
                return right
            value = reduce(np.concatenate([right[name] for name in blocks]))
            return {**right, **{name: np.full_like(right[name], value) for name in blocks}}

        yield Mistake(
            "bias-axis",
            f"The bias's gradient is the {what} over all units of all gates: every entry is the "
            "same number.",
            "db += da.sum(axis=0)",
            apply,
            quantity="db",
        )


def _transposed_sum(edge: Edge, d: Array) -> Array:
    """Sum over the units, of which there are as many as rows."""
    return d.sum(axis=1)


_BIAS_SUMS: dict[str, Wrong] = {
    "summed over the units instead of the batch": _transposed_sum,
    "summed over everything, so that every unit gets the same number": lambda e, d: np.full(
        d.shape[1], d.sum()
    ),
    "that of the first row of the batch alone": lambda e, d: d[0],
    "that of the last row of the batch alone": lambda e, d: d[-1],
    "a mean over the units": lambda e, d: np.full(d.shape[1], d.sum(axis=0).mean()),
}


def _softmax_mistakes(edge: Edge) -> Iterator[Mistake]:
    p, a = edge.end, edge.start
    yield _one(
        "softmax-elementwise",
        f"d{a} is d{p} * p * (1 - p): that is the diagonal of the softmax's Jacobian alone; every "
        "output depends on every input.",
        edge,
        lambda e, d: d * e.data["p"] * (1 - e.data["p"]),
    )
    yield _one(
        "derivative-missing",
        f"d{a} is d{p} as it came: the softmax's own derivative is missing.",
        edge,
        lambda e, d: d,
    )
    yield _one(
        "softmax-elementwise",
        f"d{a} is p * d{p}: the part that every output has in common is missing.",
        edge,
        lambda e, d: d * e.data["p"],
    )
    yield _one("wrong-sign", f"d{a} has the wrong sign.", edge, lambda e, d: -e.pull(d))


def _lookup_mistakes(edge: Edge) -> Iterator[Mistake]:
    def last_use(e: Edge, d: Array) -> Array:
        dW = np.zeros_like(e.data["W"])
        dW[e.data["ids"]] = d
        return dW

    def averaged(e: Edge, d: Array) -> Array:
        counts = np.bincount(e.data["ids"].ravel(), minlength=len(e.data["W"]))
        return e.pull(d) / np.maximum(counts, 1)[:, None]

    yield _one(
        "last-use-only",
        "An id that occurs more than once gets the gradient of its last occurrence alone: "
        "dW[ids] += dy writes each row once, whatever is in ids twice.",
        edge,
        last_use,
    )
    yield _one(
        "constant-factor",
        "Each row's gradient is divided by how often its id occurs: they add up.",
        edge,
        averaged,
    )


def _mask_mistakes() -> Iterator[Mistake]:
    ignored = "At masked steps the gradient goes through the cell as if nothing were masked."
    equation = "dh_prev = dh where the step is masked, and nothing goes to the cell"
    ways: dict[str, Callable[[Edge, Array], Array | None]] = {
        ignored: lambda e, d: d if e.start.endswith("_new") else d * 0,
        "At masked steps the gradient goes through the cell and past it.": lambda e, d: (
            d if e.start.endswith("_new") else None
        ),
        "At masked steps the gradient stops: it should go on to the step before.": lambda e, d: (
            d * 0 if e.start.endswith("_prev") else None
        ),
    }
    for state in ("", "h", "c"):
        for explanation, wrong in ways.items():

            def edit(
                e: Edge,
                d: Array,
                wrong: Callable[[Edge, Array], Array | None] = wrong,
                state: str = state,
            ) -> Array | None:
                return wrong(e, d) if e.kind == "hold" and e.end in (state or "hc") else None

            where = f" This is so for d{state}." if state else ""
            yield Mistake(
                "mask-ignored",
                explanation + where,
                equation,
                edited(edit),
                quantity=f"d{state or 'h'}",
            )


def _one(id: str, explanation: str, chosen: Edge, wrong: Wrong) -> Mistake:
    """Return the mistake of one operation, at every time step."""
    return several(id, explanation, [chosen], wrong)
