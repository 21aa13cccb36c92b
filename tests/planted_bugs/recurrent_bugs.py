"""What people get wrong in the steps of SimpleRNN, LSTM and GRU, on the page and in kernels."""

from __future__ import annotations

from collections.abc import Iterator

from scratchnet.equations import gru as gru_page
from scratchnet.equations import lstm as lstm_page
from scratchnet.equations import simple_rnn as simple_rnn_page
from scratchnet.kernels import gru as gru_kernel
from scratchnet.kernels import lstm as lstm_kernel
from scratchnet.kernels import simple_rnn as simple_rnn_kernel
from scratchnet.kernels import sweep
from tests.planted_bugs.planted_bug import PlantedBug


def recurrent_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from recurrent_kernel_bugs()
    yield from kernel_recurrent_kernel_bugs()
    yield from cell_bugs()
    yield from local_derivative_bugs()
    yield from reset_gate_bugs()


def recurrent_kernel_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong with h_prev, its weights and their gradient on the page."""
    rnn, rnn_back = simple_rnn_page.simple_rnn_step, simple_rnn_page.simple_rnn_step_backward
    lstm, lstm_back = lstm_page.lstm_step, lstm_page.lstm_step_backward
    gru, gru_back = gru_page.gru_step, gru_page.gru_step_backward
    before = gru_page.gru_reset_before_step
    before_back = gru_page.gru_reset_before_step_backward

    title = "recurrent kernel transposed"
    forth = "gate_product(h_prev, Wh, h_masks)"
    yield PlantedBug(title, "simple_rnn", rnn, forth, "gate_product(h_prev, Wh.T, h_masks)")
    for layer, function, da, G in (("lstm", lstm_back, "da", 4), ("gru", gru_back, "dv", 3)):
        right = f"gate_product_backward({da}, h_prev, Wh, h_masks)"
        transposed = f"array_module(Wh).hstack([w.T for w in array_module(Wh).split(Wh, {G}, 1)])"
        yield PlantedBug(title, layer, function, right, right.replace("Wh", transposed, 1))
    right = "dh_reset = da_n @ Wh[:, 2 * H :].T"
    yield PlantedBug(title, "gru_reset_before", before_back, right, right.removesuffix(".T"))

    title = "hidden state unshifted in the recurrent kernel's gradient"
    new_h = "z * h_prev + (1 - z) * n"
    for layer, function, right, h in (
        ("simple_rnn", rnn_back, "gate_product_backward(da, h_prev, Wh", "h"),
        ("lstm", lstm_back, "gate_product_backward(da, h_prev, Wh", "o * tanh_c"),
        ("gru", gru_back, "gate_product_backward(dv, h_prev, Wh", new_h),
        ("gru_reset_before", before_back, "gate_product_backward(dv, h_prev, Wh", new_h),
    ):
        yield PlantedBug(title, layer, function, right, right.replace("h_prev", h))

    title = "recurrent term lost"
    right = " + gate_product(h_prev, Wh, h_masks)"
    yield PlantedBug(title, "simple_rnn", rnn, right, "")
    yield PlantedBug(title, "lstm", lstm, right, "")
    yield PlantedBug(title, "gru", gru, "a_z, a_r = u_z + v_z, u_r + v_r", "a_z, a_r = u_z, u_r")
    yield PlantedBug(title, "gru_reset_before", before, "a_n = u_n + h_reset @ Wh[:, 2 * H :]",
                     "a_n = u_n")  # fmt: skip

    title = "recurrent term lost on the way back"
    yield PlantedBug(title, "simple_rnn", rnn_back, "return dx, dh_prev", "return dx, 0 * dh_prev")
    yield PlantedBug(title, "lstm", lstm_back, "return dx, dh_prev", "return dx, 0 * dh_prev")
    yield PlantedBug(title, "gru", gru_back, "dh_prev = dh_prev + dh * z", "dh_prev = dh * z")


def kernel_recurrent_kernel_bugs() -> Iterator[PlantedBug]:
    """Yield the same in the kernels."""
    kernels = {"simple_rnn": simple_rnn_kernel, "lstm": lstm_kernel, "gru": gru_kernel}
    title = "recurrent kernel transposed"
    right = 'params["recurrent_kernel"]'
    yield PlantedBug(title, "simple_rnn", sweep.joint_weights, right, f"{right}.T")
    right = "kernel[:, gate], recurrent[:, gate]"
    yield PlantedBug(title, "lstm", lstm_kernel.arranged, right, f"{right}.T")
    title = "recurrent kernel transposed on the way back"
    right = 'params["recurrent_kernel"].T.copy'
    arranged = simple_rnn_kernel.arranged
    yield PlantedBug(title, "simple_rnn", arranged, right, right.replace(".T", ""))
    right, wrong = 'Wh.T.copy(order="C")', "xp.concatenate(xp.split(Wh, 3, axis=1))"
    yield PlantedBug(title, "gru", gru_kernel.arranged, right, wrong)
    right = "back[block] = recurrent[:, gate].T"
    yield PlantedBug(title, "lstm", lstm_kernel.arranged, right, right.removesuffix(".T"))

    title = "hidden state unshifted in the recurrent kernel's gradient"
    right = "xh, da = self.xh[steps], self.das[: steps.stop - steps.start]"
    wrong = (
        f"{right}; xh = xh.copy()\n"
        "    xh[:, :, self.D + 1 :] = self.states[0][steps.start + 1 : steps.stop + 1]"
    )
    for layer in kernels:
        yield PlantedBug(title, layer, sweep.Sweep._add_products, right, wrong)

    title = "recurrent term lost"
    rnn, lstm, gru = (kernels[layer] for layer in ("simple_rnn", "lstm", "gru"))
    right, H = "xp.matmul(xh, W, out=h)", "-W.shape[1]"
    wrong = f"xp.matmul(xh[:, :{H}], W[:{H}], out=h)"
    yield PlantedBug(title, "simple_rnn", rnn.simple_rnn_step, right, wrong)
    right, H = "xp.matmul(at.xh, W, out=at.a)", "-W.shape[2]"
    wrong = f"xp.matmul(at.xh[:, :{H}], W[:, :{H}], out=at.a)"
    yield PlantedBug(title, "lstm", lstm.lstm_step, right, wrong)
    right, H = "xp.matmul(at.xh, W_rz, out=rz)", "-W_rz.shape[2]"
    wrong = f"xp.matmul(at.xh[:, :{H}], W_rz[:, :{H}], out=rz)"
    yield PlantedBug(title, "gru", gru.gru_step, right, wrong)
    right, wrong = "xp.matmul(at.h1, W_v, out=at.v_n)", "at.v_n[...] = W_v[0]"
    yield PlantedBug(f"{title} in the candidate", "gru", gru.gru_step, right, wrong)

    title = "recurrent term lost on the way back"
    for layer, function, right in (
        ("simple_rnn", rnn.simple_rnn_step_backward, "xp.matmul(da, back, out=dh)"),
        ("lstm", lstm.lstm_step_backward, "xp.matmul(at.da, back, out=dh)"),
        ("gru", gru.gru_step_backward, "xp.matmul(at.dv, back, out=dh)"),
    ):
        yield PlantedBug(title, layer, function, right, "dh[...] = 0")
    yield PlantedBug("what z carries lost on the way back", "gru", gru.gru_step_backward,
                     "dh += at.into_dh", "pass")  # fmt: skip


def cell_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong with an LSTM's cell, and with a candidate's tanh."""
    page, kernel = lstm_page.lstm_step_backward, lstm_kernel.lstm_step_backward
    title = "= for += in the cell gradient"
    yield PlantedBug(title, "lstm", page, "dc = dc + phi_backward", "dc = phi_backward")
    yield PlantedBug(title, "lstm", kernel, "dc += at.into_dc", "dc[...] = at.into_dc")

    title = "missing f in the cell's carry"
    yield PlantedBug(title, "lstm", page, "dc_prev = dc * f", "dc_prev = dc")
    yield PlantedBug(title, "lstm", kernel, "dc *= f", "dc *= 1")
    yield PlantedBug("i for f in the cell's carry", "lstm", lstm_kernel.LSTMSweep._step_back,
                     "self.gates[t, 1]", "self.gates[t, 2]")  # fmt: skip

    title = "tanh applied twice"
    for layer, function, right, wrong in (
        ("lstm", lstm_page.lstm_step, "h = o * tanh_c", "h = o * phi(tanh_c)"),
        (
            "lstm",
            lstm_kernel.lstm_step,
            "xp.multiply(at.o, at.tanh_c,",
            "xp.multiply(at.o, xp.tanh(at.tanh_c),",
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
            "xp.tanh(h, out=h)",
            "xp.tanh(xp.tanh(h), out=h)",
        ),
    ):
        yield PlantedBug(title, layer, function, right, wrong)


def local_derivative_bugs() -> Iterator[PlantedBug]:
    """Yield local derivatives that are lost, another gate's, or another step's."""
    rnn = simple_rnn_kernel.simple_rnn_local_derivatives
    lstm, gru = lstm_kernel.lstm_local_derivatives, gru_kernel.gru_local_derivatives
    title = "derivative of tanh lost"
    right = "da_n = activation.backward(dn, a_n, n)"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, right, "da_n = dn")
    right = "da_g = phi_backward(dg, a_g, g)"
    yield PlantedBug(title, "lstm", lstm_page.lstm_step_backward, right, "da_g = dg")
    for layer, function, slope in (
        ("simple_rnn", rnn, "over_dh"), ("gru", gru, "over_n"), ("lstm", lstm, "slopes[:, 3]"),
    ):  # fmt: skip
        right, wrong = f"xp.subtract(1, {slope}, out={slope})", f"{slope}[...] = 1"
        yield PlantedBug(title, layer, function, right, wrong)
    yield PlantedBug("derivative of the cell's tanh lost", "lstm", lstm,
                     "xp.subtract(1, into_dc, out=into_dc)", "into_dc[...] = 1")  # fmt: skip
    title = "derivative of the sigmoids lost"
    right = "xp.subtract(ofi, slopes[:, :3], out=slopes[:, :3])"
    yield PlantedBug(title, "lstm", lstm, right, "slopes[:, :3] = 1")
    right = "xp.subtract(rz, slopes, out=slopes)"
    yield PlantedBug(title, "gru", gru, right, "slopes[...] = 1")

    title = "slope of another gate"
    yield PlantedBug(title, "lstm", lstm, "gates[:, :3], gates[:, 0]", "gates[:, 1:4], gates[:, 0]")
    yield PlantedBug(f"{title}, z for r", "gru", gru, "over_r *= slopes[:, 0]",
                     "over_r *= slopes[:, 1]")  # fmt: skip
    yield PlantedBug(f"{title}, r for z", "gru", gru, "over_z *= slopes[:, 1]",
                     "over_z *= slopes[:, 0]")  # fmt: skip
    yield PlantedBug("f for o where dh becomes dc", "lstm", lstm, "into_dc *= o",
                     "into_dc *= gates[:, 1]")  # fmt: skip

    title = "local derivatives of the step before"
    yield PlantedBug(title, "simple_rnn", simple_rnn_kernel.SimpleRNNSweep._local_derivatives,
                     "self.hs[steps.start + 1 : steps.stop + 1]", "self.hs[steps]")  # fmt: skip
    title = "h for h_prev in the update gate's gradient"
    yield PlantedBug(title, "gru", gru_kernel.GRUSweep._local_derivatives, "self.hs[steps]",
                     "self.hs[steps.start + 1 : steps.stop + 1]")  # fmt: skip


def reset_gate_bugs() -> Iterator[PlantedBug]:
    """Yield the reset gate on the wrong side of the product, or of the sum."""
    title = "reset gate on the wrong side"
    after, before = gru_page.gru_step, gru_page.gru_reset_before_step
    yield PlantedBug(title, "gru", after, "u_n + r * v_n",
                     "u_n + (r * h_prev) @ Wh[:, 2 * h_prev.shape[1] :]")  # fmt: skip
    yield PlantedBug(title, "gru_reset_before", before, "u_n + h_reset @ Wh[:, 2 * H :]",
                     "u_n + r * (h_prev @ Wh[:, 2 * H :])")  # fmt: skip
    yield PlantedBug(title, "gru", gru_kernel.gru_step,
                     "xp.multiply(at.r, at.v_n, out=tmp)\n    n += tmp",
                     "n *= at.r\n    n += at.v_n")  # fmt: skip

    title = "reset gate on the wrong side on the way back"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, "dv_n = da_n * r", "dv_n = da_n")
    right = "xp.multiply(at.da_n, over[:2], out=at.from_da_n)"
    wrong = f"{right}; at.from_da_n[1] = at.da_n"
    yield PlantedBug(title, "gru", gru_kernel.gru_step_backward, right, wrong)
    back = gru_page.gru_reset_before_step_backward
    right, wrong = "dWh_n = h_reset.T @ da_n", "dWh_n = h_prev.T @ (r * da_n)"
    yield PlantedBug(title, "gru_reset_before", back, right, wrong)

    title = "z and 1 - z exchanged on the way back"
    right, wrong = "dn = dh * (1 - z)", "dn = dh * z"
    yield PlantedBug(title, "gru", gru_page.gru_step_backward, right, wrong)
    yield PlantedBug(title, "gru_reset_before", back, right, wrong)
    right, wrong = "xp.subtract(1, z, out=slopes[:, 1])", "slopes[:, 1] = z"
    yield PlantedBug(title, "gru", gru_kernel.gru_local_derivatives, right, wrong)
