r"""A small computational graph whose backward pass can be got wrong on purpose.

Every operation keeps one `Edge` for each array that goes into it; going back, an edge turns the
gradient of the operation's result into its share of the gradient of that array.  `Graph.backward`
takes an *edit*, a function that may answer in place of an edge.  So "the carry is forgotten" is an
edit that answers 0 for the edges from ``c`` to ``c_prev``, and what comes out are the gradients of
code with that mistake.  `scratchnet.gradcheck.diagnosis` holds them against the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.activations import Pair


@dataclass
class Node:
    """A value on the way: a leaf, or the result of an operation at time step ``t``."""

    name: str
    value: Array
    t: int
    edges: list[Edge] = field(default_factory=list)


@dataclass
class Edge:
    """How the gradient of an operation's result comes back to one of its arrays.

    Attributes
    ----------
    end, start : str
        The result, and the array it comes back to: ``"c"`` and ``"c_prev"``.
    kind : str
        ``"input"`` and ``"weight"`` (the two sides of a matrix product), ``"bias"``,
        ``"activation"``, ``"product"``, ``"hold"`` (a mask's), ``"softmax"``, ``"loss"``,
        ``"lookup"``.
    t : int
    to : Node
    pull : function
        From the gradient of the result to that of the array.
    equation : str
        What ``pull`` computes.
    data : dict
        What an edit may need: ``factor``, ``W``, ``pair`` …
    """

    end: str
    start: str
    kind: str
    t: int
    to: Node
    pull: Callable[[Array], Array]
    equation: str
    data: dict[str, Any]

    @property
    def label(self) -> tuple[str, str, str]:
        """Return what the edges of all time steps have in common."""
        return self.end, self.start, self.data.get("other", "")


Edit = Callable[[Edge, Array], "Array | None"]
"""``edit(edge, dresult)``: the gradient in place of the edge's own, or None to leave it."""


Gradients = dict[tuple[str, int], Array]
"""Gradients of all nodes by name and time step; parameters and initial states have step -1."""


class Graph:
    """Operations in the order in which they were done."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def leaf(self, name: str, value: Array, t: int = -1) -> Node:
        """Add an array that nothing here computes: a parameter, an input, an initial state."""
        return self._node(name, value, t)

    def affine(
        self,
        name: str,
        t: int,
        products: Sequence[tuple[str, Node, Node]],
        biases: Sequence[Node] = (),
    ) -> Node:
        r"""Add :math:`\sum_j s_j W_j + \sum_k b_k`; with each product comes a name for ``s_j``."""
        value = sum(s.value @ W.value for _, s, W in products) + sum(b.value for b in biases)
        node = self._node(name, value, t)
        for called, s, W in products:
            node.edges.append(
                Edge(
                    *(name, called, "input", t, s),
                    lambda d, W=W: d @ W.value.T,  # type: ignore[misc]
                    f"d{called} = d{name} @ {_base(W.name)}.T",
                    {"W": W.value, "weight": W.name, "other": W.name},
                )
            )
            node.edges.append(
                Edge(
                    *(name, W.name, "weight", t, W),
                    lambda d, s=s: s.value.T @ d,  # type: ignore[misc]
                    f"d{_base(W.name)} += {called}.T @ d{name}",
                    {"s": s.value, "input": called},
                )
            )
        for b in biases:
            node.edges.append(
                Edge(
                    *(name, b.name, "bias", t, b),
                    lambda d: d.sum(axis=0),
                    f"d{_base(b.name)} += d{name}.sum(axis=0)",
                    {},
                )
            )
        return node

    def activation(self, name: str, t: int, a: Node, pair: Pair, derivative: str) -> Node:
        """Add an elementwise activation; ``derivative`` is how its slope is written."""
        value = pair.forward(a.value)
        node = self._node(name, value, t)
        node.edges.append(
            Edge(
                *(name, a.name, "activation", t, a),
                lambda d: pair.backward(d, a.value, value),
                f"d{a.name} = d{name} * {derivative}",
                {"pair": pair, "a": a.value, "y": value, "derivative": derivative},
            )
        )
        return node

    def products(
        self,
        name: str,
        t: int,
        terms: Sequence[tuple[tuple[str, Node], ...]],
        kind: str = "product",
    ) -> Node:
        """Add a sum of products; each factor comes with what it is called here.

        A factor called ``"1 - z"`` is one minus the node.
        """
        node = self._node(name, np.zeros(()), t)
        total: Any = 0.0
        for term in terms:
            values = [1 - n.value if called.startswith("1 - ") else n.value for called, n in term]
            total = total + np.prod(np.broadcast_arrays(*values), axis=0)
            for k, (called, n) in enumerate(term):
                if n.name == "mask":
                    continue  # data: nothing goes back to it
                others = [v for j, v in enumerate(values) if j != k]
                names = [c for j, (c, _) in enumerate(term) if j != k]
                factor = np.prod(np.broadcast_arrays(*others), axis=0) if others else 1.0
                minus = called.startswith("1 - ")
                other = " * ".join(f"({c})" if " - " in c else c for c in names)
                start = called.removeprefix("1 - ")
                written = f"d{start} += {'-' if minus else ''}d{name}" + (
                    f" * {other}" * bool(other)
                )
                node.edges.append(
                    Edge(
                        *(name, start, kind, t, n),
                        lambda d, f=factor, m=minus: -d * f if m else d * f,  # type: ignore[misc]
                        written,
                        {"factor": factor, "other": other, "minus": minus},
                    )
                )
        node.value = total
        return node

    def operation(
        self,
        name: str,
        value: Array,
        source: Node,
        kind: str,
        pull: Callable[[Array], Array],
        equation: str,
        **data: Any,
    ) -> Node:
        """Add any other operation of one array."""
        node = self._node(name, value, 0)
        node.edges.append(Edge(name, source.name, kind, 0, source, pull, equation, data))
        return node

    def backward(self, upstream: Mapping[int, Array], edit: Edit | None = None) -> Gradients:
        """Go back from gradients of nodes (by ``id``), with an edit or as it should be."""
        gradients: dict[int, Any] = dict(upstream)
        for node in reversed(self.nodes):
            d = gradients.get(id(node))
            if d is None:
                continue
            for edge in node.edges:
                share = edit(edge, d) if edit is not None else None
                if share is None:
                    share = edge.pull(d)
                key = id(edge.to)
                gradients[key] = gradients[key] + share if key in gradients else share
        return {
            (node.name, node.t): _shaped(gradients.get(id(node)), node.value) for node in self.nodes
        }

    def values(self, t: int) -> dict[str, Array]:
        """Return the values computed at a time step, by name."""
        return {node.name: node.value for node in self.nodes if node.t == t}

    def edges(self) -> list[Edge]:
        """Return all edges."""
        return [edge for node in self.nodes for edge in node.edges]

    def _node(self, name: str, value: Any, t: int) -> Node:
        node = Node(name, value, t)
        self.nodes.append(node)
        return node


def _shaped(d: Array | None, value: Array) -> Array:
    """Return a gradient in its array's shape, zeros where nothing came back."""
    if d is None:
        return np.zeros(np.shape(value))
    return d if np.shape(d) == np.shape(value) else np.broadcast_to(d, np.shape(value))


def _base(slot: str) -> str:
    return slot.replace(".", "_")
