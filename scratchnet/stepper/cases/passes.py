"""Short ways through a network and back, to be read and stepped through."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.activations import sigmoid, sigmoid_backward, softmax, softmax_backward
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.equations.perceptron import perceptron, perceptron_update
from scratchnet.optimizers import Adam


def recurrent_pass(layer: Any, x: Array, dy: Array) -> tuple[Array, Array]:
    """Go forward over all time steps, then back from the last to the first."""
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    return y, dx


def dense_pass(x: Array, W: Array, b: Array, dy: Array) -> tuple[Array, Array, Array, Array]:
    """Go through a dense layer with a sigmoid, and back."""
    a = dense(x, W, b)
    y = sigmoid(a)
    da = sigmoid_backward(dy, a, y)
    dx, dW, db = dense_backward(da, x, W)
    return y, dx, dW, db


def softmax_pass(logits: Array, y_true: Array) -> tuple[Array, Array]:
    """Turn logits into probabilities, and go back from the cross-entropy to the logits."""
    p = softmax(logits)
    loss = -np.sum(y_true * np.log(p), axis=-1)
    dp = -y_true / p
    dlogits = softmax_backward(dp, logits, p)
    return loss, dlogits


def perceptron_epochs(X: Array, y: Array, w: Array, b: float, learning_rate: float) -> Array:
    """Show a perceptron every example until it has none wrong."""
    mistakes = 1
    while mistakes:
        mistakes = 0
        for n in range(len(X)):
            x, y_true = X[n], y[n]
            y_pred = perceptron(x, w, b)
            if y_pred != y_true:
                mistakes += 1
                w, b = perceptron_update(x, y_true, y_pred, w, b, learning_rate)
    return w


def mazur_round(
    x: Array,
    target: Array,
    W_hidden: Array,
    b_hidden: Array,
    W_output: Array,
    b_output: Array,
    learning_rate: float,
) -> float:
    """Train a network of two layers for one round; as in Mazur's post, the biases stay."""
    a_hidden = dense(x, W_hidden, b_hidden)
    hidden = sigmoid(a_hidden)
    a = dense(hidden, W_output, b_output)
    y = sigmoid(a)
    error = 0.5 * np.sum((target - y) ** 2)

    dy = y - target
    da = sigmoid_backward(dy, a, y)
    dhidden, dW_output, _ = dense_backward(da, hidden, W_output)
    da_hidden = sigmoid_backward(dhidden, a_hidden, hidden)
    _, dW_hidden, _ = dense_backward(da_hidden, x, W_hidden)

    W_output = W_output - learning_rate * dW_output
    W_hidden = W_hidden - learning_rate * dW_hidden
    return float(error)


def descend(optimizer: Adam, w: Array, steepness: Array, steps: int) -> Array:
    r"""Go down :math:`\frac12 \sum_k s_k w_k^2` by the optimizer's rule; return every loss."""
    losses = np.zeros(steps)
    for t in range(steps):
        losses[t] = 0.5 * np.sum(steepness * w * w)
        dw = steepness * w
        optimizer.apply_gradients([(dw, w)])
    return losses
