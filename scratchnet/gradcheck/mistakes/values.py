"""What a mistake computes on the way, so that the line that computes it can be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge, Edit, Gradients, Graph
from scratchnet.gradcheck.mistakes.mistake import Mistake
from scratchnet.gradcheck.references import Built


def wrong_values(mistake: Mistake, built: Built, upstream: Mapping[str, Array]) -> list[Array]:
    """Return the quantities that code with this mistake computes wrongly, in the order of time.

    Where a term is left out that is the sum without it; else it is the wrong term, or what has it
    in it.
    """
    graph = _Recording(built.graph)
    mistake.apply(replace(built, graph=graph), upstream)
    if mistake.id == "gates-swapped":
        return [graph.all_gates(t) for t in reversed(range(built.steps))]
    terms = [share for _, share in graph.shares if np.any(share)]
    sums = [graph.flowing_back(edge) for edge, _ in graph.shares]
    totals = [graph.total(edge) for edge, _ in graph.shares]
    return [value for value in terms + sums + totals if np.ndim(value) > 0]


class _Recording(Graph):
    """A graph that keeps what an edit answers."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.shares: list[tuple[Edge, Array]] = []
        self._given: Gradients = {}
        self._seeds: dict[int, Array] = {}

    def all_gates(self, t: int) -> Array:
        """Return the gradients of all pre-activations of a step, side by side."""
        named = [d for (name, step), d in self._given.items() if step == t and name[:2] == "a_"]
        return np.concatenate(named, axis=1)

    def flowing_back(self, edge: Edge) -> Array:
        """Return the same without what arrives there from outside."""
        return self.total(edge) - self._seeds.get(id(edge.to), 0.0)

    def total(self, edge: Edge) -> Array:
        """Return the gradient of what an edge leads to, all its shares together."""
        return self._given[edge.to.name, edge.to.t]

    def backward(self, upstream: Mapping[int, Array], edit: Edit | None = None) -> Gradients:
        def kept(edge: Edge, d: Array) -> Array | None:
            share = edit(edge, d) if edit is not None else None
            if share is not None:
                self.shares.append((edge, share))
            return share

        self._seeds = dict(upstream)
        self._given = super().backward(upstream, kept)
        return self._given
