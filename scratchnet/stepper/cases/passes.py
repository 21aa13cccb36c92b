"""Short ways through a network and back, to be read and stepped through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.activations import sigmoid, sigmoid_backward, softmax, softmax_backward
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.equations.perceptron import perceptron, perceptron_update
from scratchnet.optimizers import Adam


def recurrent_pass(layer: Any, x: Array, dy: Array) -> tuple[Array, Array]:
    """Go forward over all time steps, then back from the last to the first.

    ========  =============  =====================================
    array     shape          meaning
    ========  =============  =====================================
    ``x``     (B, T, D)      inputs
    ``y``     (B, T, H)      outputs, one a time step
    ========  =============  =====================================
    """
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    return y, dx


def model_pass(layers: Sequence[Any], x: Array, dy: Array) -> tuple[Array, Array | None]:
    r"""Go forward through all layers, each taking what the one below gives, and back again.

    .. math::
        y_k &= f_k(y_{k-1}), \quad y_0 = x            &&\text{(1)} \\
        dy_{k-1} &= f_k'(y_{k-1})^T \, dy_k           &&\text{(1')}

    ========  ==========  ==============================================
    array     shape       meaning
    ========  ==========  ==============================================
    ``x``     (B, …)      inputs
    ``mask``  (B, T)      False where a step is padding, if there is any
    ``y``     (B, …)      outputs of the layer that ran last
    ``dy``    (B, …)      gradient of the loss with respect to the output
    ========  ==========  ==============================================
    """
    y, mask = x, None
    for layer in layers:
        below = y
        y = layer.forward(below, training=True, mask=mask)  # (1)
        mask = layer.compute_mask(below, mask)
    dx = dy
    for layer in reversed(layers):
        dx = layer.backward(dx)  # (1')
    return y, dx


def dense_pass(x: Array, W: Array, b: Array, dy: Array) -> tuple[Array, Array, Array, Array]:
    r"""Go through a dense layer with a sigmoid, and back.

    .. math::
        a &= x W + b            &&\text{(1)} \\
        y &= \sigma(a)          &&\text{(2)}

    ========  ==========  ========================
    array     shape       meaning
    ========  ==========  ========================
    ``x``     (B, D)      inputs
    ``W``     (D, H)      weights
    ``b``     (H,)        biases
    ``a``     (B, H)      sums
    ``y``     (B, H)      outputs
    ========  ==========  ========================
    """
    a = dense(x, W, b)  # (1)
    y = sigmoid(a)  # (2)
    da = sigmoid_backward(dy, a, y)  # (2')  dy * y * (1 - y)
    dx, dW, db = dense_backward(da, x, W)  # (1')
    return y, dx, dW, db


def softmax_pass(logits: Array, y_true: Array) -> tuple[Array, Array]:
    r"""Turn logits into probabilities, and go back from the cross-entropy to the logits.

    .. math::
        p_k &= e^{a_k} / \sum_j e^{a_j}          &&\text{(1)} \\
        L &= -\sum_k y_k \log p_k                &&\text{(2)}

    ==========  ==========  ===========================================
    array       shape       meaning
    ==========  ==========  ===========================================
    ``logits``  (B, V)      any numbers, :math:`a`
    ``y_true``  (B, V)      1 for the true class, else 0: :math:`y`
    ``p``       (B, V)      probabilities
    ``loss``    (B,)        one an example
    ==========  ==========  ===========================================
    """
    p = softmax(logits)  # (1)
    loss = -np.sum(y_true * np.log(p), axis=-1)  # (2)
    dp = -y_true / p  # (2')
    dlogits = softmax_backward(dp, logits, p)  # (1')
    return loss, dlogits


def perceptron_epochs(X: Array, y: Array, w: Array, b: float, learning_rate: float) -> Array:
    """Show a perceptron every example until it has none wrong.

    ========  ==========  ========================
    array     shape       meaning
    ========  ==========  ========================
    ``X``     (N, D)      examples
    ``y``     (N,)        their classes, 0 or 1
    ``w``     (D,)        weights
    ========  ==========  ========================
    """
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
    r"""Train a network of two layers for one round; as in Mazur's post, the biases stay.

    .. math::
        \mathrm{hidden} &= \sigma(x W_h + b_h)              &&\text{(1)} \\
        y &= \sigma(\mathrm{hidden}\, W_o + b_o)            &&\text{(2)} \\
        E &= \tfrac12 \sum_k (\mathrm{target}_k - y_k)^2    &&\text{(3)} \\
        W &\leftarrow W - \eta\, dW                         &&\text{(4)}

    ====================  ==========  ==============================
    array                 shape       meaning
    ====================  ==========  ==============================
    ``x``                 (B, D)      inputs
    ``W_hidden``          (D, H)      weights of the hidden layer
    ``b_hidden``          (H,)        its biases
    ``a_hidden, hidden``  (B, H)      its sums and outputs
    ``W_output``          (H, K)      weights of the output layer
    ``b_output``          (K,)        its biases
    ``a, y``              (B, K)      the network's sums and outputs
    ``target``            (B, K)      what they should be
    ====================  ==========  ==============================
    """
    a_hidden = dense(x, W_hidden, b_hidden)  # (1)
    hidden = sigmoid(a_hidden)  # (1)
    a = dense(hidden, W_output, b_output)  # (2)
    y = sigmoid(a)  # (2)
    error = 0.5 * np.sum((target - y) ** 2)  # (3)

    dy = y - target  # (3')
    da = sigmoid_backward(dy, a, y)  # (2')  dy * y * (1 - y)
    dhidden, dW_output, _ = dense_backward(da, hidden, W_output)  # (2')
    da_hidden = sigmoid_backward(dhidden, a_hidden, hidden)  # (1')  dhidden * hidden * (1 - hidden)
    _, dW_hidden, _ = dense_backward(da_hidden, x, W_hidden)  # (1')

    W_output = W_output - learning_rate * dW_output  # (4)
    W_hidden = W_hidden - learning_rate * dW_hidden  # (4)
    return float(error)


def descend(optimizer: Adam, w: Array, steepness: Array, steps: int) -> Array:
    r"""Go down a valley by the optimizer's rule; return every loss.

    .. math:: L = \tfrac12 \sum_k s_k w_k^2 \quad \text{(1)}

    =============  ==========  ==============================
    array          shape       meaning
    =============  ==========  ==============================
    ``w``          (D,)        weights
    ``steepness``  (D,)        :math:`s`, one for each weight
    ``losses``     (T,)        one a step
    =============  ==========  ==============================
    """
    losses = np.zeros(steps)
    for t in range(steps):
        losses[t] = 0.5 * np.sum(steepness * w * w)  # (1)
        dw = steepness * w  # (1')
        optimizer.apply_gradients([(dw, w)])
    return losses
