"""Gates taken for one another, on the page and in the kernels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from scratchnet.equations import gru as gru_page
from scratchnet.equations import lstm as lstm_page
from scratchnet.kernels import gru as gru_kernel
from scratchnet.kernels import lstm as lstm_kernel
from tests.planted_bugs.planted_bug import PlantedBug


def gate_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from gate_swaps()
    yield from kernel_gate_swaps()


def swaps(
    layer: str, function: Any, line: str, names: str, of: str, where: str
) -> Iterator[PlantedBug]:
    """Yield the bugs that two of the names in a line are exchanged, for every pair.

    ``of`` makes a name from its gate's letter: ``da_{}`` for ``da_i``.
    """
    for a, b in itertools.combinations(names, 2):
        one, other = of.format(a), of.format(b)
        head, comma, tail = line.partition(names_in(line))
        exchanged = {one: other, other: one}
        listed = [exchanged.get(name, name) for name in comma.split(", ")]
        wrong = head + ", ".join(listed) + tail
        yield PlantedBug(f"{where} {a} and {b} swapped", layer, function, line, wrong)


def names_in(line: str) -> str:
    """Return the names listed in a line: between parentheses, or before the equals sign."""
    if "((" in line:
        return line.partition("((")[2].partition(")")[0]
    return line.partition(" = ")[0]


def gate_swaps() -> Iterator[PlantedBug]:
    """Yield every pair of gates swapped, forward and backward, on the page."""
    split = "a_i, a_f, a_g, a_o = array_module(a).split"
    yield from swaps("lstm", lstm_page.lstm_step, split, "ifgo", "a_{}", "gates")
    da = "concatenate((da_i, da_f, da_g, da_o)"
    back = lstm_page.lstm_step_backward
    yield from swaps("lstm", back, da, "ifgo", "da_{}", "gradients of gates")
    for layer, page, page_back in (
        ("gru", gru_page.gru_step, gru_page.gru_step_backward),
        (
            "gru_reset_before",
            gru_page.gru_reset_before_step,
            gru_page.gru_reset_before_step_backward,
        ),
    ):
        split = "u_z, u_r, u_n = xp.split"
        yield from swaps(layer, page, split, "zrn", "u_{}", "gates")
        du = "concatenate((da_z, da_r, da_n)"
        yield from swaps(layer, page_back, du, "zrn", "da_{}", "gradients of gates")


def kernel_gate_swaps() -> Iterator[PlantedBug]:
    """Yield every pair of gates swapped, forward and backward, in the kernels."""
    split = "z, r, n = slice"
    yield from swaps("gru", gru_kernel.arranged, split, "zrn", "{}", "gates")
    for a, b in itertools.combinations(range(4), 2):
        order = list(range(4))
        order[a], order[b] = b, a
        pair = f"{'ofig'[a]} and {'ofig'[b]}"
        for title, function, right in (
            ("gates", lstm_kernel.arranged, "enumerate(gates_of(H))"),
            ("gradients of gates", lstm_kernel.LSTMSweep.named, "enumerate(gates_of(self.H))"),
        ):
            wrong = f"{right.removesuffix(')')}[k] for k in {order})"
            yield PlantedBug(f"{title} {pair} swapped", "lstm", function, right, wrong)
    right = "(dWx[:, H:], dWx[:, :H])"
    n, z, r = "dWx[:, :H]", "dWx[:, H : 2 * H]", "dWx[:, 2 * H :]"
    for title, wrong in (("z and r", (r, z, n)), ("z and n", (n, r, z)), ("r and n", (z, n, r))):
        wrong = f"({', '.join(wrong)})"
        title = f"gradients of gates {title} swapped"
        yield PlantedBug(title, "gru", gru_kernel.GRUSweep.named, right, wrong)

    derivatives, right = lstm_kernel.lstm_local_derivatives, "gates[:, 4:1:-1]"
    for a, b, order in (("f", "i", (3, 4, 2)), ("f", "g", (2, 3, 4)), ("i", "g", (4, 2, 3))):
        title = f"what gives {a} and {b} their gradients swapped"
        yield PlantedBug(title, "lstm", derivatives, right, f"gates[:, {order}]")
    yield PlantedBug("i with c_prev and f with g", "lstm", lstm_kernel.LSTMSweep._at_step,
                     "gates[4:2:-1]", "gates[3:5]")  # fmt: skip
    yield PlantedBug("z and r taken for each other", "gru", gru_kernel.GRUSweep._at_step,
                     "(v_n, r, z, n, _)", "(v_n, z, r, n, _)")  # fmt: skip
