import numpy as np

# one step, rows are outputs: W is (4H, D + H) for [x, h], gates g i f o


def lstm_step(x, h_prev, c_prev, W, b):
    H = h_prev.shape[1]
    xh = np.concatenate((x, h_prev), axis=1)
    a = xh.dot(W.T) + b
    g = np.tanh(a[:, :H])
    ifo = 1 / (1 + np.exp(-a[:, H:]))
    i, f, o = ifo[:, :H], ifo[:, H : 2 * H], ifo[:, 2 * H :]
    c = g * i + f * c_prev
    h = np.tanh(c) * o
    return h, c, {"xh": xh, "g": g, "ifo": ifo, "c": c, "c_prev": c_prev, "W": W}


def lstm_step_backward(dh, dc, cache):
    xh, g, ifo, c, c_prev, W = (cache[k] for k in ("xh", "g", "ifo", "c", "c_prev", "W"))
    H = c.shape[1]
    i, f, o = ifo[:, :H], ifo[:, H : 2 * H], ifo[:, 2 * H :]
    ds = o * dh * (1 - np.tanh(c) ** 2) + dc
    difo = np.concatenate((g * ds, c_prev * ds, np.tanh(c) * dh), axis=1)
    da_ifo = ifo * (1 - ifo) * difo
    da_g = (1 - g**2) * (i * ds)
    da = np.concatenate((da_g, da_ifo), axis=1)
    dW = da.T.dot(xh)
    db = da.sum(0)
    dxh = da.dot(W)
    dx = dxh[:, :-H]
    dh_prev = dxh[:, -H:]
    dc_prev = ds * f
    return dx, dh_prev, dc_prev, dW, db
