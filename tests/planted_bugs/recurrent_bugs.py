"""What people get wrong in SimpleRNN, LSTM and GRU, and in the loop around them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from scratchnet.equations import gru as gru_page
from scratchnet.equations import lstm as lstm_page
from scratchnet.equations import simple_rnn as simple_rnn_page
from scratchnet.kernels import gru as gru_kernel
from scratchnet.kernels import lstm as lstm_kernel
from scratchnet.kernels import simple_rnn as simple_rnn_kernel
from scratchnet.kernels.sweep import Sweep
from scratchnet.layers.page_sweep import PageSweep
from scratchnet.layers.recurrent import Recurrent
from tests.planted_bugs.planted_bug import PlantedBug


def recurrent_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from gate_swaps()
    yield from recurrent_kernel_bugs()
    yield from cell_bugs()
    yield from reset_gate_bugs()
    yield from loop_bugs()


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
    """Yield every pair of gates swapped, forward and backward, on the page and in the kernel."""
    split = "a_i, a_f, a_g, a_o = array_module(a).split"
    yield from swaps("lstm", lstm_page.lstm_step, split, "ifgo", "a_{}", "gates")
    da = "concatenate((da_i, da_f, da_g, da_o)"
    back = lstm_page.lstm_step_backward
    yield from swaps("lstm", back, da, "ifgo", "da_{}", "gradients of gates")
    blocks, kernel = "i, f, o, g = gates[:H]", lstm_kernel.lstm_step
    for bug in swaps("lstm", kernel, blocks, "ifgo", "{}", "gates"):
        if bug.description != "gates i and g swapped":  # the names alone: i * g is g * i
            yield bug
    right = "xp.matmul(W, hx, out=gates)"
    wrong = f"{right}; gates[:H], gates[3 * H :] = gates[3 * H :].copy(), gates[:H].copy()"
    yield PlantedBug("gates i and g swapped", "lstm", kernel, right, wrong)
    back = lstm_kernel.lstm_step_backward
    da = "da_i, da_f, da_o, da_g = da[:H]"
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
    back = gru_kernel.gru_step_backward
    da = "dv_n, da_z, da_r, da_n = da[:H]"
    yield from swaps("gru", back, da, "zrn", "da_{}", "gradients of gates")
    for a, b, right, wrong in (
        ("z", "r", "z, r = zr[:H], zr[H:]", "r, z = zr[:H], zr[H:]"),
        ("z", "n", "n += u[2 * H :]", "n += u[:H]"),
        ("r", "n", "n += u[2 * H :]", "n += u[H : 2 * H]"),
    ):
        description = f"gates {a} and {b} swapped"
        yield PlantedBug(description, "gru", gru_kernel.gru_step, right, wrong)


def recurrent_kernel_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong with h_prev, its weights and their gradient."""
    rnn, rnn_back = simple_rnn_page.simple_rnn_step, simple_rnn_page.simple_rnn_step_backward
    lstm, lstm_back = lstm_page.lstm_step, lstm_page.lstm_step_backward
    gru, gru_back = gru_page.gru_step, gru_page.gru_step_backward
    before = gru_page.gru_reset_before_step
    before_back = gru_page.gru_reset_before_step_backward
    rnn_kernel = simple_rnn_kernel.SimpleRNNSweep.step_backward
    lstm_sweep, gru_sweep = lstm_kernel.LSTMSweep.step_backward, gru_kernel.GRUSweep.step_backward

    title = "recurrent kernel transposed"
    forth = "gate_product(h_prev, Wh, h_masks)"
    yield PlantedBug(title, "simple_rnn", rnn, forth, "gate_product(h_prev, Wh.T, h_masks)")
    for layer, function, da, G in (("lstm", lstm_back, "da", 4), ("gru", gru_back, "dv", 3)):
        right = f"gate_product_backward({da}, h_prev, Wh, h_masks)"
        transposed = f"array_module(Wh).hstack([w.T for w in array_module(Wh).split(Wh, {G}, 1)])"
        yield PlantedBug(title, layer, function, right, right.replace("Wh", transposed, 1))
    right = "dh_reset = da_n @ Wh[:, 2 * H :].T"
    yield PlantedBug(title, "gru_reset_before", before_back, right, right.removesuffix(".T"))
    right = "self.xp.matmul(self.W.T, self.a, out=self.dhx[t])  # (1')"
    wrong = f"{right}\n    self.dhx[t, : self.H] = self.W[:, : self.H] @ self.a"
    yield PlantedBug(title, "simple_rnn", rnn_kernel, right, wrong)
    blocks = "sum({W}[k * {H} : (k + 1) * {H}, :{H}] @ {da}[k * {H} : (k + 1) * {H}]"
    right = "self.xp.matmul(self.W.T, self.da, out=self.dhx[t])  # (1')"
    transposed = blocks.format(W="self.W", H="self.H", da="self.da") + " for k in range(4))"
    wrong = f"{right}\n    self.dhx[t, : self.H] = {transposed}"
    yield PlantedBug(title, "lstm", lstm_sweep, right, wrong)
    transposed = blocks.format(W="self.Wh", H="H", da="dv") + " for k in range(3))"
    yield PlantedBug(title, "gru", gru_sweep, "self.Wh[:, :H].T @ dv", transposed)

    title = "hidden state unshifted in the recurrent kernel's gradient"
    new_h = "z * h_prev + (1 - z) * n"
    for layer, function, right, h in (
        ("simple_rnn", rnn_back, "gate_product_backward(da, h_prev, Wh", "h"),
        ("lstm", lstm_back, "gate_product_backward(da, h_prev, Wh", "o * tanh_c"),
        ("gru", gru_back, "gate_product_backward(dv, h_prev, Wh", new_h),
        ("gru_reset_before", before_back, "gate_product_backward(dv, h_prev, Wh", new_h),
    ):
        yield PlantedBug(title, layer, function, right, right.replace("h_prev", h))
    for layer, function, da in (("simple_rnn", rnn_kernel, "a"), ("lstm", lstm_sweep, "da")):
        right = "self.dW += self.dW_step"
        new = f"self.dW_step[:, : self.H] = self.{da} @ self.hx[t + 1, : self.H].T"
        yield PlantedBug(title, layer, function, right, f"{new}\n    {right}")
    yield PlantedBug(title, "gru", gru_sweep, "dv @ hx1.T", "dv @ self.hx1[t + 1].T")

    title = "recurrent term lost"
    right = " + gate_product(h_prev, Wh, h_masks)"
    yield PlantedBug(title, "simple_rnn", rnn, right, "")
    yield PlantedBug(title, "lstm", lstm, right, "")
    yield PlantedBug(title, "gru", gru, "a_z, a_r = u_z + v_z, u_r + v_r", "a_z, a_r = u_z, u_r")
    yield PlantedBug(title, "gru_reset_before", before, "a_n = u_n + h_reset @ Wh[:, 2 * H :]",
                     "a_n = u_n")  # fmt: skip
    right, wrong = (
        "xp.matmul(W, hx, out={0})",
        "xp.matmul(W[:, len({1}) :], hx[len({1}) :], out={0})",
    )
    for layer, function, out, state in (
        ("simple_rnn", simple_rnn_kernel.simple_rnn_step, "a", "h"),
        ("lstm", lstm_kernel.lstm_step, "gates", "c"),
    ):
        yield PlantedBug(title, layer, function, right.format(out), wrong.format(out, state))
    yield PlantedBug(title, "gru", gru_kernel.gru_step, "xp.add(u[: 2 * H], v[H:], out=zr)",
                     "zr[...] = u[: 2 * H]")  # fmt: skip

    title = "recurrent term lost on the way back"
    yield PlantedBug(title, "simple_rnn", rnn_back, "return dx, dh_prev", "return dx, 0 * dh_prev")
    yield PlantedBug(title, "lstm", lstm_back, "return dx, dh_prev", "return dx, 0 * dh_prev")
    yield PlantedBug(title, "gru", gru_back, "dh_prev = dh_prev + dh * z", "dh_prev = dh * z")
    yield PlantedBug(title, "gru", gru_sweep, "self.Wh[:, :H].T @ dv + dh", "dh")
    right = "return self.dhx[t, : self.H], dc"
    yield PlantedBug(title, "lstm", lstm_sweep, right, right.replace("self.dhx", "0 * self.dhx"))


def cell_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong with an LSTM's cell, and with a candidate's tanh."""
    page, kernel = lstm_page.lstm_step_backward, lstm_kernel.lstm_step_backward
    title = "= for += in the cell gradient"
    yield PlantedBug(title, "lstm", page, "dc = dc + phi_backward", "dc = phi_backward")
    yield PlantedBug(title, "lstm", kernel, "dc += one", "dc[...] = one")

    title = "missing f in the cell's carry"
    yield PlantedBug(title, "lstm", page, "dc_prev = dc * f", "dc_prev = dc")
    yield PlantedBug(title, "lstm", kernel, "dc *= f", "dc *= 1")

    title = "tanh applied twice"
    for layer, function, right, wrong in (
        ("lstm", lstm_page.lstm_step, "h = o * tanh_c", "h = o * phi(tanh_c)"),
        (
            "lstm",
            lstm_kernel.lstm_step,
            "xp.multiply(o, tanh_c,",
            "xp.multiply(o, xp.tanh(tanh_c),",
        ),
        ("gru", gru_page.gru_step, "phi(a_n)", "phi(phi(a_n))"),
        ("gru_reset_before", gru_page.gru_reset_before_step, "phi(a_n)", "phi(phi(a_n))"),
        ("gru", gru_kernel.gru_step, "xp.tanh(n, out=n)", "xp.tanh(xp.tanh(n), out=n)"),
        (
            "simple_rnn",
            simple_rnn_page.simple_rnn_step,
            "h = activation.forward(a)",
            "h = activation.forward(activation.forward(a))",
        ),
        (
            "simple_rnn",
            simple_rnn_kernel.simple_rnn_step,
            "xp.tanh(a, out=h)",
            "xp.tanh(xp.tanh(a), out=h)",
        ),
    ):
        yield PlantedBug(title, layer, function, right, wrong)

    title = "derivative of tanh lost"
    right = "da_n = activation.backward(dn, a_n, n)"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, right, "da_n = dn")
    right = "da_g = phi_backward(dg, a_g, g)"
    yield PlantedBug(title, "lstm", page, right, "da_g = dg")


def reset_gate_bugs() -> Iterator[PlantedBug]:
    """Yield the reset gate on the wrong side of the product, or of the sum."""
    title = "reset gate on the wrong side"
    after, before = gru_page.gru_step, gru_page.gru_reset_before_step
    yield PlantedBug(title, "gru", after, "u_n + r * v_n",
                     "u_n + (r * h_prev) @ Wh[:, 2 * h_prev.shape[1] :]")  # fmt: skip
    yield PlantedBug(title, "gru_reset_before", before, "u_n + h_reset @ Wh[:, 2 * H :]",
                     "u_n + r * (h_prev @ Wh[:, 2 * H :])")  # fmt: skip
    yield PlantedBug(title, "gru", gru_kernel.gru_step,
                     "xp.multiply(r, v[:H], out=n)\n    n += u[2 * H :]",
                     "xp.multiply(r, u[2 * H :], out=n)\n    n += v[:H]")  # fmt: skip

    title = "reset gate on the wrong side on the way back"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, "dv_n = da_n * r", "dv_n = da_n")
    yield PlantedBug(title, "gru", gru_kernel.gru_step_backward, "xp.multiply(da_n, r, out=dv_n)",
                     "dv_n[...] = da_n")  # fmt: skip
    back = gru_page.gru_reset_before_step_backward
    right, wrong = "dWh_n = h_reset.T @ da_n", "dWh_n = h_prev.T @ (r * da_n)"
    yield PlantedBug(title, "gru_reset_before", back, right, wrong)

    title = "z and 1 - z exchanged on the way back"
    right, wrong = "dn = dh * (1 - z)", "dn = dh * z"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, right, wrong)
    yield PlantedBug(title, "gru_reset_before", back, right, wrong)


def loop_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong around the steps: states, time, masks, memory."""
    forward, backward = Recurrent.forward, Recurrent.backward
    title = "initial state ignored"
    yield PlantedBug(title, "simple_rnn", PageSweep.__init__, "stack[0] = state", "stack[0] = 0")
    yield PlantedBug(title, "lstm", Sweep.start, "stack[0] = state.T", "stack[0] = 0")

    title = "first time step skipped on the way back"
    right = "reversed(range(len(sweep.states[0]) - 1))"
    wrong = "reversed(range(1, len(sweep.states[0]) - 1))"
    yield PlantedBug(title, "lstm", backward, right, wrong)

    title = "gradient buffer started from the parameters"
    right = "self.xp.zeros_like({0})"
    for layer, sweep, array, wrong in (
        ("gru_reset_before", PageSweep, "w", "w.copy()"),
        ("simple_rnn", simple_rnn_kernel.SimpleRNNSweep, "self.W", "self.W.copy()"),
        ("lstm", lstm_kernel.LSTMSweep, "self.W", "self.W.copy()"),
        ("gru", gru_kernel.GRUSweep, "self.Wh", "self.Wh.copy()"),
    ):
        yield PlantedBug(title, layer, sweep.begin_backward, right.format(array), wrong)

    title = "gradient of the final state ignored"
    right = "sweep.enter(d) for d in"
    yield PlantedBug(title, "gru", backward, right, "0 * sweep.enter(d) for d in")

    title = "mask ignored"
    right = "xp.where(live[t], stack[t + 1], stack[t])"
    yield PlantedBug(title, "gru", forward, right, "stack[t + 1]")
    title = "mask ignored in the output"
    right = "hs = xp.where(shown if self.return_sequences else shown[-1], hs, 0)"
    yield PlantedBug(title, "lstm", forward, right, "pass")
    title = "mask ignored on the way back"
    right = "tuple(xp.where(live[t], d, 0) for d in dstates)"
    yield PlantedBug(title, "gru", backward, right, "dstates")
    title = "mask ignored in what a masked step hands on"
    right = "held = [xp.where(live[t], 0, d) for d in dstates]"
    yield PlantedBug(title, "lstm", backward, right, "held = [0 * d for d in dstates]")
    title, arguments = "mask not turned round with the input", {"go_backwards": True}
    right = "None if live is None else live[:, ::-1]"
    yield PlantedBug(title, "simple_rnn", forward, right, "live", arguments)
    title = "gradient not turned round again"
    yield PlantedBug(title, "lstm", backward, "dx = dx[:, ::-1]", "pass", arguments)

    title = "upstream gradient written in place"
    right = "dstates = (dstates[0] + dys[t], *dstates[1:])"
    wrong = "dys[t] += dstates[0]; dstates = (dys[t], *dstates[1:])"
    yield PlantedBug(title, "gru_reset_before", backward, right, wrong)
    right = 'return array.transpose(axes).copy(order="C")'
    title = "gradient of the final cell written in place"
    yield PlantedBug(title, "lstm", Sweep.enter, right, "return array.transpose(axes)")
    title = "buffer handed to the user"
    yield PlantedBug(title, "simple_rnn", Sweep.leave, right, "return array.transpose(axes)")
