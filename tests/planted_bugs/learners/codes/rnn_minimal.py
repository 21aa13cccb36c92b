# minimal character-level style: one sequence, column vectors, dicts of time steps
import numpy as np


def rnn_forward(inputs, hprev, Wxh, Whh, bh):
    """inputs: (T, D, 1); hprev, bh: (H, 1)"""
    xs, hs = {}, {}
    hs[-1] = np.copy(hprev)
    for t in range(len(inputs)):
        xs[t] = inputs[t]
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)  # hidden state
    return np.stack([hs[t] for t in range(len(inputs))]), (xs, hs, Wxh, Whh, bh)


def rnn_backward(dhs, cache):
    xs, hs, Wxh, Whh, bh = cache
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dinputs = np.zeros((len(xs), *xs[0].shape))
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(xs))):
        dh = dhs[t] + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh  # backprop through tanh nonlinearity
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dinputs[t] = np.dot(Wxh.T, dhraw)
        dhnext = np.dot(Whh.T, dhraw)
    return dinputs, dhnext, dWxh, dWhh, dbh
