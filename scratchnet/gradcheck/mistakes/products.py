"""Mistakes in products: a path left out, the wrong operand, the wrong sign, no transpose."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import Apply, Mistake, edited, gate_of, labels, same
from scratchnet.gradcheck.references import Built

Chosen = Callable[[Edge], bool]

GATES = ("i", "f", "o", "z", "r")
"""Gates that a person may take one minus of."""


def product_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield them for every product of the graph, elementwise or of matrices."""
    for edge in labels(built, "product"):
        yield from _lost_terms(edge)
        yield from _wrong_factors(built, edge)
    yield from _exchanged_factors(built)
    yield from _joint_ways_back(built)
    for edge in labels(built, "input"):
        yield from _wrong_ways_back(built, edge)
    for group in weight_groups(built):
        yield from _wrong_weight_gradients(built, group)
    yield from _single_terms(built)


def _lost_terms(edge: Edge) -> Iterator[Mistake]:
    end, start, other = edge.label
    term = f"d{end}" + (f" * {other}" * bool(other))
    gate, quantity = gate_of(start), f"d{start}"

    def mistake(id: str, explanation: str, at: Chosen, sign: float) -> Mistake:
        def edit(e: Edge, d: Array) -> Array | None:
            return sign * e.pull(d) if same(e, edge) and at(e) else None

        return Mistake(id, explanation, edge.equation, edited(edit), gate, quantity)

    if start != "c_prev":  # the carry has a name of its own
        lost = f"{term} is left out of d{start}: one of the ways back from {end} is lost."
        yield mistake("path-lost", lost, lambda e: True, 0.0)
        if start.endswith("_prev"):
            lost = f"{term} of step t+1 is not added to dh: one of the ways back is lost."
            yield mistake("path-lost", lost, lambda e: e.t > 0, 0.0)
    wrong = f"{term} comes into d{start} with the wrong sign."
    yield mistake("wrong-sign", wrong, lambda e: True, -1.0)


def _wrong_factors(built: Built, edge: Edge) -> Iterator[Mistake]:
    end, start, other = edge.label
    if not other:
        return
    gate, quantity = gate_of(start), f"d{start}"
    for name in (*operands(built, edge.data["factor"]), ""):
        if name == other.strip("()"):
            continue

        def apply(
            built: Built, upstream: Mapping[str, Array], name: str = name
        ) -> dict[str, Array]:
            def edit(e: Edge, d: Array) -> Array | None:
                if not same(e, edge):
                    return None
                factor = value(built, e.t, name) if name else 1.0
                return -d * factor if e.data["minus"] else d * factor

            return built.gradients(upstream, edit)

        used = f"d{end} * " + (f"({name})" if " - " in name else name) if name else f"d{end} alone"
        yield Mistake(
            "state-unshifted" if unshifted(name, other) else "wrong-operand",
            f"d{start} is made from {used}: {name or 'it'} stands where {other} is meant."
            if name
            else f"d{start} is {used}: the factor {other} is missing.",
            *(edge.equation, apply, gate, quantity),
        )


def _exchanged_factors(built: Built) -> Iterator[Mistake]:
    """Yield what is wrong where two gates of one result have each other's factor."""
    products = [e for e in labels(built, "product") if gate_of(e.start) and e.data["other"]]
    for one, other in itertools.combinations(products, 2):
        if gate_of(one.start) == gate_of(other.start) or one.data["other"] == other.data["other"]:
            continue

        def apply(
            built: Built, upstream: Mapping[str, Array], one: Edge = one, other: Edge = other
        ) -> dict[str, Array]:
            def edit(e: Edge, d: Array) -> Array | None:
                for mine, theirs in ((one, other), (other, one)):
                    if same(e, mine):
                        factor = value(built, e.t, theirs.data["other"])
                        return -d * factor if e.data["minus"] else d * factor
                return None

            return built.gradients(upstream, edit)

        yield Mistake(
            "gates-swapped",
            f"d{one.start} and d{other.start} have changed places: d{one.start} is made from "
            f"{other.data['other']}, d{other.start} from {one.data['other']}.",
            f"{one.equation}; {other.equation}",
            *(apply, f"{one.start},{other.start}", f"d{one.start}"),
        )


def _joint_ways_back(built: Built) -> Iterator[Mistake]:
    """Yield what is wrong with all gates' terms of one gradient together."""
    by_weight: dict[tuple[str, str], list[Edge]] = {}
    for edge in labels(built, "input"):
        by_weight.setdefault((edge.start, edge.data["weight"].partition(".")[0]), []).append(edge)
    for (start, weight), group in by_weight.items():
        if len(group) < 2:
            continue
        W, equation = group[0].data["W"], f"d{start} = da @ {weight}.T"

        def edit(e: Edge, d: Array, group: list[Edge] = group) -> Array | None:
            return d @ e.data["W"] if any(same(e, one) for one in group) else None

        def nothing(e: Edge, d: Array, group: list[Edge] = group) -> Array | None:
            return 0 * e.pull(d) if any(same(e, one) for one in group) else None

        if W.shape[0] == W.shape[1]:
            yield Mistake(
                "weights-transposed",
                f"d{start} is da @ {weight}: going back, the weights are transposed.",
                *(equation, edited(edit)),
                quantity=f"d{start}",
            )
        yield Mistake(
            "path-lost",
            f"da @ {weight}.T is left out of d{start}: the ways back through the gates are lost.",
            *(equation, edited(nothing)),
            quantity=f"d{start}",
        )


def _wrong_ways_back(built: Built, edge: Edge) -> Iterator[Mistake]:
    end, start, weight = edge.label
    W, gate, quantity = edge.data["W"], gate_of(end), f"d{start}"
    name = weight.replace(".", "_")

    def mistake(id: str, explanation: str, wrong: Callable[[Edge, Array], Array]) -> Mistake:
        def edit(e: Edge, d: Array) -> Array | None:
            return wrong(e, d) if same(e, edge) else None

        return Mistake(id, explanation, edge.equation, edited(edit), gate, quantity)

    yield mistake(
        "path-lost", f"d{end} @ {name}.T is left out of d{start}.", lambda e, d: d @ (0 * W.T)
    )
    yield mistake(
        "wrong-sign", f"d{end} @ {name}.T comes into d{start} with the wrong sign.",
        lambda e, d: -e.pull(d),
    )  # fmt: skip
    if W.shape[0] == W.shape[1]:
        yield mistake(
            "weights-transposed",
            f"d{start} is d{end} @ {name}: going back, the weights are transposed.",
            lambda e, d: d @ e.data["W"],
        )
    for other in labels(built, "input"):
        if other.label != edge.label and other.start == start:
            yield Mistake(
                "wrong-operand",
                f"d{start} takes d{end} back through {other.data['weight'].replace('.', '_')}: it "
                f"came through {name}.",
                edge.equation,
                _through(edge, other.data["weight"]),
                gate,
                quantity,
            )


def _through(edge: Edge, weight: str) -> Apply:
    """Return a backward pass whose ``edge`` uses another matrix of the same graph."""

    def apply(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        W = next(n.value for n in built.graph.nodes if n.name == weight)
        return built.gradients(upstream, lambda e, d: d @ W.T if same(e, edge) else None)

    return apply


def weight_groups(built: Built) -> list[list[Edge]]:
    """Return the edges to each weight, and those to all gates' of a kind: joint matrices."""
    edges = labels(built, "weight")
    by_name: dict[str, list[Edge]] = {}
    for edge in edges:
        by_name.setdefault(edge.start.partition(".")[0], []).append(edge)
    joint = [group for group in by_name.values() if len(group) > 1]
    return joint + [[edge] for edge in edges]


def _wrong_weight_gradients(built: Built, group: list[Edge]) -> Iterator[Mistake]:
    one = group[0]
    called = one.data["input"]
    end, weight = (one.end, one.start) if len(group) == 1 else ("a", one.start.partition(".")[0])
    gate, name = (gate_of(end) if len(group) == 1 else ""), weight.replace(".", "_")
    equation = f"d{name} += {called}.T @ d{end}"
    for other in operands(built, one.data["s"]):
        if other == called:
            continue

        def apply(
            built: Built, upstream: Mapping[str, Array], other: str = other
        ) -> dict[str, Array]:
            def edit(e: Edge, d: Array) -> Array | None:
                if not any(same(e, g) for g in group) or e.data["input"] != called:
                    return None
                return value(built, e.t, other).T @ d

            return built.gradients(upstream, edit)

        yield Mistake(
            "state-unshifted" if unshifted(other, called) else "wrong-operand",
            f"d{name} is made from {other}.T @ d{end}: {other} stands where {called} is meant.",
            *(equation, apply, gate, f"d{name}"),
        )


def _single_terms(built: Built) -> Iterator[Mistake]:
    """Yield "`=` for `+=`" where several gates' terms meet in one gradient."""
    meeting: dict[str, list[Edge]] = {}
    for edge in labels(built, "input", "product"):
        meeting.setdefault(edge.start, []).append(edge)
    for start, edges in meeting.items():
        if len(edges) < 2 or start == "c_prev":
            continue
        for kept in edges:

            def edit(
                e: Edge, d: Array, kept: Edge = kept, edges: list[Edge] = edges
            ) -> Array | None:
                lost = not same(e, kept) and any(same(e, one) for one in edges)
                return 0 * e.pull(d) if lost else None

            yield Mistake(
                "last-use-only",
                f"d{start} has only the term from d{kept.end}: the others were overwritten, `=` "
                "where `+=` is meant.",
                " + ".join(one.equation.split("=", 1)[1].strip() for one in edges),
                edited(edit),
                quantity=f"d{start}",
            )


def operands(built: Built, like: Array) -> list[str]:
    """Return the names of a step's values that have this shape, of the step before included."""
    graph = built.graph
    now, before = graph.values(0), graph.values(-1)
    names = [name for name, array in now.items() if np.shape(array) == np.shape(like)]
    names += [f"1 - {name}" for name in names if name in GATES]
    states = [
        f"{name}_prev"
        for name in ("h", "c")
        if name in before and before[name].shape == np.shape(like)
    ]
    return [n for n in names if not n.startswith("mask")] + states


def value(built: Built, t: int, name: str) -> Array:
    """Return a value of a step by the name that it has there (``h_prev`` is h of t-1)."""
    graph = built.graph
    name = name.strip("()")
    if name.startswith("1 - "):
        return 1 - value(built, t, name.removeprefix("1 - "))
    if name.endswith("_prev"):
        return graph.values(t - 1)[name.removesuffix("_prev")]
    return graph.values(t)[name]


def unshifted(used: str, meant: str) -> bool:
    """Return whether two names are the same state at different steps."""
    return used.removesuffix("_prev") == meant.removesuffix("_prev")
