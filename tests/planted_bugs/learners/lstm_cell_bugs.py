"""What learners get wrong in one step of an LSTM."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def lstm_cell_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from lstm_cell()
    yield from lstm_cell_columns()
    yield from lstm_cell_joint()


def lstm_cell() -> Iterator[LearnerBug]:
    code = CODES["lstm_cell"]
    yield LearnerBug("dc not added", code, "carry-lost", "x h_prev c_prev W U b",
                     "dc_total = dc + dh", "dc_total = dh")
    yield LearnerBug("tanh' of g", code, "derivative-at-output", "x h_prev W U b",
                     "dg * dtanh(zg)", "dg * dtanh(g)", gate="g")
    yield LearnerBug("sigmoid' of f", code, "derivative-at-output", "x h_prev W U b",
                     "df * dsigmoid(zf)", "df * dsigmoid(f)", gate="f")
    yield LearnerBug("no sigmoid' in the output gate", code, "derivative-missing", "x h_prev W U b",
                     "dzo = do * dsigmoid(zo)", "dzo = do", gate="o")
    yield LearnerBug("f and i in dz", code, "gates-swapped", "x h_prev W U b",
                     "[dzf, dzi, dzg, dzo]", "[dzi, dzf, dzg, dzo]", gate="f")
    yield LearnerBug("g and o in dz", code, "gates-swapped", "x h_prev W U b",
                     "[dzf, dzi, dzg, dzo]", "[dzf, dzi, dzo, dzg]", gate="g")
    yield LearnerBug("c in the forget gate", code, "state-unshifted", "x h_prev W U b",
                     "dc_total * c_prev", "dc_total * c", gate="f")
    yield LearnerBug("g for i in the candidate", code, "wrong-operand", "x h_prev W U b",
                     "dg = dc_total * i", "dg = dc_total * g", gate="g")
    yield LearnerBug("dc_prev from dc alone", code, "path-lost", "c_prev",
                     "dc_prev = dc_total * f", "dc_prev = dc * f")
    yield LearnerBug("sigmoid' in the input gate squared", code, "derivative-twice",
                     "x h_prev W U b",
                     "di * dsigmoid(zi)", "di * dsigmoid(zi) ** 2", gate="i")
    yield LearnerBug("mean for sum in db", code, "constant-factor", "b",
                     "dz.sum(axis=0)", "dz.mean(axis=0)")
    yield LearnerBug("h in dU", code, "state-unshifted", "U",
                     "dU = h_prev.T @ dz", "dU = (o * np.tanh(c)).T @ dz")
    yield LearnerBug("dc_total made in dc", code, "upstream-modified", "",
                     "dc_total = dc + dh * o * dtanh(c)",
                     "dc += dh * o * dtanh(c)\n"
                     "    dc_total = dc")
    yield LearnerBug("no tanh' of the cell", code, "derivative-missing", "x h_prev c_prev W U b",
                     "dh * o * dtanh(c)", "dh * o")
    yield LearnerBug("c for tanh c in the output gate", code, "wrong-operand", "x h_prev W U b",
                     "do = dh * np.tanh(c)", "do = dh * c", gate="o")
    yield LearnerBug("sigmoid' in the candidate", code, "derivative-of-another", "x h_prev W U b",
                     "dg * dtanh(zg)", "dg * dsigmoid(zg)", gate="g")


def lstm_cell_columns() -> Iterator[LearnerBug]:
    code = CODES["lstm_cell_columns"]
    yield LearnerBug("dc_prev from dc_next alone", code, "path-lost", "c_prev",
                     "dc_prev = dc * ft", "dc_prev = dc_next * ft")
    yield LearnerBug("no output gate in dxt", code, "path-lost", "xt",
                     " + Wo[:, n_a:].T.dot(dot)", "", gate="o")
    yield LearnerBug("sigmoid' in the candidate", code, "derivative-of-another", "xt a_prev Wc bc",
                     "dc * it * (1 - np.square(cct))", "dc * it * cct * (1 - cct)", gate="g")
    yield LearnerBug("da_prev through Wf", code, "weights-transposed", "a_prev",
                     "Wf[:, :n_a].T.dot(dft)", "Wf[:, :n_a].dot(dft)", gate="f")
    yield LearnerBug("sigmoid' in the forget gate twice", code, "derivative-twice",
                     "xt a_prev Wf bf",
                     "dc * c_prev * ft * (1 - ft)", "dc * c_prev * (ft * (1 - ft)) ** 2", gate="f")
    yield LearnerBug("mean for sum in dbo", code, "constant-factor", "bo",
                     "np.sum(dot, axis=1", "np.mean(dot, axis=1", gate="o")
    yield LearnerBug("it - 1", code, "wrong-sign", "xt a_prev Wi bi",
                     "dc * cct * it * (1 - it)", "dc * cct * it * (it - 1)", gate="i")
    yield LearnerBug("dWf and dWi", code, "gates-swapped", "Wf Wi",
                     "    dWf = np.dot(dft, concat)\n"
                     "    dWi = np.dot(dit, concat)\n",
                     "    dWf = np.dot(dit, concat)\n"
                     "    dWi = np.dot(dft, concat)\n",
                     gate="f")
    yield LearnerBug("dc_prev forgotten", code, "all-zero", "c_prev",
                     "dc_prev = dc * ft", "dc_prev = np.zeros_like(c_prev)")


def lstm_cell_joint() -> Iterator[LearnerBug]:
    code = CODES["lstm_cell_joint"]
    yield LearnerBug("i and f in difo", code, "gates-swapped", "x h_prev W b",
                     "(g * ds, c_prev * ds,", "(c_prev * ds, g * ds,",
                     gate="i", also=("wrong-operand",))
    yield LearnerBug("no sigmoid'", code, "derivative-missing", "x h_prev W b",
                     "da_ifo = ifo * (1 - ifo) * difo", "da_ifo = difo")
    yield LearnerBug("sigmoid' made in the gates", code, "cache-modified", "x h_prev c_prev W b",
                     "da_ifo = ifo * (1 - ifo) * difo",
                     "ifo *= 1 - ifo\n"
                     "    da_ifo = ifo * difo")
    yield LearnerBug("dc not added", code, "carry-lost", "x h_prev c_prev W b",
                     "(1 - np.tanh(c) ** 2) + dc", "(1 - np.tanh(c) ** 2)")
    yield LearnerBug("f for i in the candidate", code, "wrong-operand", "x h_prev W b",
                     "(i * ds)", "(f * ds)", gate="g")
    yield LearnerBug("1 - c²", code, "derivative-at-input", "x h_prev c_prev W b",
                     "(1 - np.tanh(c) ** 2)", "(1 - c**2)")
