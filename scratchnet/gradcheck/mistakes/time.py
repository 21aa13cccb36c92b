"""Mistakes in the loop over time: steps left out, nothing carried back, uses overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import Mistake, edited, gate_of, labels
from scratchnet.gradcheck.mistakes.products import weight_groups
from scratchnet.gradcheck.references import Built

CARRIED = {"h_prev": "recurrent-term-lost", "c_prev": "carry-lost"}


def time_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield them for a sequence; one step knows only what is lost on the way to its states."""
    if not built.steps:
        return
    if built.steps == 1:
        yield from _lost_upstream(built)
    yield from _lost_ways_back(built)
    if built.steps == 1:
        return
    yield from _piled_up(built)
    yield from _skipped_steps(built)
    yield from _overwritten(built)
    yield from _lost_upstream(built)


def _lost_ways_back(built: Built) -> Iterator[Mistake]:
    equation = {
        "h_prev": "dh[t] = dy[t] + dh_prev of step t+1",
        "c_prev": "dc[t] = dc_prev of step t+1 + dh * o * (1 - tanh_c * tanh_c)",
    }
    starts = {e.start for e in labels(built, "input", "product")}
    for start, id in CARRIED.items():
        if start not in starts:
            continue
        state = start[0]
        for first, final in ((1, True), (0, True), (1, False), (0, False)):

            def apply(
                built: Built,
                upstream: Mapping[str, Array],
                start: str = start,
                first: int = first,
                final: bool = final,
            ) -> dict[str, Array]:
                def edit(e: Edge, d: Array) -> Array | None:
                    return 0 * e.pull(d) if e.start == start and e.t >= first else None

                given = {n: d for n, d in upstream.items() if final or n != start[0]}
                return built.gradients(given, edit)

            lost = f"d{start} of step t+1 is not added to d{state} of step t"
            if first == 0:
                lost = f"d{start} is never computed: nothing goes back to the step before"
            lost += "." if final else f"; what arrives at the final {state} is lost too."
            yield Mistake(id, lost, equation[start], apply, quantity=f"d{state}")
    if {"h_prev", "c_prev"} <= starts and built.steps > 1:

        def neither(e: Edge, d: Array) -> Array | None:
            return 0 * e.pull(d) if e.start in CARRIED and e.t > 0 else None

        both = "Neither dh_prev nor dc_prev of step t+1 is added to what goes into step t."
        yield Mistake("recurrent-term-lost", both, equation["h_prev"], edited(neither))


def _piled_up(built: Built) -> Iterator[Mistake]:
    """Yield "`+=` for `=`" in what is handed from step to step."""
    starts = {e.start for e in labels(built, "input", "product")}
    for start in CARRIED:
        if start not in starts:
            continue

        def apply(
            built: Built, upstream: Mapping[str, Array], start: str = start
        ) -> dict[str, Array]:
            total: dict[tuple[str, ...], Array] = {}

            def edit(e: Edge, d: Array) -> Array | None:
                if e.start != start:
                    return None
                key = (e.kind, *e.label)
                total[key] = total.get(key, 0.0) + e.pull(d)
                return total[key]

            return built.gradients(upstream, edit)

        yield Mistake(
            "single-step-only",
            f"What flows back to {start} is added to what earlier rounds of the loop left there, "
            "`+=` where `=` is meant: each step gets that of all later steps.",
            f"d{start} is made anew at every step",
            apply,
            quantity=f"d{start}",
        )


def _skipped_steps(built: Built) -> Iterator[Mistake]:
    last = built.steps - 1
    loop = "for t in reversed(range(T))"
    yield _skipping(
        "first-step-skipped",
        "The backward loop stops before t = 0: that step gives nothing to any gradient.",
        loop,
        lambda t, T: t == 0,
        0,
    )
    yield _skipping(
        "last-step-skipped",
        "The backward loop starts one step too early: the last step gives nothing.",
        loop,
        lambda t, T: t == T - 1,
        last,
    )
    if last > 1:
        yield _skipping(
            "single-step-only",
            "The backward loop goes through the last step alone.",
            loop,
            lambda t, T: t < T - 1,
            None,
        )
    for kinds in (("weight", "bias"), ("weight",), ("bias",), ("input",)):
        what = {"input": "dx"}.get(kinds[0], "the parameters' gradients")
        for id, step in (("first-step-skipped", 0), ("last-step-skipped", last)):

            def apply(
                built: Built,
                upstream: Mapping[str, Array],
                kinds: tuple[str, ...] = kinds,
                first: bool = step == 0,
            ) -> dict[str, Array]:
                t = 0 if first else built.steps - 1

                def edit(e: Edge, d: Array) -> Array | None:
                    shown = e.kind in kinds and (e.kind != "input" or e.start == "x")
                    return 0 * e.pull(d) if shown and e.t == t else None

                return built.gradients(upstream, edit)

            which = "first" if step == 0 else "last"
            yield Mistake(
                id, f"The {which} step's share is missing in {what}.", loop, apply, step=step
            )


def _skipping(
    id: str, explanation: str, equation: str, skipped: Callable[[int, int], bool], step: int | None
) -> Mistake:
    """Return the mistake of a loop that leaves steps out: states' gradients stay as they were."""

    def apply(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        T = built.steps
        out = [t for t in range(T) if skipped(t, T)]
        given = {}
        for name, d in upstream.items():
            given[name] = d
            if name in built.stacked:
                given[name] = d.copy()
                given[name][:, out] = 0
        if T - 1 in out and not {"h", "c"}.isdisjoint(given):
            return _from_step(built, given, T - 1)
        gradients = built.graph.backward(
            built.seeds(given), lambda e, d: 0 * e.pull(d) if e.t in out else None
        )
        named = built.named(gradients)
        if 0 in out:  # what reached the last step that was done is handed out as the first states'
            first = min(set(range(T)) - set(out), default=0)
            for state in ("h", "c"):
                if f"{state}0" in named:
                    named[f"{state}0"] = gradients[state, first - 1]
        return named

    return Mistake(id, explanation, equation, apply, step=step)


def _from_step(built: Built, upstream: Mapping[str, Array], stop: int) -> dict[str, Array]:
    """Go back with the final states' gradients handed to the states before step ``stop``."""
    given = {name: d for name, d in upstream.items() if name not in ("h", "c")}
    seeds = built.seeds(given)
    for state in ("h", "c"):
        if state in upstream:
            node = built.outputs[f"{state}s"][stop - 1]
            seeds[id(node)] = seeds.get(id(node), 0.0) + upstream[state]
    return built.named(
        built.graph.backward(seeds, lambda e, d: 0 * e.pull(d) if e.t >= stop else None)
    )


def _overwritten(built: Built) -> Iterator[Mistake]:
    biases = labels(built, "bias")
    weights = labels(built, "weight")
    groups = [weights + biases, weights, *weight_groups(built), biases, *([b] for b in biases)]
    for group in groups:
        starts = {e.start for e in group}
        for step in (0, built.steps - 1):

            def apply(
                built: Built,
                upstream: Mapping[str, Array],
                starts: set[str] = starts,
                first: bool = step == 0,
            ) -> dict[str, Array]:
                kept = 0 if first else built.steps - 1

                def edit(edge: Edge, d: Array) -> Array | None:
                    lost = edge.start in starts and edge.t != kept
                    return 0 * edge.pull(d) if lost else None

                return built.gradients(upstream, edit)

            names = ", ".join(dict.fromkeys(f"d{e.start.partition('.')[0]}" for e in group))
            if len(group) == 1:
                names = f"d{group[0].start.replace('.', '_')}"
            yield Mistake(
                "last-use-only",
                f"Of {names} only the share of step {'0' if step == 0 else 'T-1'} is left: every "
                "step overwrites it.",
                group[0].equation if len(group) == 1 else "dW += … at every step",
                apply,
                gate_of(group[0].start) if len(group) == 1 else "",
                names.partition(", ")[0],
                step,
            )


def _lost_upstream(built: Built) -> Iterator[Mistake]:
    """Yield what is lost of the gradients that arrive at the outputs."""

    def last_alone(built: Built, upstream: Mapping[str, Array]) -> dict[str, Array]:
        cut = dict(upstream)
        for name in cut:
            if name in built.stacked:
                cut[name] = np.zeros_like(cut[name])
                cut[name][:, -1] = upstream[name][:, -1]
        return built.gradients(cut)

    explanation = "Only the last step's dy is used: that of every other step is left out."
    if built.steps > 1:
        yield Mistake("path-lost", explanation, "dh[t] = dy[t] + dh_prev of step t+1", last_alone)
    lost = {"h": "recurrent-term-lost", "c": "carry-lost"} if built.steps == 1 else {}
    for state in ("h", "c"):
        if f"{state}s" not in built.outputs:
            continue

        def without(
            built: Built, upstream: Mapping[str, Array], state: str = state
        ) -> dict[str, Array]:
            return built.gradients({name: d for name, d in upstream.items() if name != state})

        explanation = f"The gradient that arrives at {state} from the step after is left out."
        equation = f"d{state} starts as what arrives at the last {state}"
        id = lost.get(state, "path-lost")
        yield Mistake(id, explanation, equation, without, quantity=f"d{state}")
