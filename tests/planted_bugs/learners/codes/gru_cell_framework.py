import numpy as np


def sigmoid(t):
    return 1 / (1 + np.exp(-t))


def gru_cell_forward(input, hx, w_ih, w_hh, b_ih, b_hh):
    """The big framework's cell: (3H, D) and (3H, H), gates r, z, n, reset after the product."""
    gi = input @ w_ih.T + b_ih
    gh = hx @ w_hh.T + b_hh
    i_r, i_z, i_n = np.split(gi, 3, 1)
    h_r, h_z, h_n = np.split(gh, 3, 1)
    resetgate = sigmoid(i_r + h_r)
    updategate = sigmoid(i_z + h_z)
    newgate = np.tanh(i_n + resetgate * h_n)
    hy = newgate + updategate * (hx - newgate)
    return hy, (input, hx, w_ih, w_hh, resetgate, updategate, newgate, h_n)


def gru_cell_backward(grad_hy, saved):
    input, hx, w_ih, w_hh, resetgate, updategate, newgate, h_n = saved
    g_update = grad_hy * (hx - newgate)
    g_new = grad_hy * (1 - updategate)
    g_new_in = g_new * (1 - newgate**2)
    g_reset = g_new_in * h_n
    g_reset_in = g_reset * resetgate * (1 - resetgate)
    g_update_in = g_update * updategate * (1 - updategate)
    g_gi = np.concatenate([g_reset_in, g_update_in, g_new_in], axis=1)
    g_gh = np.concatenate([g_reset_in, g_update_in, g_new_in * resetgate], axis=1)
    return {
        "input": g_gi @ w_ih,
        "hx": g_gh @ w_hh + grad_hy * updategate,
        "w_ih": g_gi.T @ input,
        "w_hh": g_gh.T @ hx,
        "b_ih": g_gi.sum(axis=0),
        "b_hh": g_gh.sum(axis=0),
    }
