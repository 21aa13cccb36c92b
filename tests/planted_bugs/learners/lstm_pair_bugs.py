"""What learners get wrong in an LSTM written as two functions."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def lstm_pair_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from lstm_assignment()
    yield from lstm_columns()
    yield from lstm_float32()


def lstm_assignment() -> Iterator[LearnerBug]:
    code = CODES["lstm_assignment"]
    yield LearnerBug("o and g in da", code, "gates-swapped", "x h0 Wx Wh b",
                     "(dai, daf, dao, dag)", "(dai, daf, dag, dao)", gate="o")
    yield LearnerBug("i and f in da", code, "gates-swapped", "x h0 Wx Wh b",
                     "(dai, daf, dao, dag)", "(daf, dai, dao, dag)", gate="i")
    yield LearnerBug("dnext_c not added", code, "carry-lost", "x h0 Wx Wh b",
                     "dnext_c + dnext_h * o", "dnext_h * o")
    yield LearnerBug("dh_t not added", code, "recurrent-term-lost", "x h0 Wx Wh b",
                     "dh[:, t, :] + dh_t", "dh[:, t, :]")
    yield LearnerBug("c for tanh c in the output gate", code, "wrong-operand", "x h0 Wx Wh b",
                     "do = dnext_h * tanh_c", "do = dnext_h * next_c", gate="o")
    yield LearnerBug("db summed over the units too", code, "bias-axis", "b",
                     "np.sum(da, axis=0)", "np.sum(da)")
    yield LearnerBug("dWx divided by the batch size", code, "constant-factor", "Wx",
                     "dWx += grads[3]", "dWx += grads[3] / N")
    yield LearnerBug("g² - 1", code, "wrong-sign", "x h0 Wx Wh b",
                     "(1 - g**2) * dg", "(g**2 - 1) * dg", gate="g")
    yield LearnerBug("loop starts at T - 2", code, "last-step-skipped", "x h0 Wx Wh b",
                     "range(T - 1, -1, -1)", "range(T - 2, -1, -1)")
    yield LearnerBug("dh0 is the zero state's", code, "all-zero", "h0",
                     "dh0 = dh_t", "dh0 = np.zeros_like(dh_t)")
    yield LearnerBug("loop ends at t = 1", code, "first-step-skipped", "x h0 Wx Wh b",
                     "range(T - 1, -1, -1)", "range(T - 1, 0, -1)")


def lstm_columns() -> Iterator[LearnerBug]:
    code = CODES["lstm_columns"]
    yield LearnerBug("no output gate in dconcat", code, "path-lost", "x a0 Wf bf Wi bi Wc bc Wo bo",
                     " + np.dot(Wo.T, dot)", "", gate="o")
    yield LearnerBug("mean for sum in dbf", code, "constant-factor", "bf",
                     "np.sum(dft, axis=1, keepdims=True)", "np.mean(dft, axis=1, keepdims=True)",
                     gate="f")
    yield LearnerBug("dbi summed over the units too", code, "bias-axis", "bi",
                     "np.sum(dit, axis=1, keepdims=True)", "np.sum(dit)", gate="i")
    yield LearnerBug("c_next in the forget gate", code, "state-unshifted",
                     "x a0 Wf bf Wi bi Wc bc Wo bo",
                     "dc_next * c_prev", "dc_next * c_next", gate="f")
    yield LearnerBug("dit in dWf", code, "wrong-operand", "Wf",
                     "dWf += np.dot(dft,", "dWf += np.dot(dit,", gate="f", also=("gates-swapped",))
    yield LearnerBug("tanh' of tanh c", code, "derivative-at-output",
                     "x a0 Wf bf Wi bi Wc bc Wo bo",
                     "(1 - np.tanh(c_next) ** 2)", "(1 - np.tanh(np.tanh(c_next)) ** 2)")
    yield LearnerBug("da_prevt not added", code, "recurrent-term-lost",
                     "x a0 Wf bf Wi bi Wc bc Wo bo",
                     "da[:, :, t] + da_prevt", "da[:, :, t]")
    yield LearnerBug("no tanh' of the cell", code, "derivative-missing",
                     "x a0 Wf bf Wi bi Wc bc Wo bo",
                     "da_next * ot * (1 - np.tanh(c_next) ** 2)", "da_next * ot")


def lstm_float32() -> Iterator[LearnerBug]:
    code = CODES["lstm_float32"]
    yield LearnerBug("dW = for +=", code, "last-use-only", "W",
                     "dW += xh.T", "dW = xh.T")
    yield LearnerBug("dc not added", code, "carry-lost", "x h0 c0 W b",
                     "dc = dc + dh * o", "dc = dh * o")
    yield LearnerBug("sigmoid' in the candidate", code, "derivative-of-another", "x h0 c0 W b",
                     "dc * i * (1 - u * u)", "dc * i * u * (1 - u)", gate="g")
    yield LearnerBug("f and i in ds", code, "gates-swapped", "x h0 c0 W b",
                     "        ds[:, :H] = dc * c_old * f * (1 - f)\n"
                     "        ds[:, H : 2 * H] = dc * u * i * (1 - i)\n",
                     "        ds[:, :H] = dc * u * i * (1 - i)\n"
                     "        ds[:, H : 2 * H] = dc * c_old * f * (1 - f)\n",
                     gate="f")
    yield LearnerBug("dW starts as W", code, "plus-parameter", "W",
                     "dW, db = np.zeros_like(W)", "dW, db = W.copy()")
