"""A GRU cell for one example: x (D, 1), h (H, 1), reset before, matrices W_ (H, D), U_ (H, H)."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_cell(x, h_prev, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
    z = sigmoid(Wz @ x + Uz @ h_prev + bz)
    r = sigmoid(Wr @ x + Ur @ h_prev + br)
    h_hat = np.tanh(Wh @ x + Uh @ (r * h_prev) + bh)
    h = z * h_prev + (1 - z) * h_hat
    return h, (x, h_prev, z, r, h_hat, Wz, Uz, Wr, Ur, Wh, Uh)


def gru_cell_backward(dh, cache):
    x, h_prev, z, r, h_hat, Wz, Uz, Wr, Ur, Wh, Uh = cache

    dh_hat = dh * (1 - z)
    dh_hat_l = dh_hat * (1 - h_hat**2)
    dWh = np.dot(dh_hat_l, x.T)
    dUh = np.dot(dh_hat_l, (r * h_prev).T)
    dbh = dh_hat_l

    drhp = np.dot(Uh.T, dh_hat_l)
    dr = drhp * h_prev
    dr_l = dr * r * (1 - r)
    dWr = np.dot(dr_l, x.T)
    dUr = np.dot(dr_l, h_prev.T)
    dbr = dr_l

    dz = dh * (h_prev - h_hat)
    dz_l = dz * z * (1 - z)
    dWz = np.dot(dz_l, x.T)
    dUz = np.dot(dz_l, h_prev.T)
    dbz = dz_l

    dx = Wh.T @ dh_hat_l + Wr.T @ dr_l + Wz.T @ dz_l
    dh_fz_inner = np.dot(Uz.T, dz_l)
    dh_fz = dh * z
    dh_fhh = drhp * r
    dh_fr = np.dot(Ur.T, dr_l)
    dh_prev = dh_fz_inner + dh_fz + dh_fhh + dh_fr
    return dx, dh_prev, dWz, dUz, dbz, dWr, dUr, dbr, dWh, dUh, dbh
