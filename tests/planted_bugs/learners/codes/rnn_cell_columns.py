"""RNN cell as in the course: x_t is (n_x, m), one COLUMN per example."""

import numpy as np


def rnn_cell_forward(xt, a_prev, Wax, Waa, ba):
    a_next = np.tanh(np.dot(Waa, a_prev) + np.dot(Wax, xt) + ba)
    cache = (a_next, a_prev, xt, Wax, Waa)
    return a_next, cache


def rnn_cell_backward(da_next, cache):
    (a_next, a_prev, xt, Wax, Waa) = cache

    # gradient of tanh with respect to a_next
    dtanh = (1 - a_next**2) * da_next

    dxt = np.dot(Wax.T, dtanh)
    dWax = np.dot(dtanh, xt.T)

    da_prev = np.dot(Waa.T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)

    dba = np.sum(dtanh, axis=1, keepdims=True)

    return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}
