import numpy as np

# X -> tanh -> linear


def net_forward(X, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    out = a1 @ W2 + b2
    return out, {"X": X, "W1": W1, "W2": W2, "z1": z1, "a1": a1}


def net_backward(dout, cache):
    grads = {}
    grads["W2"] = cache["a1"].T @ dout
    grads["b2"] = dout.sum(axis=0)
    da1 = dout @ cache["W2"].T
    dz1 = da1 * (1 - np.square(cache["a1"]))
    grads["W1"] = cache["X"].T @ dz1
    grads["b1"] = dz1.sum(axis=0)
    grads["X"] = dz1 @ cache["W1"].T
    return grads
