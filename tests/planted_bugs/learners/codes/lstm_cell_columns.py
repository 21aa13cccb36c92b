"""LSTM cell as in the course: columns are examples, matrices (n_a, n_a + n_x)."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_cell_forward(xt, a_prev, c_prev, Wf, bf, Wi, bi, Wc, bc, Wo, bo):
    concat = np.concatenate([a_prev, xt], axis=0)
    ft = sigmoid(np.dot(Wf, concat) + bf)
    it = sigmoid(np.dot(Wi, concat) + bi)
    cct = np.tanh(np.dot(Wc, concat) + bc)
    c_next = ft * c_prev + it * cct
    ot = sigmoid(np.dot(Wo, concat) + bo)
    a_next = ot * np.tanh(c_next)
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, Wf, Wi, Wc, Wo)
    return a_next, c_next, cache


def lstm_cell_backward(da_next, dc_next, cache):
    (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, Wf, Wi, Wc, Wo) = cache
    n_a = len(a_next)

    dc = dc_next + da_next * ot * (1 - np.square(np.tanh(c_next)))
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dcct = dc * it * (1 - np.square(cct))
    dit = dc * cct * it * (1 - it)
    dft = dc * c_prev * ft * (1 - ft)

    concat = np.concatenate((a_prev, xt), axis=0).T
    dWf = np.dot(dft, concat)
    dWi = np.dot(dit, concat)
    dWc = np.dot(dcct, concat)
    dWo = np.dot(dot, concat)
    dbf = np.sum(dft, axis=1, keepdims=True)
    dbi = np.sum(dit, axis=1, keepdims=True)
    dbc = np.sum(dcct, axis=1, keepdims=True)
    dbo = np.sum(dot, axis=1, keepdims=True)

    da_prev = Wf[:, :n_a].T.dot(dft) + Wi[:, :n_a].T.dot(dit)
    da_prev = da_prev + Wc[:, :n_a].T.dot(dcct) + Wo[:, :n_a].T.dot(dot)
    dc_prev = dc * ft
    dxt = Wf[:, n_a:].T.dot(dft) + Wi[:, n_a:].T.dot(dit)
    dxt = dxt + Wc[:, n_a:].T.dot(dcct) + Wo[:, n_a:].T.dot(dot)

    return {
        "dxt": dxt, "da_prev": da_prev, "dc_prev": dc_prev,
        "dWf": dWf, "dbf": dbf, "dWi": dWi, "dbi": dbi,
        "dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo,
    }  # fmt: skip
