# one layer of a neural net, examples are COLUMNS like in the course
import numpy as np


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def layer_forward(A_prev, W, b):
    Z = np.dot(W, A_prev) + b  # (n, n_prev) x (n_prev, m) + (n, 1)
    A = sigmoid(Z)
    return A, (A_prev, W, Z)


def layer_backward(dA, cache):
    A_prev, W, Z = cache
    s = sigmoid(Z)
    dZ = dA * s * (1 - s)
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return {"dA_prev": dA_prev, "dW": dW, "db": db}
