"""What learners get wrong in SimpleRNN."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def rnn_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from rnn_assignment()
    yield from rnn_minimal()
    yield from rnn_layer()
    yield from rnn_time_major()
    yield from rnn_cell_columns()
    yield from rnn_cell_joint()
    yield from rnn_cell_joint_batch()


def rnn_assignment() -> Iterator[LearnerBug]:
    code = CODES["rnn_assignment"]
    yield LearnerBug("dprev_h not added", code, "recurrent-term-lost", "x h0 Wx Wh b",
                     "dh[:, t] + dprev_h", "dh[:, t]")
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped", "x h0 Wx Wh b",
                     "reversed(range(T))", "reversed(range(1, T))")
    yield LearnerBug("loop starts at T - 2", code, "last-step-skipped", "x h0 Wx Wh b",
                     "reversed(range(T))", "reversed(range(T - 1))")
    yield LearnerBug("dWh = for +=", code, "last-use-only", "Wh",
                     "dWh += dWh_t", "dWh = dWh_t")
    yield LearnerBug("db = for +=", code, "last-use-only", "b",
                     "db += db_t", "db = db_t")
    yield LearnerBug("next_h in dWh", code, "state-unshifted", "Wh",
                     "prev_h.T.dot(dtanh)", "next_h.T.dot(dtanh)")
    yield LearnerBug("no tanh'", code, "derivative-missing", "x h0 Wx Wh b",
                     "dtanh = dnext_h * (1 - next_h**2)", "dtanh = dnext_h")
    yield LearnerBug("tanh' of next_h", code, "derivative-at-output", "x h0 Wx Wh b",
                     "(1 - next_h**2)", "(1 - np.tanh(next_h) ** 2)")
    yield LearnerBug("sigmoid' for tanh'", code, "derivative-of-another", "x h0 Wx Wh b",
                     "dnext_h * (1 - next_h**2)", "dnext_h * next_h * (1 - next_h)")
    yield LearnerBug("dprev_h through Wh", code, "weights-transposed", "x h0 Wx Wh b",
                     "dtanh.dot(Wh.T)", "dtanh.dot(Wh)")
    yield LearnerBug("factors of dWh exchanged", code, "transposed", "Wh",
                     "prev_h.T.dot(dtanh)", "dtanh.T.dot(prev_h)")
    yield LearnerBug("the last step's cache for every step", code, "single-step-only",
                     "x h0 Wx Wh b",
                     "rnn_step_backward(dnext_h, caches[t])",
                     "rnn_step_backward(dnext_h, caches[-1])")
    yield LearnerBug("db summed over the units too", code, "bias-axis", "b",
                     "dtanh.sum(axis=0)", "dtanh.sum()")
    yield LearnerBug("dWh starts as Wh", code, "plus-parameter", "Wh",
                     "np.zeros((H, H))", "caches[0][3].copy()")
    yield LearnerBug("dprev_h added into dh", code, "upstream-modified", "",
                     "dnext_h = dh[:, t] + dprev_h",
                     "dnext_h = dh[:, t]\n"
                     "        dnext_h += dprev_h")


def rnn_minimal() -> Iterator[LearnerBug]:
    code = CODES["rnn_minimal"]
    yield LearnerBug("sigmoid' for tanh'", code, "derivative-of-another", "inputs hprev Wxh Whh bh",
                     "(1 - hs[t] * hs[t]) * dh", "hs[t] * (1 - hs[t]) * dh")
    yield LearnerBug("dWhh = for +=", code, "last-use-only", "Whh",
                     "dWhh += np.dot(", "dWhh = np.dot(")
    yield LearnerBug("hs[t] in dWhh", code, "state-unshifted", "Whh",
                     "hs[t - 1].T)", "hs[t].T)")
    yield LearnerBug("dhnext through Whh", code, "weights-transposed", "inputs hprev Wxh Whh bh",
                     "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)")
    yield LearnerBug("dhnext += for =", code, "single-step-only", "inputs hprev Wxh Whh bh",
                     "dhnext = np.dot(Whh.T", "dhnext += np.dot(Whh.T")
    yield LearnerBug("dWhh starts as Whh", code, "plus-parameter", "Whh",
                     "np.zeros_like(Whh)", "np.copy(Whh)")
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped", "inputs hprev Wxh Whh bh",
                     "reversed(range(len(xs)))", "reversed(range(1, len(xs)))")
    yield LearnerBug("dhnext not added", code, "recurrent-term-lost", "inputs hprev Wxh Whh bh",
                     "dhs[t] + dhnext", "dhs[t]")


def rnn_layer() -> Iterator[LearnerBug]:
    code = CODES["rnn_layer"]
    yield LearnerBug("1 - a²", code, "derivative-at-input", "x W U b",
                     "(1 - self.h[:, t] ** 2)", "(1 - self.a[:, t] ** 2)")
    yield LearnerBug("gradients never zeroed", code, "stale", "W U b",
                     "        for name in self.grads:\n"
                     "            self.grads[name] = np.zeros_like(self.params[name])\n",
                     "")
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped", "x W b",
                     "range(steps - 1, -1, -1)", "range(steps - 1, 0, -1)")
    yield LearnerBug("carry not added", code, "recurrent-term-lost", "x W U b",
                     "dh = dy[:, t] + carry", "dh = dy[:, t]")
    yield LearnerBug("h[:, t] in dU", code, "state-unshifted", "U",
                     "self.h[:, t - 1].T @ da", "self.h[:, t].T @ da")
    yield LearnerBug("mean for sum in db", code, "constant-factor", "b",
                     "da.sum(axis=0)", "da.mean(axis=0)")
    yield LearnerBug("gradients start as the parameters", code, "plus-parameter", "W U b",
                     "np.zeros_like(self.params[name])", "self.params[name].copy()")
    yield LearnerBug("db accumulated in a local name", code, "all-zero", "b",
                     'self.grads["b"] += da', 'db = self.grads["b"] + da')
    yield LearnerBug("carry added into dy", code, "upstream-modified", "",
                     "dh = dy[:, t] + carry",
                     "dh = dy[:, t]\n"
                     "            dh += carry")
    yield LearnerBug("dU = for +=", code, "last-use-only", "U",
                     'self.grads["U"] += ', 'self.grads["U"] = ')


def rnn_time_major() -> Iterator[LearnerBug]:
    code = CODES["rnn_time_major"]
    yield LearnerBug("grad_h overwritten", code, "recurrent-term-lost",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "grad_h = grad_h + grad_out[step]", "grad_h = grad_out[step]")
    yield LearnerBug("len - 1", code, "last-step-skipped",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "range(len(grad_out))[::-1]", "range(len(grad_out) - 1)[::-1]")
    yield LearnerBug("tanh' squared", code, "derivative-twice",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "(1.0 - h_new * h_new)", "(1.0 - h_new * h_new) ** 2")
    yield LearnerBug("grad_h through weight_hh.T", code, "weights-transposed",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "grad_gate @ self.weight_hh", "grad_gate @ self.weight_hh.T")
    yield LearnerBug("grad_bias_hh = for +=", code, "last-use-only", "bias_hh",
                     "grad_bias_hh += grad_gate", "grad_bias_hh = grad_gate")
    yield LearnerBug("backward loop runs forward", code, "single-step-only",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "range(len(grad_out))[::-1]", "range(len(grad_out))")
    yield LearnerBug("factors of grad_weight_hh exchanged", code, "transposed", "weight_hh",
                     "grad_gate.T @ h_old", "h_old.T @ grad_gate")
    yield LearnerBug("grad_h keeps its own gradient", code, "single-step-only",
                     "inp weight_ih weight_hh bias_ih bias_hh",
                     "grad_h = grad_gate @", "grad_h += grad_gate @")
    yield LearnerBug("grad_bias_ih summed over the units too", code, "bias-axis", "bias_ih",
                     "grad_bias_ih += grad_gate.sum(0)", "grad_bias_ih += grad_gate.sum()")


def rnn_cell_columns() -> Iterator[LearnerBug]:
    code = CODES["rnn_cell_columns"]
    yield LearnerBug("no tanh'", code, "derivative-missing", "xt a_prev Wax Waa ba",
                     "dtanh = (1 - a_next**2) * da_next", "dtanh = da_next")
    yield LearnerBug("da_prev through Waa", code, "weights-transposed", "a_prev",
                     "np.dot(Waa.T, dtanh)", "np.dot(Waa, dtanh)")
    yield LearnerBug("factors of dWaa exchanged", code, "transposed", "Waa",
                     "np.dot(dtanh, a_prev.T)", "np.dot(a_prev, dtanh.T)")
    yield LearnerBug("a_next in dWaa", code, "state-unshifted", "Waa",
                     "np.dot(dtanh, a_prev.T)", "np.dot(dtanh, a_next.T)")
    yield LearnerBug("mean for sum in dba", code, "constant-factor", "ba",
                     "np.sum(dtanh, axis=1", "np.mean(dtanh, axis=1")
    yield LearnerBug("sigmoid' for tanh'", code, "derivative-of-another", "xt a_prev Wax Waa ba",
                     "(1 - a_next**2)", "a_next * (1 - a_next)")
    yield LearnerBug("da_next forgotten", code, "upstream-ignored", "xt a_prev Wax Waa ba",
                     "(1 - a_next**2) * da_next", "1 - a_next**2")


def rnn_cell_joint() -> Iterator[LearnerBug]:
    code = CODES["rnn_cell_joint"]
    yield LearnerBug("cosh of h", code, "derivative-at-output", "x h_prev W b",
                     "np.cosh(pre)", "np.cosh(h)")
    yield LearnerBug("cosh to the fourth", code, "derivative-twice", "x h_prev W b",
                     "np.cosh(pre) ** 2", "np.cosh(pre) ** 4")
    yield LearnerBug("dpre made in dh", code, "upstream-modified", "",
                     "dpre = dh / np.cosh(pre) ** 2",
                     "dh /= np.cosh(pre) ** 2\n"
                     "    dpre = dh")
    yield LearnerBug("dW negated", code, "wrong-sign", "W",
                     "hx.T @ dpre", "-hx.T @ dpre")


def rnn_cell_joint_batch() -> Iterator[LearnerBug]:
    code = CODES["rnn_cell_joint_batch"]
    yield LearnerBug("db summed over the units", code, "bias-axis", "b",
                     "dpre.sum(axis=0)", "dpre.sum(axis=1)")
