r"""Cross-entropies, :math:`-\sum_k y_k \log p_k`: of probabilities, or of logits.

Probabilities are clipped to :math:`[\varepsilon, 1 - \varepsilon]`, so that a certain and wrong
prediction costs 16.1 instead of infinity, and gets no gradient.  Logits :math:`x` need no clip:
the logarithm meets the exponential of the sigmoid or softmax and the two cancel on paper, which
leaves :math:`p - y` as the gradient (Bishop 1995, section 6.9).
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.equations.activations import log_softmax, sigmoid, softmax
from scratchnet.equations.losses.mean import EPSILON, mean, mean_backward


def _clip(p: Array) -> Array:
    return array_module(p).clip(p, EPSILON, 1 - EPSILON)


def _clip_backward(dclipped: Array, p: Array) -> Array:
    inside = (p >= EPSILON) & (p <= 1 - EPSILON)
    return array_module(p).where(inside, dclipped, 0)


def smooth_binary_labels(y_true: Array, label_smoothing: float) -> Array:
    r"""Return :math:`y (1 - \alpha) + \alpha / 2`, with :math:`\alpha` the smoothing."""
    return y_true * (1 - label_smoothing) + 0.5 * label_smoothing


def smooth_categorical_labels(y_true: Array, label_smoothing: float) -> Array:
    r"""Return :math:`y (1 - \alpha) + \alpha / K` (Szegedy et al. 2016, section 7)."""
    return y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]


def binary_crossentropy(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = -\frac{1}{K} \sum_k y_k \log p_k + (1 - y_k) \log(1 - p_k)`."""
    xp = array_module(y_pred)
    p = _clip(y_pred)
    return -mean(y_true * xp.log(p) + (1 - y_true) * xp.log(1 - p))


def binary_crossentropy_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = \frac{p_k - y_k}{p_k (1 - p_k)}\,d\ell / K`, and 0 outside the clip."""
    p = _clip(y_pred)
    dp = (p - y_true) / (p * (1 - p)) * mean_backward(dvalues, y_pred)
    return _clip_backward(dp, y_pred)


def binary_crossentropy_with_logits(y_true: Array, logits: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k \log(1 + e^{x_k}) - x_k y_k`, with :math:`p = \sigma(x)`.

    As :math:`\max(x, 0) - x y + \log(1 + e^{-|x|})`, whose exponential cannot overflow.  The first
    two cancel where the prediction is right, so that the third keeps every digit.
    """
    xp = array_module(logits)
    tail = xp.log1p(xp.exp(-abs(logits)))
    return mean(xp.maximum(logits, 0) - logits * y_true + tail)


def binary_crossentropy_with_logits_backward(dvalues: Array, y_true: Array, logits: Array) -> Array:
    r""":math:`dx_k = (\sigma(x_k) - y_k)\,d\ell / K`."""
    return (sigmoid(logits) - y_true) * mean_backward(dvalues, logits)


def categorical_crossentropy(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = -\sum_k y_k \log q_k`, with :math:`q_k = p_k / \sum_j p_j` clipped."""
    xp = array_module(y_pred)
    q = y_pred / xp.sum(y_pred, axis=-1, keepdims=True)  # (1)
    return -xp.sum(y_true * xp.log(_clip(q)), axis=-1)  # (2)


def categorical_crossentropy_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r"""Through the logarithm and the clip (2'), then through the division (1').

    .. math:: dq_k = -y_k / q_k\,d\ell, \qquad dp_k = (dq_k - \sum_j dq_j q_j) / \sum_j p_j
    """
    xp = array_module(y_pred)
    total = xp.sum(y_pred, axis=-1, keepdims=True)
    q = y_pred / total
    dq = _clip_backward(-y_true / _clip(q) * dvalues[..., None], q)  # (2')
    return (dq - xp.sum(dq * q, axis=-1, keepdims=True)) / total  # (1')


def categorical_crossentropy_with_logits(y_true: Array, logits: Array) -> Array:
    r""":math:`\ell = -\sum_k y_k \log p_k`, with :math:`p = \mathrm{softmax}(x)`."""
    return -array_module(logits).sum(y_true * log_softmax(logits), axis=-1)


def categorical_crossentropy_with_logits_backward(
    dvalues: Array, y_true: Array, logits: Array
) -> Array:
    r""":math:`dx_k = (p_k \sum_j y_j - y_k)\,d\ell`.

    TensorFlow leaves the sum out, which is the derivative for labels that sum to 1 only.
    """
    total = array_module(logits).sum(y_true, axis=-1, keepdims=True)
    return (softmax(logits) * total - y_true) * dvalues[..., None]


def sparse_categorical_crossentropy(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = -\log(p_y / \sum_k p_k)`, with :math:`p` clipped, for integer labels y.

    The softmax of :math:`\log p` is :math:`p / \sum p`: Keras's clipped probabilities take the
    route of the logits, so the division comes after the clip here and before it in
    `categorical_crossentropy`.
    """
    xp = array_module(y_pred)
    p = _clip(y_pred)
    return xp.log(xp.sum(p, axis=-1)) - xp.log(_pick(p, y_true))


def sparse_categorical_crossentropy_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = (1 / \sum_j p_j - [k = y] / p_y)\,d\ell`, and 0 outside the clip."""
    xp = array_module(y_pred)
    p = _clip(y_pred)
    slope = 1 / xp.sum(p, axis=-1, keepdims=True) - xp.where(_is_label(p, y_true), 1 / p, 0)
    return _clip_backward(slope * dvalues[..., None], y_pred)


def sparse_categorical_crossentropy_with_logits(y_true: Array, logits: Array) -> Array:
    r""":math:`\ell = -\log p_y`, with :math:`p = \mathrm{softmax}(x)`, for integer labels y."""
    return -_pick(log_softmax(logits), y_true)


def sparse_categorical_crossentropy_with_logits_backward(
    dvalues: Array, y_true: Array, logits: Array
) -> Array:
    r""":math:`dx_k = (p_k - [k = y])\,d\ell`."""
    p = softmax(logits)
    p_minus_label = array_module(p).where(_is_label(p, y_true), p - 1, p)
    return p_minus_label * dvalues[..., None]


def _pick(x: Array, labels: Array) -> Array:
    """The element of each row that the row's label names: (…, K) and (…) to (…)."""
    return array_module(x).take_along_axis(x, labels[..., None], axis=-1)[..., 0]


def _is_label(x: Array, labels: Array) -> Array:
    """True in column k of a row whose label is k: the one-hot labels, (…, K)."""
    return labels[..., None] == array_module(x).arange(x.shape[-1])
