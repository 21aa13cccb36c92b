"""One mistake: what it is called, and the gradients of code that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scratchnet.backend import Array
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.references import Built

Apply = Callable[[Built, Mapping[str, Array]], dict[str, Array]]
"""From a graph and the gradients of its outputs to those of the canonical arrays."""

Wrong = Callable[[Edge, Array], Array]
"""From an edge and the gradient of its result to what wrong code makes of it."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake in a backward pass.

    Attributes
    ----------
    id : str
        A key of `scratchnet.gradcheck.findings.TITLES`.
    explanation : str
        What the code does, in one sentence.
    equation : str
        What it should do.
    apply : function
        Gives the gradients of code with this mistake.
    gate : str
    quantity : str
        The gradient that is computed wrongly: ``"da_f"``, ``"dWh"``.
    step : int or None
    """

    id: str
    explanation: str
    equation: str
    apply: Apply
    gate: str = ""
    quantity: str = ""
    step: int | None = None


def gate_of(name: str) -> str:
    """Return the gate that a name of a graph belongs to: ``f`` for ``a_f``, ``Wh.f`` and ``f``."""
    letter = name.replace(".", "_").rpartition("_")[2]
    return letter if letter in set("ifgozrn") and name not in ("h", "c") else ""


def edited(answer: Callable[[Edge, Array], Array | None]) -> Apply:
    """Return what runs a graph backward with an edit."""
    return lambda built, upstream: built.gradients(upstream, answer)


def labels(built: Built, *kinds: str) -> list[Edge]:
    """Return one edge for each label: what is said of it holds for all time steps."""
    found: dict[tuple[str, ...], Edge] = {}
    for edge in built.graph.edges():
        if edge.kind in kinds:
            found.setdefault((edge.kind, *edge.label), edge)
    return list(found.values())


def same(edge: Edge, chosen: Edge) -> bool:
    """Return whether two edges are the same but for the time step."""
    return edge.kind == chosen.kind and edge.label == chosen.label


def several(id: str, explanation: str, chosen: list[Edge], wrong: Wrong) -> Mistake:
    """Return the mistake of some operations, at every time step."""

    def edit(edge: Edge, d: Array) -> Array | None:
        return wrong(edge, d) if any(same(edge, one) for one in chosen) else None

    gates = ",".join(gate_of(one.end) for one in chosen)
    quantity = f"d{chosen[0].start.replace('.', '_')}"
    return Mistake(id, explanation, chosen[0].equation, edited(edit), gates.strip(","), quantity)
