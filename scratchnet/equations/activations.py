r"""Activation functions, under Keras's names, each with its backward right below it.

Forward: ``y = f(x)``, elementwise (the two softmaxes work along the last axis).
Backward: ``dx = f_backward(dy, x, y)``, where ``dy`` is :math:`\partial L/\partial y`; it gets both
the input and the output because some derivatives are shorter in one, some in the other.

At a kink the derivative is the one TensorFlow takes (0 for ``relu`` at 0), except where
TensorFlow's is neither of the two slopes (``celu`` at 0: it says 2, here 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from scratchnet.backend import Array, array_module, erfc

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""Klambauer et al. 2017, equation (14)."""

GELU_CUBIC = 0.044715
"""Hendrycks & Gimpel 2016, section 2: the cubic term of gelu's tanh approximation."""


def heaviside(x: Array) -> Array:
    r""":math:`y = 1` where :math:`x \ge 0`, else 0 (Rosenblatt 1958)."""
    return (x >= 0).astype(x.dtype)


def heaviside_backward(dy: Array, x: Array, y: Array) -> Array:
    """0 everywhere: a step has no slope to descend, hence the perceptron's own rule."""
    return dy * 0


def linear(x: Array) -> Array:
    r""":math:`y = x`."""
    return x


def linear_backward(dy: Array, x: Array, y: Array) -> Array:
    """The upstream gradient as it came."""
    return dy


def sigmoid(x: Array) -> Array:
    r""":math:`y = \frac{1}{1 + e^{-x}}`, as :math:`e^{x}/(1 + e^{x})` for negative x."""
    xp = array_module(x)
    e = xp.exp(-xp.abs(x))  # never above 1: the exponential that cannot overflow
    return xp.where(x >= 0, 1, e) / (1 + e)


def sigmoid_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = y (1 - y)`."""
    return dy * y * (1 - y)


def tanh(x: Array) -> Array:
    r""":math:`y = \tanh x`."""
    return array_module(x).tanh(x)


def tanh_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = 1 - y^2`."""
    return dy * (1 - y * y)


def relu(x: Array) -> Array:
    r""":math:`y = \max(x, 0)`."""
    return array_module(x).maximum(x, 0)


def relu_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = 1` where :math:`x > 0`, else 0."""
    return dy * (x > 0)


def relu6(x: Array) -> Array:
    r""":math:`y = \min(\max(x, 0), 6)`."""
    return array_module(x).clip(x, 0, 6)


def relu6_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = 1` where :math:`0 < x < 6`, else 0."""
    return dy * ((x > 0) & (x < 6))


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    r""":math:`y = x` where :math:`x > 0`, else :math:`s\,x` (Maas et al. 2013)."""
    return array_module(x).where(x > 0, x, negative_slope * x)


def leaky_relu_backward(dy: Array, x: Array, y: Array, negative_slope: float = 0.2) -> Array:
    r""":math:`y' = 1` where :math:`x > 0`, else :math:`s`."""
    return array_module(x).where(x > 0, dy, negative_slope * dy)


def elu(x: Array, alpha: float = 1.0) -> Array:
    r""":math:`y = x` where :math:`x > 0`, else :math:`\alpha (e^x - 1)` (Clevert et al. 2015)."""
    xp = array_module(x)
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0)))


def elu_backward(dy: Array, x: Array, y: Array, alpha: float = 1.0) -> Array:
    r""":math:`y' = 1` where :math:`x > 0`, else :math:`\alpha e^x`."""
    xp = array_module(x)
    return xp.where(x > 0, dy, dy * alpha * xp.exp(xp.minimum(x, 0)))


def selu(x: Array) -> Array:
    r""":math:`y = \lambda\,\mathrm{elu}(x, \alpha)` (Klambauer et al. 2017, equation 2)."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def selu_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \lambda` where :math:`x \ge 0`, else :math:`\lambda \alpha e^x`."""
    xp = array_module(x)
    return SELU_SCALE * xp.where(x >= 0, dy, dy * SELU_ALPHA * xp.exp(xp.minimum(x, 0)))


def celu(x: Array, alpha: float = 1.0) -> Array:
    r""":math:`y = \max(x, 0) + \min(0, \alpha (e^{x/\alpha} - 1))` (Barron 2017)."""
    xp = array_module(x)
    return xp.maximum(x, 0) + alpha * xp.expm1(xp.minimum(x, 0) / alpha)


def celu_backward(dy: Array, x: Array, y: Array, alpha: float = 1.0) -> Array:
    r""":math:`y' = 1` where :math:`x > 0`, else :math:`e^{x/\alpha}`."""
    xp = array_module(x)
    return dy * xp.exp(xp.minimum(x, 0) / alpha)


def gelu(x: Array, approximate: bool = False) -> Array:
    r""":math:`y = x\,\Phi(x)`, with :math:`\Phi` the normal distribution function.

    ``approximate`` takes :math:`\Phi(x) \approx \frac12 (1 + \tanh u)` with
    :math:`u = \sqrt{2/\pi}\,(x + 0.044715\,x^3)` (Hendrycks & Gimpel 2016).
    """
    if approximate:
        return 0.5 * x * (1 + tanh(_gelu_u(x)))
    return x * _normal_cdf(x)


def gelu_backward(dy: Array, x: Array, y: Array, approximate: bool = False) -> Array:
    r""":math:`y' = \Phi(x) + x\,\varphi(x)`, with :math:`\varphi = e^{-x^2/2}/\sqrt{2\pi}`.

    Approximate: :math:`y' = \frac12 (1 + t) + \frac12 x (1 - t^2)\,u'` with :math:`t = \tanh u`.
    """
    if approximate:
        t = tanh(_gelu_u(x))
        slope_of_u = math.sqrt(2 / math.pi) * (1 + 3 * GELU_CUBIC * x * x)
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope_of_u)
    density = array_module(x).exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return dy * (_normal_cdf(x) + x * density)


def _gelu_u(x: Array) -> Array:
    return math.sqrt(2 / math.pi) * (x + GELU_CUBIC * x * x * x)


def _normal_cdf(x: Array) -> Array:
    return 0.5 * erfc(-x / math.sqrt(2))  # erfc keeps the left tail that 1 + erf rounds away


def silu(x: Array) -> Array:
    r""":math:`y = x\,\sigma(x)`, also called swish (Ramachandran et al. 2017)."""
    return x * sigmoid(x)


def silu_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = s + x\,s (1 - s)` with :math:`s = \sigma(x)`."""
    s = sigmoid(x)
    return dy * (s + x * s * (1 - s))


def softplus(x: Array) -> Array:
    r""":math:`y = \log(1 + e^x)`, as :math:`\max(x, 0) + \log(1 + e^{-|x|})`."""
    xp = array_module(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


def softplus_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \sigma(x)`."""
    return dy * sigmoid(x)


def softsign(x: Array) -> Array:
    r""":math:`y = \frac{x}{1 + |x|}`."""
    return x / (1 + abs(x))


def softsign_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \frac{1}{(1 + |x|)^2}`."""
    return dy / (1 + abs(x)) ** 2


def hard_sigmoid(x: Array) -> Array:
    r""":math:`y = \mathrm{relu6}(x + 3) / 6`."""
    return relu6(x + 3) / 6


def hard_sigmoid_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \frac16` where :math:`-3 < x < 3`, else 0."""
    return relu6_backward(dy, x + 3, y) / 6


def hard_silu(x: Array) -> Array:
    r""":math:`y = x\,\mathrm{hard\_sigmoid}(x)`, also called hard swish (Howard et al. 2019)."""
    return x * hard_sigmoid(x)


def hard_silu_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = s + x\,s'` with :math:`s = \mathrm{hard\_sigmoid}(x)`."""
    return dy * hard_sigmoid(x) + hard_sigmoid_backward(dy * x, x, y)


def hard_tanh(x: Array) -> Array:
    r""":math:`y = \min(\max(x, -1), 1)`."""
    return array_module(x).clip(x, -1, 1)


def hard_tanh_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = 1` where :math:`-1 \le x \le 1`, else 0."""
    return dy * (abs(x) <= 1)


def hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    r""":math:`y = x` where :math:`|x| > \lambda`, else 0."""
    return x * (abs(x) > threshold)


def hard_shrink_backward(dy: Array, x: Array, y: Array, threshold: float = 0.5) -> Array:
    r""":math:`y' = 1` where :math:`|x| > \lambda`, else 0."""
    return dy * (abs(x) > threshold)


def soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    r""":math:`y = \mathrm{sign}(x) \max(|x| - \lambda, 0)`."""
    xp = array_module(x)
    return xp.sign(x) * xp.maximum(xp.abs(x) - threshold, 0)


def soft_shrink_backward(dy: Array, x: Array, y: Array, threshold: float = 0.5) -> Array:
    r""":math:`y' = 1` where :math:`|x| > \lambda`, else 0."""
    return dy * (abs(x) > threshold)


def tanh_shrink(x: Array) -> Array:
    r""":math:`y = x - \tanh x`."""
    return x - tanh(x)


def tanh_shrink_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \tanh^2 x`."""
    return dy * tanh(x) ** 2


def log_sigmoid(x: Array) -> Array:
    r""":math:`y = \log \sigma(x) = -\log(1 + e^{-x})`."""
    return -softplus(-x)


def log_sigmoid_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \sigma(-x)`."""
    return dy * sigmoid(-x)


def exponential(x: Array) -> Array:
    r""":math:`y = e^x`."""
    return array_module(x).exp(x)


def exponential_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = y`."""
    return dy * y


def mish(x: Array) -> Array:
    r""":math:`y = x \tanh(\mathrm{softplus}(x))` (Misra 2019)."""
    return x * tanh(softplus(x))


def mish_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = t + x (1 - t^2)\,\sigma(x)` with :math:`t = \tanh(\mathrm{softplus}(x))`."""
    t = tanh(softplus(x))
    return dy * (t + x * (1 - t * t) * sigmoid(x))


def squareplus(x: Array, b: float = 4) -> Array:
    r""":math:`y = \frac12 (x + \sqrt{x^2 + b})` (Barron 2021)."""
    return (x + array_module(x).sqrt(x * x + b)) / 2


def squareplus_backward(dy: Array, x: Array, y: Array, b: float = 4) -> Array:
    r""":math:`y' = \frac12 \left(1 + \frac{x}{\sqrt{x^2 + b}}\right)`."""
    return dy * (1 + x / array_module(x).sqrt(x * x + b)) / 2


def sparse_sigmoid(x: Array) -> Array:
    r""":math:`y = \frac12 (x + 1)` clipped to [0, 1]."""
    return array_module(x).clip(0.5 * (x + 1), 0, 1)


def sparse_sigmoid_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \frac12` where :math:`-1 < x < 1`, else 0."""
    return 0.5 * dy * (abs(x) < 1)


def sparse_plus(x: Array) -> Array:
    r""":math:`y = 0` where :math:`x \le -1`, :math:`\frac14 (x + 1)^2` up to 1, then :math:`x`."""
    xp = array_module(x)
    return xp.where(x < 1, 0.25 * (xp.clip(x, -1, 1) + 1) ** 2, x)


def sparse_plus_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`y' = \mathrm{clip}(\frac12 (x + 1), 0, 1)`, the sparse sigmoid."""
    return dy * sparse_sigmoid(x)


def softmax(x: Array) -> Array:
    r""":math:`y_k = e^{x_k} / \sum_j e^{x_j}`, along the last axis."""
    xp = array_module(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def softmax_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`dx_k = y_k (dy_k - \sum_j dy_j y_j)`."""
    return y * (dy - array_module(y).sum(dy * y, axis=-1, keepdims=True))


def log_softmax(x: Array) -> Array:
    r""":math:`y_k = x_k - \log \sum_j e^{x_j}`, along the last axis."""
    xp = array_module(x)
    shifted = x - xp.max(x, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def log_softmax_backward(dy: Array, x: Array, y: Array) -> Array:
    r""":math:`dx_k = dy_k - e^{y_k} \sum_j dy_j`."""
    xp = array_module(y)
    return dy - xp.exp(y) * xp.sum(dy, axis=-1, keepdims=True)


class Pair(NamedTuple):
    """An activation and its backward, for equations that leave open which one."""

    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array, Array], Array]


SIGMOID = Pair(sigmoid, sigmoid_backward)
TANH = Pair(tanh, tanh_backward)
