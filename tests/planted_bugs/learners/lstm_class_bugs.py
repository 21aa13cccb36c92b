"""What learners get wrong in an LSTM layer."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def lstm_class_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from lstm_gate_dict()
    yield from lstm_masked()
    yield from lstm_time_major()
    yield from lstm_single_sequence()


def lstm_gate_dict() -> Iterator[LearnerBug]:
    code = CODES["lstm_gate_dict"]
    yield LearnerBug("backward loop never reaches t = 0", code, "first-step-skipped",
                     "X W_i b_i W_o b_o W_c b_c",
                     "range(n_timesteps - 1, -1, -1)", "range(n_timesteps - 1, 0, -1)",
                     known="an LSTM layer of a widely used library")
    yield LearnerBug("gradient buffer starts as a copy of the parameters", code, "plus-parameter",
                     "W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "np.zeros_like(p[k]) for k in p", "p[k].copy() for k in p",
                     known="an LSTM layer of a widely used library")
    yield LearnerBug("U's gradient with unshifted states", code, "state-unshifted",
                     "U_i U_f U_o U_c",
                     "self.outputs[:, t - 1, :].T, d[k]", "self.outputs[:, t, :].T, d[k]",
                     known="an LSTM layer of a widely used library")
    yield LearnerBug("dc_next not added", code, "carry-lost",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "dc_next + dh * o", "dh * o")
    yield LearnerBug("states[t] in the forget gate", code, "state-unshifted",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "dc * self.states[:, t - 1, :]", "dc * self.states[:, t, :]", gate="f")
    yield LearnerBug("dh_next through U", code, "weights-transposed",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     'np.dot(d[k], p["U_" + k].T)', 'np.dot(d[k], p["U_" + k])')
    yield LearnerBug("dh_next = for +=: one gate only", code, "path-lost",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "dh_next += np.dot", "dh_next = np.dot",
                     also=("last-use-only", "recurrent-term-lost"))
    yield LearnerBug("no tanh' in the candidate", code, "derivative-missing",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "dc * i * (1 - g**2)", "dc * i", gate="g")
    yield LearnerBug("factors of U's gradient exchanged", code, "transposed", "U_i U_f U_o U_c",
                     "np.dot(self.outputs[:, t - 1, :].T, d[k])",
                     "np.dot(d[k].T, self.outputs[:, t - 1, :])")
    yield LearnerBug("tanh' of tanh c", code, "derivative-at-output",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     "tanh_d(self.states[:, t, :])", "tanh_d(np.tanh(self.states[:, t, :]))")
    yield LearnerBug("i for g in the input gate", code, "wrong-operand",
                     "X W_i U_i b_i W_f U_f b_f W_o U_o b_o W_c U_c b_c",
                     '"i": dc * g * i', '"i": dc * i * i', gate="i")


def lstm_masked() -> Iterator[LearnerBug]:
    code = CODES["lstm_masked"]
    yield LearnerBug("every step is kept", code, "mask-ignored", "x kernel recurrent_kernel bias",
                     "keep = self.mask[:, t, None]", "keep = np.ones((B, 1), dtype=bool)")
    yield LearnerBug("held dh not handed on", code, "path-lost", "x kernel recurrent_kernel bias",
                     '["recurrent_kernel"].T + dh_held', '["recurrent_kernel"].T',
                     also=("mask-ignored",))
    yield LearnerBug("in dc only", code, "mask-ignored", "x kernel recurrent_kernel bias",
                     "dh * keep, dc * keep", "dh * keep, dc")
    yield LearnerBug("i and f in da", code, "gates-swapped", "x kernel recurrent_kernel bias",
                     "[di * i * (1 - i), df * f * (1 - f),", "[df * f * (1 - f), di * i * (1 - i),",
                     gate="i")
    yield LearnerBug("only the held dc is handed on", code, "carry-lost",
                     "x kernel recurrent_kernel bias",
                     "dc = dc_new * f + dc_held", "dc = dc_held")
    yield LearnerBug("g for i in the candidate", code, "wrong-operand",
                     "x kernel recurrent_kernel bias",
                     "dc_new * c_prev, dc_new * i", "dc_new * c_prev, dc_new * g", gate="g")
    yield LearnerBug("bias = for +=", code, "last-use-only", "bias",
                     'grads["bias"] += ', 'grads["bias"] = ')


def lstm_time_major() -> Iterator[LearnerBug]:
    code = CODES["lstm_time_major"]
    yield LearnerBug("i and f in dgates", code, "gates-swapped",
                     "seq weight_ih weight_hh bias_ih bias_hh",
                     "            dgates[:, :n] = dc * g * i * (1 - i)\n"
                     "            dgates[:, n : 2 * n] = dc * self.c[t] * f * (1 - f)\n",
                     "            dgates[:, n : 2 * n] = dc * g * i * (1 - i)\n"
                     "            dgates[:, :n] = dc * self.c[t] * f * (1 - f)\n",
                     gate="i")
    yield LearnerBug("g and o in dgates", code, "gates-swapped",
                     "seq weight_ih weight_hh bias_ih bias_hh",
                     "            dgates[:, 2 * n : 3 * n] = dc * i * (1 - g**2)\n"
                     "            dgates[:, 3 * n :] = dh * tc * o * (1 - o)\n",
                     "            dgates[:, 2 * n : 3 * n] = dh * tc * o * (1 - o)\n"
                     "            dgates[:, 3 * n :] = dc * i * (1 - g**2)\n",
                     gate="g")
    yield LearnerBug("zero_grad forgotten", code, "stale", "weight_ih weight_hh bias_ih bias_hh",
                     "        self.zero_grad()\n"
                     "        n = self",
                     "        n = self")
    yield LearnerBug("tanh' of the candidate squared", code, "derivative-twice",
                     "seq weight_ih weight_hh bias_ih bias_hh",
                     "dc * i * (1 - g**2)", "dc * i * (1 - g**2) ** 2", gate="g")
    yield LearnerBug("no sigmoid' in the output gate", code, "derivative-missing",
                     "seq weight_ih weight_hh bias_ih bias_hh",
                     "dh * tc * o * (1 - o)", "dh * tc", gate="o")
    yield LearnerBug("d_weight_hh = for +=", code, "last-use-only", "weight_hh",
                     "self.d_weight_hh += ", "self.d_weight_hh = ")
    yield LearnerBug("h of this step in d_weight_hh", code, "state-unshifted", "weight_hh",
                     "dgates.T @ self.h[t]", "dgates.T @ self.h[t + 1]")
    yield LearnerBug("no f in the cell's carry", code, "wrong-operand",
                     "seq weight_ih weight_hh bias_ih bias_hh",
                     "dc_next = dc * f", "dc_next = dc",
                     gate="f", also=("single-step-only", "derivative-missing"))
    yield LearnerBug("dh_next added into dout", code, "upstream-modified", "",
                     "dh = dout[t] + dh_next",
                     "dh = dout[t]\n"
                     "            dh += dh_next")
    yield LearnerBug("d_weight_ih averaged over the batch", code, "constant-factor", "weight_ih",
                     "dgates.T @ self.seq[t]", "dgates.T @ self.seq[t] / len(dh)")


def lstm_single_sequence() -> Iterator[LearnerBug]:
    code = CODES["lstm_single_sequence"]
    yield LearnerBug("no sigmoid' in the input gate", code, "derivative-missing",
                     "x Wf bf Wi bi WC bC Wo bo",
                     "            di = dsig(i) * di\n", "", gate="i")
    yield LearnerBug("sigmoid' in the candidate", code, "derivative-of-another",
                     "x Wf bf Wi bi WC bC Wo bo",
                     "dtanh(C_bar)", "dsig(C_bar)", gate="g")
    yield LearnerBug("1 - C²", code, "derivative-at-input", "x Wf bf Wi bi WC bC Wo bo",
                     "dtanh(tanh_C)", "dtanh(self.C_s[t])")
    yield LearnerBug("C_bar for i in the candidate", code, "wrong-operand",
                     "x Wf bf Wi bi WC bC Wo bo",
                     "dC_bar = dC * i", "dC_bar = dC * C_bar", gate="g")
    yield LearnerBug("dC = for +=", code, "carry-lost", "x Wf bf Wi bi WC bC Wo bo",
                     "dC += dh * o", "dC = dh * o")
    yield LearnerBug("dbo = for +=", code, "last-use-only", "bo",
                     "self.dbo += do", "self.dbo = do")
    yield LearnerBug("dWf starts as Wf", code, "plus-parameter", "Wf",
                     "np.zeros_like(self.Wf)", "np.copy(self.Wf)")
    yield LearnerBug("no output gate in dz", code, "path-lost", "x Wf bf Wi bi WC bC Wo bo",
                     " + self.Wo.T @ do", "", gate="o")
    yield LearnerBug("C of this step in the forget gate", code, "state-unshifted",
                     "x Wf bf Wi bi WC bC Wo bo",
                     "dC * self.C_s[t - 1]", "dC * self.C_s[t]", gate="f")
    yield LearnerBug("dC_next += for =", code, "single-step-only", "x Wf bf Wi bi WC bC Wo bo",
                     "dC_next = f * dC", "dC_next += f * dC")
    yield LearnerBug("dh_next not added", code, "recurrent-term-lost", "x Wf bf Wi bi WC bC Wo bo",
                     "dy[t].reshape(-1, 1) + dh_next", "dy[t].reshape(-1, 1)")
