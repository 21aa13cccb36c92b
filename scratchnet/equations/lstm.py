r"""One step of a long short-term memory, and back.

Hochreiter & Schmidhuber (1997), with the forget gate of Gers, Schmidhuber & Cummins (2000).

.. math::

    a &= x W_x + h_{t-1} W_h + b, \quad a = [a_i, a_f, a_g, a_o]            &\text{(1)} \\
    i &= \sigma(a_i), \quad f = \sigma(a_f), \quad o = \sigma(a_o)           &\text{(2)} \\
    g &= \varphi(a_g)                                                        &\text{(3)} \\
    c &= f \odot c_{t-1} + i \odot g                                         &\text{(4)} \\
    \tanh_c &= \varphi(c)                                                    &\text{(5)} \\
    h &= o \odot \tanh_c                                                     &\text{(6)}

:math:`\sigma` is the sigmoid and :math:`\varphi` tanh unless others are given.  Tutorials that
write one matrix :math:`W_i \cdot [h_{t-1}, x_t]` for each gate have the same numbers: the columns
of :math:`W_h` and :math:`W_x` are the two halves of :math:`W_i, W_f, W_C, W_o`, side by side for
all gates; g is Olah's :math:`\tilde C`.
"""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.equations.activations import SIGMOID, TANH, Pair
from scratchnet.equations.recurrent_products import gate_product, gate_product_backward


def lstm_step(
    x: Array,
    h_prev: Array,
    c_prev: Array,
    Wx: Array,
    Wh: Array,
    b: Array | float = 0.0,
    *,
    activation: Pair = TANH,
    recurrent_activation: Pair = SIGMOID,
    x_masks: Array | None = None,
    h_masks: Array | None = None,
) -> tuple[Array, Array, Any]:
    r"""Return ``h``, ``c`` and what the backward step needs.

    ============  ==============  =========================================
    array         shape           meaning
    ============  ==============  =========================================
    ``x``         (B, D)          input of this time step
    ``h_prev``    (B, H)          hidden state of the step before
    ``c_prev``    (B, H)          cell state of the step before
    ``Wx``        (D, 4H)         input weights of i, f, g, o
    ``Wh``        (H, 4H)         recurrent weights
    ``b``         (4H,)           bias
    ``h, c``      (B, H)          hidden state and cell state
    ``x_masks``   (4, B, D)       dropout masks, or None; ``h_masks`` (4, B, H) too
    ============  ==============  =========================================
    """
    sigma, phi = recurrent_activation.forward, activation.forward
    a = gate_product(x, Wx, x_masks) + gate_product(h_prev, Wh, h_masks) + b  # (1)  (B, 4H)
    a_i, a_f, a_g, a_o = array_module(a).split(a, 4, axis=1)
    i, f, o = sigma(a_i), sigma(a_f), sigma(a_o)  # (2)
    g = phi(a_g)  # (3)
    c = f * c_prev + i * g  # (4)
    tanh_c = phi(c)  # (5)
    h = o * tanh_c  # (6)
    weights, gates = (Wx, Wh, x_masks, h_masks), (a_i, a_f, a_g, a_o, i, f, g, o)
    cache = (x, h_prev, c_prev, c, tanh_c, gates, weights, activation, recurrent_activation)
    return h, c, cache


def lstm_step_backward(
    dh: Array, dc: Array, cache: Any
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return ``dx, dh_prev, dc_prev, dWx, dWh, db``.

    ``dh`` is the sum of the gradient of this step's output and of ``dh_prev`` of the step after;
    ``dc`` is ``dc_prev`` of the step after.  The comments give the local derivatives for the
    sigmoid and tanh.
    """
    x, h_prev, c_prev, c, tanh_c, gates, weights, activation, recurrent_activation = cache
    a_i, a_f, a_g, a_o, i, f, g, o = gates
    Wx, Wh, x_masks, h_masks = weights
    sigma_backward, phi_backward = recurrent_activation.backward, activation.backward

    do = dh * tanh_c  # (6')
    dtanh_c = dh * o  # (6')
    dc = dc + phi_backward(dtanh_c, c, tanh_c)  # (5')  dtanh_c * (1 - tanh_c * tanh_c)
    dc_prev = dc * f  # (4')
    df = dc * c_prev  # (4')
    di = dc * g  # (4')
    dg = dc * i  # (4')
    da_g = phi_backward(dg, a_g, g)  # (3')  dg * (1 - g * g)
    da_i = sigma_backward(di, a_i, i)  # (2')  di * i * (1 - i)
    da_f = sigma_backward(df, a_f, f)  # (2')  df * f * (1 - f)
    da_o = sigma_backward(do, a_o, o)  # (2')  do * o * (1 - o)
    da = array_module(dh).concatenate((da_i, da_f, da_g, da_o), axis=1)  # (B, 4H)
    db = da.sum(axis=0)  # (1')
    dh_prev, dWh = gate_product_backward(da, h_prev, Wh, h_masks)  # (1')
    dx, dWx = gate_product_backward(da, x, Wx, x_masks)  # (1')
    return dx, dh_prev, dc_prev, dWx, dWh, db
