"""Mistakes in the slope of an activation: missing, twice, another's, at the wrong place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import Mistake, Wrong, gate_of, labels, same, several
from scratchnet.gradcheck.references import PAIRS, Built


def slope_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield them for every activation, and for all of a kind together."""
    for group in _activation_groups(built):
        yield from _activation_mistakes(group)
    yield from _neighbours_slopes(built)
    yield from _earlier_slopes(built)
    yield from _slopes_left_out(built)


def _activation_groups(built: Built) -> list[list[Edge]]:
    """Return each activation, and all of a kind together: code often has one line for those."""
    edges = labels(built, "activation")
    by_name: dict[str, list[Edge]] = {}
    for edge in edges:
        by_name.setdefault(edge.data["name"], []).append(edge)
    return [[edge] for edge in edges] + [group for group in by_name.values() if len(group) > 1]


def _activation_mistakes(group: list[Edge]) -> Iterator[Mistake]:
    edge = group[0]
    name, y, a = edge.data["name"], edge.end, edge.start
    slope = edge.data["derivative"]
    if len(group) > 1:
        a, y = "a", "y"
        slope = PAIRS[name][1].format(a=a, y=y)

    def mistake(id: str, explanation: str, wrong: Wrong) -> Mistake:
        ends = ", ".join(e.end for e in group)
        return several(id, explanation + f" (in {ends})" * (len(group) > 1), group, wrong)

    if name == "linear":
        return
    yield mistake(
        "derivative-missing",
        f"d{a} is d{y} as it came: the slope {slope} is missing.",
        lambda e, d: d,
    )
    if name != "relu":  # whose slope is 0 or 1
        yield mistake(
            "derivative-twice",
            f"d{a} is multiplied by the slope {slope} twice.",
            lambda e, d: e.pull(e.pull(d)),
        )
        at_a, at_y = (PAIRS[name][1].format(y=v) for v in (a, f"{name}({y})"))
        yield mistake(
            "derivative-at-output",
            f"The slope of {name} is evaluated at {y}, which has already been through {name}: "
            f"{at_y} where {slope} is right.",
            lambda e, d: e.data["pair"].backward(
                d, e.data["y"], e.data["pair"].forward(e.data["y"])
            ),
        )
        yield mistake(
            "derivative-at-input",
            f"The slope of {name} written for its output {y} is given {a}: {at_a} where {slope} "
            "is right.",
            lambda e, d: e.data["pair"].backward(d, e.data["a"], e.data["a"]),
        )
    for other, (pair, written) in PAIRS.items():
        if other not in (name, "linear"):
            yield mistake(
                "derivative-of-another",
                f"The slope of {other}, {written.format(a=a, y=y)}, is used where {y} is {name}'s.",
                lambda e, d, p=pair: p.backward(d, e.data["a"], e.data["y"]),  # type: ignore[misc]
            )
            yield mistake(
                "derivative-of-another",
                f"The slope of {other} at {a} is used where {y} is {name}'s.",
                lambda e, d, p=pair: p.backward(d, e.data["a"], p.forward(e.data["a"])),  # type: ignore[misc]
            )
    for factor in _PARTIAL[name]:
        yield mistake(
            "derivative-of-another",
            f"The slope of {y} is taken as {factor.replace('y', y)}: it is {slope}.",
            lambda e, d, f=factor: d * _FACTORS[f](e.data["y"]),  # type: ignore[misc]
        )
    if name == "relu":
        yield mistake(
            "wrong-operand",
            f"d{y} is kept where it is above 0 itself, not where {a} is.",
            lambda e, d: d * (d > 0),
        )
    yield mistake("wrong-sign", f"d{a} has the wrong sign.", lambda e, d: -e.pull(d))


_PARTIAL = {
    "sigmoid": ("y", "1 - y"),
    "tanh": ("1 - y", "1 + y", "-y * y", "y * y", "(1 - y) * (1 - y)"),
    "relu": ("y", "(y <= 0)"),
}
"""What is left of a slope when a part of it is forgotten or wrong."""

_FACTORS: dict[str, Callable[[Array], Array]] = {
    "y": lambda y: y,
    "1 - y": lambda y: 1 - y,
    "1 + y": lambda y: 1 + y,
    "-y * y": lambda y: -y * y,
    "y * y": lambda y: y * y,
    "(1 - y) * (1 - y)": lambda y: (1 - y) * (1 - y),
    "(y <= 0)": lambda y: y <= 0,
}


def _neighbours_slopes(built: Built) -> Iterator[Mistake]:
    """Yield one gate's slope taken at another gate's value."""
    for edge, other in itertools.permutations(labels(built, "activation"), 2):
        if edge.data["name"] != other.data["name"] or edge.data["y"].shape != other.data["y"].shape:
            continue
        y, slope = other.end, other.data["derivative"]

        def apply(
            built: Built, upstream: Mapping[str, Array], edge: Edge = edge, other: Edge = other
        ) -> dict[str, Array]:
            def edit(e: Edge, d: Array) -> Array | None:
                if not same(e, edge):
                    return None
                values = built.graph.values(e.t)
                return e.data["pair"].backward(d, values[other.start], values[other.end])

            return built.gradients(upstream, edit)

        yield Mistake(
            "wrong-operand",
            f"The slope of {edge.end} is taken at {y}: {slope} where {edge.data['derivative']} is "
            "right.",
            *(edge.equation, apply, gate_of(edge.end), f"d{edge.start}"),
        )


def _earlier_slopes(built: Built) -> Iterator[Mistake]:
    """Yield the slope of a state's activation taken at the state of the step before."""
    for edge in labels(built, "activation"):
        state = {"h": "h", "tanh_c": "c"}.get(edge.end)
        if state is None or built.steps < 2:
            continue

        def apply(
            built: Built, upstream: Mapping[str, Array], edge: Edge = edge, state: str = state
        ) -> dict[str, Array]:
            def edit(e: Edge, d: Array) -> Array | None:
                if not same(e, edge):
                    return None
                before = built.graph.values(e.t - 1)[state]
                y = before if state == "h" else e.data["pair"].forward(before)
                return e.data["pair"].backward(d, before, y)

            return built.gradients(upstream, edit)

        yield Mistake(
            "wrong-operand",
            f"The slope of {edge.end} is taken at the state of step t-1, not of step t.",
            *(edge.equation, apply),
            quantity=f"d{edge.start}",
        )


def _slopes_left_out(built: Built) -> Iterator[Mistake]:
    """Yield one product or sum that is given dh where da is meant: the slope is missing there."""
    after = {e.start: e for e in labels(built, "activation")}
    for edge in labels(built, "weight", "bias", "input"):
        if edge.end not in after:
            continue
        y = after[edge.end].end

        def apply(
            built: Built, upstream: Mapping[str, Array], edge: Edge = edge
        ) -> dict[str, Array]:
            arrived: dict[int, Array] = {}

            def edit(e: Edge, d: Array) -> Array | None:
                if e.kind == "activation" and e.start == edge.end:
                    arrived[e.t] = d
                return e.pull(arrived[e.t]) if same(e, edge) and e.t in arrived else None

            return built.gradients(upstream, edit)

        made = edge.start.replace(".", "_")
        yield Mistake(
            "derivative-missing",
            f"d{made} is made from d{y} where d{edge.end} is meant: the slope is missing there.",
            *(edge.equation, apply, gate_of(edge.end), f"d{made}"),
        )
