"""LSTM as in the course: x is (n_x, m, T_x), the gates' matrices act on [a, x] stacked."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_forward(x, a0, Wf, bf, Wi, bi, Wc, bc, Wo, bo):
    n_a, m = a0.shape
    T_x = x.shape[2]
    a = np.zeros((n_a, m, T_x))
    a_next, c_next = a0, np.zeros((n_a, m))
    caches = []
    for t in range(T_x):
        a_prev, c_prev = a_next, c_next
        concat = np.concatenate((a_prev, x[:, :, t]), axis=0)
        ft = sigmoid(np.dot(Wf, concat) + bf)
        it = sigmoid(np.dot(Wi, concat) + bi)
        cct = np.tanh(np.dot(Wc, concat) + bc)
        ot = sigmoid(np.dot(Wo, concat) + bo)
        c_next = ft * c_prev + it * cct
        a_next = ot * np.tanh(c_next)
        a[:, :, t] = a_next
        caches.append((c_next, a_prev, c_prev, ft, it, cct, ot, x[:, :, t]))
    return a, (caches, x, (Wf, Wi, Wc, Wo))


def lstm_backward(da, cache):
    caches, x, (Wf, Wi, Wc, Wo) = cache
    n_a, m, T_x = da.shape
    n_x = x.shape[0]
    dx = np.zeros((n_x, m, T_x))
    dWf, dWi, dWc, dWo = (np.zeros((n_a, n_a + n_x)) for _ in range(4))
    dbf, dbi, dbc, dbo = (np.zeros((n_a, 1)) for _ in range(4))
    da_prevt = np.zeros((n_a, m))
    dc_prevt = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        c_next, a_prev, c_prev, ft, it, cct, ot, xt = caches[t]
        da_next = da[:, :, t] + da_prevt
        # gate derivatives
        dot = da_next * np.tanh(c_next) * ot * (1 - ot)
        dc_next = dc_prevt + da_next * ot * (1 - np.tanh(c_next) ** 2)
        dcct = dc_next * it * (1 - cct**2)
        dit = dc_next * cct * it * (1 - it)
        dft = dc_next * c_prev * ft * (1 - ft)
        # parameters
        concat = np.concatenate((a_prev, xt), axis=0)
        dWf += np.dot(dft, concat.T)
        dWi += np.dot(dit, concat.T)
        dWc += np.dot(dcct, concat.T)
        dWo += np.dot(dot, concat.T)
        dbf += np.sum(dft, axis=1, keepdims=True)
        dbi += np.sum(dit, axis=1, keepdims=True)
        dbc += np.sum(dcct, axis=1, keepdims=True)
        dbo += np.sum(dot, axis=1, keepdims=True)
        # previous state, previous memory, input
        dconcat = np.dot(Wf.T, dft) + np.dot(Wi.T, dit) + np.dot(Wc.T, dcct) + np.dot(Wo.T, dot)
        da_prevt = dconcat[:n_a]
        dc_prevt = dc_next * ft
        dx[:, :, t] = dconcat[n_a:]
    da0 = da_prevt
    gradients = {"dx": dx, "da0": da0, "dWf": dWf, "dbf": dbf, "dWi": dWi, "dbi": dbi}
    gradients |= {"dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo}
    return gradients
