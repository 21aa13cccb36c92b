"""GRU over a sequence, reset after: kernel, recurrent kernel and bias (2, 3H), order z r h."""

import numpy as np


def gru_forward(x, h0, kernel, recurrent_kernel, bias):
    steps = x.shape[1]
    h, hs, cache = h0, [], []
    for t in range(steps):
        mx = x[:, t] @ kernel + bias[0]
        mi = h @ recurrent_kernel + bias[1]
        xz, xr, xh = np.array_split(mx, 3, axis=1)
        rz, rr, rh = np.array_split(mi, 3, axis=1)
        z = 1 / (1 + np.exp(-(xz + rz)))
        r = 1 / (1 + np.exp(-(xr + rr)))
        hh = np.tanh(xh + r * rh)
        cache.append((x[:, t], h, z, r, hh, rh))
        h = z * h + (1 - z) * hh
        hs.append(h)
    return np.stack(hs, axis=1), (cache, kernel, recurrent_kernel)


def gru_backward(dhs, all_of_it):
    cache, kernel, recurrent_kernel = all_of_it
    d_kernel = np.zeros_like(kernel)
    d_recurrent = np.zeros_like(recurrent_kernel)
    d_bias = np.zeros((2, kernel.shape[1]))
    dxs = []
    dh = np.zeros_like(dhs[:, 0])
    for t in reversed(range(len(cache))):
        x_t, h_prev, z, r, hh, rh = cache[t]
        dh = dh + dhs[:, t]
        dz = dh * (h_prev - hh) * z * (1 - z)
        dhh = dh * (1 - z) * (1 - hh * hh)
        dr = dhh * rh * r * (1 - r)
        dmx = np.hstack([dz, dr, dhh])
        dmi = np.hstack([dz, dr, dhh * r])
        d_kernel += x_t.T @ dmx
        d_recurrent += h_prev.T @ dmi
        d_bias[0] += dmx.sum(axis=0)
        d_bias[1] += dmi.sum(axis=0)
        dxs.insert(0, dmx @ kernel.T)
        dh = dh * z + dmi @ recurrent_kernel.T
    return np.stack(dxs, axis=1), dh, d_kernel, d_recurrent, d_bias
