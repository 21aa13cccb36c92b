"""The layers that a user's code may mean to be, as graphs: each forward pass written once.

A reference takes *canonical* arrays: ``x`` (B, T, D) or (N, D), initial states ``h0, c0`` (B, H),
and each gate's parameters by themselves: ``Wx.f`` (D, H), ``Wh.f`` (H, H), ``b.f`` (H,).  The
letters are those of `scratchnet.equations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations import activations as page
from scratchnet.equations.activations import SIGMOID, TANH, Pair
from scratchnet.gradcheck.graph import Edit, Graph, Node

PAIRS: dict[str, tuple[Pair, str]] = {
    "sigmoid": (SIGMOID, "{y} * (1 - {y})"),
    "tanh": (TANH, "(1 - {y} * {y})"),
    "relu": (Pair(page.relu, page.relu_backward), "({a} > 0)"),
    "linear": (Pair(page.linear, page.linear_backward), "1"),
}
"""Activations that learners use, each with its slope in terms of input ``a`` and output ``y``."""


@dataclass
class Built:
    """A reference after its forward pass.

    Attributes
    ----------
    outputs : dict of str to list of Node
        ``hs`` and ``cs`` over time; ``y`` for what is no sequence (a list of one).
    """

    graph: Graph
    outputs: dict[str, list[Node]]
    steps: int
    stacked: tuple[str, ...] = ("x", "hs", "cs", "ys")
    """Which arrays have a time axis, in canonical layout (B, T, …)."""

    def values(self) -> dict[str, Array]:
        """Return the canonical outputs."""
        return {
            name: np.stack([n.value for n in nodes], axis=1)
            if name in self.stacked
            else nodes[0].value
            for name, nodes in self.outputs.items()
        }

    def gradients(
        self, upstream: Mapping[str, Array], edit: Edit | None = None
    ) -> dict[str, Array]:
        """Return the gradients of the canonical arrays for those of the canonical outputs.

        ``upstream`` may also name ``h`` and ``c``, the states after the last step.
        """
        return self.named(self.graph.backward(self.seeds(upstream), edit))

    def seeds(self, upstream: Mapping[str, Array]) -> dict[int, Array]:
        """Return the gradients that a backward pass starts from, by node."""
        seeds: dict[int, Array] = {}
        for name, d in upstream.items():
            if name in ("h", "c"):
                pairs = [(self.outputs[f"{name}s"][-1], d)]
            elif name in self.stacked:
                pairs = [(node, d[:, t]) for t, node in enumerate(self.outputs[name])]
            else:
                pairs = [(self.outputs[name][0], d)]
            for node, share in pairs:
                seeds[id(node)] = seeds[id(node)] + share if id(node) in seeds else share
        return seeds

    def named(self, gradients: Mapping[tuple[str, int], Array]) -> dict[str, Array]:
        """Return what belongs to canonical arrays among the gradients of all nodes."""
        named = {
            {"h": "h0", "c": "c0"}.get(name, name): d
            for (name, t), d in gradients.items()
            if t == -1
        }
        if self.steps:
            named["x"] = np.stack([gradients["x", t] for t in range(self.steps)], axis=1)
        return named


def simple_rnn(arrays: Mapping[str, Array], activation: str = "tanh") -> Built:
    """Build ``h = φ(x Wx + h_prev Wh + b)``."""
    graph, x, states, parameter = _begin(arrays, "h")
    (h,), hs = states, []
    for t in range(x.shape[1]):
        x_t = graph.leaf("x", x[:, t], t)
        terms = _given(("x", x_t, parameter("Wx.")), ("h_prev", h, parameter("Wh.")))
        a = graph.affine("a", t, terms, _biases(parameter("b.")))
        h = _hold(graph, arrays, t, _activate(graph, "h", t, a, activation), h)
        hs.append(h)
    return Built(graph, {"hs": hs, **_projection(graph, parameter, hs)}, x.shape[1])


def lstm(arrays: Mapping[str, Array]) -> Built:
    """Build `scratchnet.equations.lstm`."""
    graph, x, states, parameter = _begin(arrays, "hc")
    (h, c), hs, cs = states, [], []
    for t in range(x.shape[1]):
        x_t = graph.leaf("x", x[:, t], t)
        gates = {}
        for k in "ifgo":
            terms = _given(("x", x_t, parameter(f"Wx.{k}")), ("h_prev", h, parameter(f"Wh.{k}")))
            a = graph.affine(f"a_{k}", t, terms, _biases(parameter(f"b.{k}")))
            gates[k] = _activate(graph, k, t, a, "tanh" if k == "g" else "sigmoid")
        new_c = graph.products(
            *("c", t, [(("f", gates["f"]), ("c_prev", c)), (("i", gates["i"]), ("g", gates["g"]))])
        )
        tanh_c = _activate(graph, "tanh_c", t, new_c, "tanh")
        new_h = graph.products("h", t, [(("o", gates["o"]), ("tanh_c", tanh_c))])
        h, c = _hold(graph, arrays, t, new_h, h), _hold(graph, arrays, t, new_c, c)
        hs.append(h)
        cs.append(c)
    return Built(graph, {"hs": hs, "cs": cs, **_projection(graph, parameter, hs)}, x.shape[1])


def gru(arrays: Mapping[str, Array], reset_after: bool = True, z_keeps: bool = True) -> Built:
    """Build `scratchnet.equations.gru`; without ``z_keeps``, ``h = (1 - z) h_prev + z n``."""
    graph, x, states, parameter = _begin(arrays, "h")
    (h,), hs = states, []
    for t in range(x.shape[1]):
        x_t = graph.leaf("x", x[:, t], t)
        gates = {}
        for k in "zr":
            terms = _given(("x", x_t, parameter(f"Wx.{k}")), ("h_prev", h, parameter(f"Wh.{k}")))
            biases = _biases(parameter(f"bx.{k}"), parameter(f"bh.{k}"))
            a = graph.affine(f"a_{k}", t, terms, biases)
            gates[k] = _activate(graph, k, t, a, "sigmoid")
        z, r = gates["z"], gates["r"]
        bx, bh = _biases(parameter("bx.n")), _biases(parameter("bh.n"))
        if reset_after:
            v = graph.affine("v_n", t, _given(("h_prev", h, parameter("Wh.n"))), bh)
            u = graph.affine("u_n", t, _given(("x", x_t, parameter("Wx.n"))), bx)
            a_n = graph.products("a_n", t, [(("u_n", u),), (("r", r), ("v_n", v))])
        else:
            h_reset = graph.products("h_reset", t, [(("r", r), ("h_prev", h))])
            terms = _given(("x", x_t, parameter("Wx.n")), ("h_reset", h_reset, parameter("Wh.n")))
            a_n = graph.affine("a_n", t, terms, bx + bh)
        n = _activate(graph, "n", t, a_n, "tanh")
        keep, new = ("z", "1 - z") if z_keeps else ("1 - z", "z")
        new_h = graph.products("h", t, [((keep, z), ("h_prev", h)), ((new, z), ("n", n))])
        h = _hold(graph, arrays, t, new_h, h)
        hs.append(h)
    return Built(graph, {"hs": hs, **_projection(graph, parameter, hs)}, x.shape[1])


def dense_chain(arrays: Mapping[str, Array], activations: tuple[str, ...], loss: str = "") -> Built:
    """Build ``y = φ(… φ(x W1 + b1) … W2 + b2)``; ``softmax`` may be the last, and a loss follow."""
    graph = Graph()
    node = graph.leaf("x", arrays["x"])
    for k, activation in enumerate(activations, start=1):
        if f"W{k}" in arrays:
            biases = [graph.leaf(f"b{k}", arrays[f"b{k}"])] if f"b{k}" in arrays else []
            W = graph.leaf(f"W{k}", arrays[f"W{k}"])
            node = graph.affine(f"a{k}", 0, [(node.name, node, W)], biases)
        name = "y" if k == len(activations) else f"h{k}"
        if activation == "softmax":
            node = _softmax(graph, name, node)
        else:
            node = _activate(graph, name, 0, node, activation)
    if loss:
        node = LOSSES[loss](graph, node, arrays["target"])
        return Built(graph, {"loss": [node]}, 0)
    return Built(graph, {"y": [node]}, 0)


def embedding(arrays: Mapping[str, Array]) -> Built:
    """Build ``y = W[ids]``."""
    graph = Graph()
    ids = arrays["ids"].astype(int)
    W = graph.leaf("W", arrays["W"])

    def pull(d: Array) -> Array:
        dW = np.zeros_like(W.value)
        np.add.at(dW, ids, d)
        return dW

    equation = "np.add.at(dW, ids, dy)"
    y = graph.operation("y", W.value[ids], W, "lookup", pull, equation, ids=ids, W=W.value)
    return Built(graph, {"y": [y]}, 0)


def _softmax(graph: Graph, name: str, a: Node) -> Node:
    p = page.softmax(a.value)
    return graph.operation(
        *(name, p, a, "softmax"),
        lambda d: p * (d - (d * p).sum(axis=-1, keepdims=True)),
        f"d{a.name} = p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
        p=p,
    )


def _cross_entropy(graph: Graph, p: Node, target: Array, mean: bool) -> Node:
    N = len(p.value)
    scale = 1 / N if mean else 1.0
    picked = target if target.ndim == 2 else np.eye(p.value.shape[-1])[target.astype(int)]
    value = -np.sum(picked * np.log(p.value)) * scale
    return graph.operation(
        *("loss", np.asarray(value), p, "loss"),
        lambda d: -d * picked / p.value * scale,
        "dlogits = (p - y) / B" if mean else "dlogits = p - y",
    )


def _squared(graph: Graph, y: Node, target: Array, scale: Callable[[Array], float]) -> Node:
    error, s = y.value - target, scale(y.value)
    return graph.operation(
        *("loss", np.asarray(s * np.sum(error * error)), y, "loss"),
        lambda d: 2 * s * d * error,
        f"dy = {2 * s:g} * (y - target)",
    )


LOSSES: dict[str, Callable[[Graph, Node, Array], Node]] = {
    "mean cross-entropy": lambda g, p, t: _cross_entropy(g, p, t, True),
    "summed cross-entropy": lambda g, p, t: _cross_entropy(g, p, t, False),
    "half the squared error, summed": lambda g, y, t: _squared(g, y, t, lambda y: 0.5),
    "half the squared error, mean over the batch": lambda g, y, t: _squared(
        g, y, t, lambda y: 0.5 / len(y)
    ),
    "squared error, summed": lambda g, y, t: _squared(g, y, t, lambda y: 1.0),
    "squared error, mean over the batch": lambda g, y, t: _squared(g, y, t, lambda y: 1 / len(y)),
    "mean squared error": lambda g, y, t: _squared(g, y, t, lambda y: 1 / y.size),
}
"""What may follow the last layer."""


def _begin(
    arrays: Mapping[str, Array], states: str
) -> tuple[Graph, Array, list[Node], Callable[[str], Node | None]]:
    """Return an empty graph, x, the initial states, and what gives parameters."""
    graph, x = Graph(), arrays["x"]
    kept: dict[str, Node] = {}

    def parameter(name: str) -> Node | None:
        if name not in kept and name in arrays:
            kept[name] = graph.leaf(name, arrays[name])
        return kept.get(name)

    H = next(a.shape[1] for name, a in arrays.items() if name.startswith("Wh."))
    zeros = np.zeros((len(x), H))
    return graph, x, [graph.leaf(s, arrays.get(f"{s}0", zeros)) for s in states], parameter


def _given(*terms: tuple[str, Node, Node | None]) -> list[tuple[str, Node, Node]]:
    return [(called, source, W) for called, source, W in terms if W is not None]


def _biases(*biases: Node | None) -> list[Node]:
    return [b for b in biases if b is not None]


def _activate(graph: Graph, name: str, t: int, a: Node, activation: str) -> Node:
    pair, derivative = PAIRS[activation]
    node = graph.activation(name, t, a, pair, derivative.format(a=a.name, y=name))
    node.edges[0].data["name"] = activation
    return node


def _hold(graph: Graph, arrays: Mapping[str, Array], t: int, new: Node, old: Node) -> Node:
    """Keep the state where the mask says that the step is padding."""
    if "mask" not in arrays:
        return new
    mask = graph.leaf("mask", arrays["mask"][:, t, None].astype(float), t)
    new.name += "_new"
    name = old.name
    terms = [
        (("mask", mask), (new.name, new)),
        (("1 - mask", mask), (f"{name}_prev", old)),
    ]
    return graph.products(name, t, terms, kind="hold")


def _projection(
    graph: Graph, parameter: Callable[[str], Node | None], hs: list[Node]
) -> dict[str, list[Node]]:
    """Return ``ys = hs Wy + by`` where there is such a matrix."""
    Wy = parameter("Wy")
    if Wy is None:
        return {}
    biases = _biases(parameter("by"))
    return {"ys": [graph.affine("y", t, [("h", h, Wy)], biases) for t, h in enumerate(hs)]}
