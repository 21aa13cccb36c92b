"""What learners get wrong in GRU."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def gru_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from gru_time_major()
    yield from gru_gates()
    yield from gru_reset_after()
    yield from gru_joint()
    yield from gru_cell()
    yield from gru_cell_framework()


def gru_time_major() -> Iterator[LearnerBug]:
    code = CODES["gru_time_major"]
    yield LearnerBug("dh through z alone", code, "path-lost",
                     "x weight_ih weight_hh bias_ih bias_hh",
                     ' + d_hh @ P["weight_hh"]', "", also=("recurrent-term-lost",))
    yield LearnerBug("dh z not handed on", code, "path-lost",
                     "x weight_ih weight_hh bias_ih bias_hh",
                     "dh * z + d_hh", "d_hh", also=("carry-lost", "recurrent-term-lost"))
    yield LearnerBug("no r in the recurrent candidate", code, "wrong-operand",
                     "x weight_ih weight_hh bias_ih bias_hh",
                     "[dar, daz, dan * r]", "[dar, daz, dan]", gate="n", also=("path-lost",))
    yield LearnerBug("z for 1 - z", code, "wrong-operand", "x weight_ih weight_hh bias_ih bias_hh",
                     "dn = dh * (1 - z)", "dn = dh * z", gate="n")
    yield LearnerBug("r and z in d_ih", code, "gates-swapped", "x weight_ih bias_ih",
                     "[dar, daz, dan]", "[daz, dar, dan]", gate="r")
    yield LearnerBug("no tanh' in the candidate", code, "derivative-missing",
                     "x weight_ih weight_hh bias_ih bias_hh",
                     "dan = dn * (1 - n**2)", "dan = dn", gate="n")
    yield LearnerBug("h of this step in weight_hh", code, "state-unshifted", "weight_hh",
                     "d_hh.T @ h_prev", "d_hh.T @ ((1 - z) * n + z * h_prev)")
    yield LearnerBug("n - h_prev", code, "wrong-sign", "x weight_ih weight_hh bias_ih bias_hh",
                     "dh * (h_prev - n)", "dh * (n - h_prev)", gate="z")
    yield LearnerBug("bias_hh = for +=", code, "last-use-only", "bias_hh",
                     'self.grads["bias_hh"] += ', 'self.grads["bias_hh"] = ')
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped",
                     "x weight_ih bias_ih bias_hh",
                     "reversed(range(len(dy)))", "reversed(range(1, len(dy)))")
    yield LearnerBug("gradients made once", code, "stale", "weight_ih weight_hh bias_ih bias_hh",
                     "self.grads = {k: np.zeros_like",
                     "self.grads = self.grads or {k: np.zeros_like")


def gru_gates() -> Iterator[LearnerBug]:
    code = CODES["gru_gates"]
    yield LearnerBug("no way back through r * h", code, "path-lost", "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "dh * z + drh * r + dr", "dh * z + dr", gate="n")
    yield LearnerBug("no way back through z * h", code, "path-lost", "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "dh * z + drh * r", "drh * r", also=("carry-lost",))
    yield LearnerBug("no r in dUh", code, "wrong-operand", "Uh",
                     "(r * h).T @ dhbar", "h.T @ dhbar", gate="n")
    yield LearnerBug("dh_next through Ur", code, "weights-transposed",
                     "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "dr @ self.Ur.T", "dr @ self.Ur", gate="r")
    yield LearnerBug("no sigmoid' in the update gate", code, "derivative-missing",
                     "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "dh * (h - hbar) * z * (1 - z)", "dh * (h - hbar)", gate="z")
    yield LearnerBug("dh_next not added", code, "recurrent-term-lost",
                     "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "dout[:, t] + dh_next", "dout[:, t]")
    yield LearnerBug("factors of dUz exchanged", code, "transposed", "Uz",
                     "self.dUz += h.T @ dz", "self.dUz += dz.T @ h", gate="z")
    yield LearnerBug("dUz starts as Uz", code, "plus-parameter", "Uz",
                     "0 * self.Uz,", "self.Uz.copy(),", gate="z")
    yield LearnerBug("loop starts at T - 2", code, "last-step-skipped",
                     "x Wz Uz bz Wr Ur br Wh Uh bh",
                     "range(dout.shape[1] - 1, -1, -1)", "range(dout.shape[1] - 2, -1, -1)")
    yield LearnerBug("dh_next added into dout", code, "upstream-modified", "",
                     "dh = dout[:, t] + dh_next",
                     "dh = dout[:, t]\n"
                     "            dh += dh_next")


def gru_reset_after() -> Iterator[LearnerBug]:
    code = CODES["gru_reset_after"]
    yield LearnerBug("no r in the recurrent candidate", code, "wrong-operand",
                     "x h0 kernel recurrent_kernel bias",
                     "[dz, dr, dhh * r]", "[dz, dr, dhh]", gate="n", also=("path-lost",))
    yield LearnerBug("z and r in dmi", code, "gates-swapped", "x h0 kernel recurrent_kernel bias",
                     "[dz, dr, dhh * r]", "[dr, dz, dhh * r]", gate="z")
    yield LearnerBug("dh z not handed on", code, "path-lost", "x h0 kernel recurrent_kernel bias",
                     "dh * z + dmi", "dmi", also=("carry-lost", "recurrent-term-lost"))
    yield LearnerBug("tanh' of the candidate squared", code, "derivative-twice",
                     "x h0 kernel recurrent_kernel bias",
                     "(1 - hh * hh)", "(1 - hh * hh) ** 2", gate="n")
    yield LearnerBug("recurrent bias summed over the units too", code, "bias-axis", "bias",
                     "dmi.sum(axis=0)", "dmi.sum()")
    yield LearnerBug("hh - h_prev", code, "wrong-sign", "x h0 kernel recurrent_kernel bias",
                     "(h_prev - hh)", "(hh - h_prev)", gate="z")
    yield LearnerBug("d_kernel = for +=", code, "last-use-only", "kernel",
                     "d_kernel += ", "d_kernel = ")
    yield LearnerBug("dh overwritten", code, "recurrent-term-lost",
                     "x h0 kernel recurrent_kernel bias",
                     "dh = dh + dhs[:, t]", "dh = dhs[:, t]")


def gru_joint() -> Iterator[LearnerBug]:
    code = CODES["gru_joint"]
    yield LearnerBug("no r in dW_n", code, "wrong-operand", "W_n",
                     "(r[t] * h[t], xs[t]), axis=1).T", "(h[t], xs[t]), axis=1).T", gate="n")
    yield LearnerBug("r and z in da_rz", code, "gates-swapped", "xs h_init W_rz b_rz W_n b_n",
                     "(da_r, da_z)", "(da_z, da_r)", gate="r")
    yield LearnerBug("no way back through r * h", code, "path-lost", "xs h_init W_rz b_rz W_n b_n",
                     " + dhx[:, :H] * r[t]", "", gate="n")
    yield LearnerBug("dxs through r and z alone", code, "path-lost", "xs",
                     "dhx[:, H:] + dhx2[:, H:]", "dhx2[:, H:]", gate="n")
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped",
                     "xs h_init W_rz b_rz W_n b_n",
                     "range(T - 1, -1, -1)", "range(T - 1, 0, -1)")
    yield LearnerBug("no sigmoid' in the update gate", code, "derivative-missing",
                     "xs h_init W_rz b_rz W_n b_n",
                     "dh * (n[t] - h[t]) * z[t] * (1 - z[t])", "dh * (n[t] - h[t])", gate="z")
    yield LearnerBug("h of this step in dW_rz", code, "state-unshifted", "W_rz",
                     "np.concatenate((h[t], xs[t]), axis=1).T",
                     "np.concatenate((h[t + 1], xs[t]), axis=1).T")
    yield LearnerBug("1 - z for z", code, "wrong-operand", "xs h_init W_rz b_rz W_n b_n",
                     "da_n = dh * z[t]", "da_n = dh * (1 - z[t])", gate="n")


def gru_cell() -> Iterator[LearnerBug]:
    code = CODES["gru_cell"]
    yield LearnerBug("no way back through the reset gate", code, "path-lost", "h_prev",
                     " + dh_fhh + dh_fr", " + dh_fhh", gate="r")
    yield LearnerBug("no way back through z * h_prev", code, "path-lost", "h_prev",
                     "dh_fz_inner + dh_fz + dh_fhh", "dh_fz_inner + dh_fhh", also=("carry-lost",))
    yield LearnerBug("dh_prev through Uz", code, "weights-transposed", "h_prev",
                     "np.dot(Uz.T, dz_l)", "np.dot(Uz, dz_l)", gate="z")
    yield LearnerBug("no r in dUh", code, "wrong-operand", "Uh",
                     "(r * h_prev).T)", "h_prev.T)", gate="n")
    yield LearnerBug("no sigmoid' in the reset gate", code, "derivative-missing",
                     "x h_prev Wr Ur br",
                     "dr_l = dr * r * (1 - r)", "dr_l = dr", gate="r")
    yield LearnerBug("sigmoid' in the candidate", code, "derivative-of-another",
                     "x h_prev Wr Ur br Wh Uh bh",
                     "(1 - h_hat**2)", "h_hat * (1 - h_hat)", gate="n")
    yield LearnerBug("h_hat - h_prev", code, "wrong-sign", "x h_prev Wz Uz bz",
                     "(h_prev - h_hat)", "(h_hat - h_prev)", gate="z")
    yield LearnerBug("factors of dUr exchanged", code, "transposed", "Ur",
                     "np.dot(dr_l, h_prev.T)", "np.dot(h_prev, dr_l.T)", gate="r")
    yield LearnerBug("z for 1 - z", code, "wrong-operand", "x h_prev Wr Ur br Wh Uh bh",
                     "dh_hat = dh * (1 - z)", "dh_hat = dh * z", gate="n")
    yield LearnerBug("dbz never assigned", code, "all-zero", "bz",
                     "dbz = dz_l", "dbz = np.zeros_like(dz_l)", gate="z")


def gru_cell_framework() -> Iterator[LearnerBug]:
    code = CODES["gru_cell_framework"]
    yield LearnerBug("r and z in g_gi", code, "gates-swapped", "input w_ih b_ih",
                     "[g_reset_in, g_update_in, g_new_in]", "[g_update_in, g_reset_in, g_new_in]",
                     gate="r")
    yield LearnerBug("no r in the recurrent candidate", code, "wrong-operand", "hx w_hh b_hh",
                     "g_new_in * resetgate]", "g_new_in]", gate="n", also=("path-lost",))
    yield LearnerBug("no way back through z * hx", code, "path-lost", "hx",
                     " + grad_hy * updategate", "", also=("carry-lost",))
    yield LearnerBug("sigmoid' in the update gate squared", code, "derivative-twice",
                     "input hx w_ih w_hh b_ih b_hh",
                     "g_update * updategate * (1 - updategate)",
                     "g_update * (updategate * (1 - updategate)) ** 2", gate="z")
    yield LearnerBug("mean for sum in b_ih", code, "constant-factor", "b_ih",
                     "g_gi.sum(axis=0)", "g_gi.mean(axis=0)")
    yield LearnerBug("no sigmoid' in the reset gate", code, "derivative-missing",
                     "input hx w_ih w_hh b_ih b_hh",
                     "g_reset_in = g_reset * resetgate * (1 - resetgate)", "g_reset_in = g_reset",
                     gate="r")
