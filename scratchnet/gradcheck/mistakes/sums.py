"""Mistakes in what arrives at a state: from above, and from step t+1 (the carry)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import Mistake, gate_of, labels
from scratchnet.gradcheck.references import Built

LOST = {"h": "recurrent-term-lost", "c": "carry-lost"}


def sum_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield what is wrong where one line takes a part of a state's gradient for all of it."""
    if built.steps < 2:
        return
    ways = labels(built, "product", "activation")
    for state, id in LOST.items():
        for start in dict.fromkeys(e.start for e in ways if e.end == state):

            def of(e: Edge, state: str = state, start: str = start) -> bool:
                return e.end == state and e.start == start

            equation = " + ".join(e.equation for e in ways if of(e))
            gate, quantity = gate_of(start), f"d{start}"
            yield Mistake(
                id,
                f"d{start} is made from what d{state} is without the part that flows back from "
                "step t+1.",
                *(equation, _with(state, of, lambda e, all, back: e.pull(all - back))),
                *(gate, quantity),
            )
            yield Mistake(
                "path-lost",
                f"d{start} is made from the part of d{state} alone that flows back from step t+1.",
                *(equation, _with(state, of, lambda e, all, back: e.pull(back))),
                *(gate, quantity),
            )
    yield from _through_slope(built)


def _through_slope(built: Built) -> Iterator[Mistake]:
    """Yield a carry that is added too early: before the slope of tanh, not after."""
    if "tanh_c" not in built.graph.values(0):
        return

    def apply(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        def edit(e: Edge, d: Array) -> Array | None:
            if e.end != "c" or e.start != "c_prev" or e.t < 1:
                return None
            tanh_c = built.graph.values(e.t - 1)["tanh_c"]
            return e.pull(d) * (1 - tanh_c * tanh_c)

        return built.gradients(upstream, edit)

    yield Mistake(
        "derivative-twice",
        "What flows back through the cell state is multiplied by the slope of tanh at every step: "
        "dc = (dc_prev of step t+1 + dh * o) * (1 - tanh_c * tanh_c) has the brackets wrong.",
        "dc = dc_prev of step t+1 + dh * o * (1 - tanh_c * tanh_c)",
        apply,
        quantity="dc",
    )


def _with(
    state: str, chosen: Callable[[Edge], bool], wrong: Callable[[Edge, Array, Array], Array]
) -> Callable[[Built, Mapping[str, Array]], dict[str, Array]]:
    """Return a backward pass whose chosen edges get to know what came back from step t+1."""

    def apply(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        back: dict[int, Array] = {}

        def edit(e: Edge, d: Array) -> Array | None:
            if chosen(e):
                share = wrong(e, d, back[e.t]) if e.t in back else wrong(e, d, 0 * d)
            else:
                share = e.pull(d)
            if e.to.name == state and e.to.t == e.t - 1:
                back[e.to.t] = back.get(e.to.t, 0.0) + share
            return share

        return built.gradients(upstream, edit)

    return apply
