r"""Cross-entropies of logits with what comes of the same exponentials: gradient and probabilities.

The page (`scratchnet.equations.losses`) says each for itself: the activation's output :math:`p`,
the loss :math:`\ell`, the gradient :math:`dx`.  Training wants all three of the same logits, and
:math:`e^x` is most of the work, so each function here takes the page's arguments and returns
``(values, dlogits, p)``.

A softmax over many classes is bound by memory: the one for integer labels never makes the one-hot
matrix, writes the gradient where the exponentials were, and divides many rows among threads.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.equations.losses.mean import mean, mean_backward
from scratchnet.kernels.threads import divided, together

LARGE = 2**19
"""Logits from which on waking other threads costs less than it saves."""
PARTS = 4


def binary_crossentropy_with_logits(
    dvalues: Array, y_true: Array, logits: Array
) -> tuple[Array, Array, Array]:
    r"""Return :math:`\ell`, :math:`dx` and :math:`p = \sigma(x)`, :math:`e^{-|x|}` made once."""
    xp = array_module(logits)
    e = xp.exp(-abs(logits))
    p = xp.where(logits < 0, e, 1) / (1 + e)
    values = mean(xp.maximum(logits, 0) - logits * y_true + xp.log1p(e))
    return values, (p - y_true) * mean_backward(dvalues, logits), p


def categorical_crossentropy_with_logits(
    dvalues: Array, y_true: Array, logits: Array
) -> tuple[Array, Array, Array]:
    r"""Return :math:`\ell`, :math:`dx` and :math:`p` from one :math:`e^{x - \max x}`."""
    xp = array_module(logits)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    e = xp.exp(shifted)
    total = xp.sum(e, axis=-1, keepdims=True)
    p = e / total
    values = -xp.sum(y_true * (shifted - xp.log(total)), axis=-1)
    labels = xp.sum(y_true, axis=-1, keepdims=True)
    return values, (p * labels - y_true) * dvalues[..., None], p


def sparse_categorical_crossentropy_with_logits(
    dvalues: Array, y_true: Array, logits: Array, wants_p: bool = True
) -> tuple[Array, Array, Array | None]:
    r"""Return :math:`\ell`, :math:`dx` and, where it is wanted, :math:`p`.

    :math:`dx_k = p_k\,d\ell` in every column, and :math:`d\ell` less in the label's.
    """
    xp, K = array_module(logits), logits.shape[-1]
    x, labels, dvalue = logits.reshape(-1, K), y_true.reshape(-1), dvalues.reshape(-1)
    values, dx = xp.empty_like(x[:, 0]), xp.empty_like(x)
    p = xp.empty_like(x) if wants_p else None

    def run(own: slice) -> None:
        e, dlabel, at_label = dx[own], dvalue[own], (xp.arange(len(x[own])), labels[own])
        xp.subtract(x[own], xp.max(x[own], axis=-1, keepdims=True), out=e)
        shifted = e[at_label]
        xp.exp(e, out=e)
        total = xp.sum(e, axis=-1, keepdims=True)
        values[own] = xp.log(total[:, 0]) - shifted
        if p is not None:
            xp.divide(e, total, out=p[own])
        e *= dlabel[:, None] / total
        e[at_label] -= dlabel

    rows = len(x)
    if xp is np and x.size >= LARGE:
        together([partial(run, own) for own in divided(rows, min(rows, PARTS))])
    else:
        run(slice(0, rows))
    return (
        values.reshape(y_true.shape),
        dx.reshape(logits.shape),
        None if p is None else p.reshape(logits.shape),
    )
