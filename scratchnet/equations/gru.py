r"""One step of a gated recurrent unit, and back, in both variants.

Cho et al. (2014) apply the reset gate before the product with the recurrent weights; cuDNN (Chetlur
et al. 2014) and Keras's default apply it after, where :math:`h_{t-1} W_h` can be one product.

.. math::

    u &= x W_x + b_x, \quad u = [u_z, u_r, u_n]                             &\text{(1)} \\
    v &= h_{t-1} W_h + b_h, \quad v = [v_z, v_r, v_n]                       &\text{(2)} \\
    z &= \sigma(u_z + v_z)                                                   &\text{(3)} \\
    r &= \sigma(u_r + v_r)                                                   &\text{(4)} \\
    n &= \varphi(u_n + r \odot v_n)                        &\text{(5, reset after)} \\
    n &= \varphi(u_n + (r \odot h_{t-1}) W_{hn})           &\text{(5, reset before)} \\
    h &= z \odot h_{t-1} + (1 - z) \odot n                                   &\text{(6)}

:math:`\sigma` is the sigmoid and :math:`\varphi` tanh unless others are given.  With the reset
before, there is one bias, :math:`b_x`.
"""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.equations.activations import SIGMOID, TANH, Pair
from scratchnet.equations.recurrent_products import gate_product, gate_product_backward


def gru_step(
    x: Array,
    h_prev: Array,
    Wx: Array,
    Wh: Array,
    bx: Array | float = 0.0,
    bh: Array | float = 0.0,
    *,
    activation: Pair = TANH,
    recurrent_activation: Pair = SIGMOID,
    x_masks: Array | None = None,
    h_masks: Array | None = None,
) -> tuple[Array, Any]:
    r"""Return ``h`` and what the backward step needs; the reset gate comes after the product.

    ============  ==============  =========================================
    array         shape           meaning
    ============  ==============  =========================================
    ``x``         (B, D)          input of this time step
    ``h_prev``    (B, H)          hidden state of the step before
    ``Wx``        (D, 3H)         input weights of z, r, n
    ``Wh``        (H, 3H)         recurrent weights
    ``bx, bh``    (3H,)           biases
    ``h``         (B, H)          hidden state
    ``x_masks``   (3, B, D)       dropout masks, or None; ``h_masks`` (3, B, H) too
    ============  ==============  =========================================
    """
    xp, sigma, phi = array_module(x), recurrent_activation.forward, activation.forward
    u_z, u_r, u_n = xp.split(gate_product(x, Wx, x_masks) + bx, 3, axis=1)  # (1)
    v_z, v_r, v_n = xp.split(gate_product(h_prev, Wh, h_masks) + bh, 3, axis=1)  # (2)
    a_z, a_r = u_z + v_z, u_r + v_r
    z, r = sigma(a_z), sigma(a_r)  # (3), (4)
    a_n = u_n + r * v_n
    n = phi(a_n)  # (5)
    h = z * h_prev + (1 - z) * n  # (6)
    weights = (Wx, Wh, x_masks, h_masks)
    return h, (
        x,
        h_prev,
        (a_z, a_r, a_n),
        (z, r, n, v_n),
        weights,
        activation,
        recurrent_activation,
    )


def gru_step_backward(dh: Array, cache: Any) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return ``dx, dh_prev, dWx, dWh, dbx, dbh``.

    ``dh`` is the sum of the gradient of this step's output and of ``dh_prev`` of the step after.
    The comments give the local derivatives for the sigmoid and tanh.
    """
    x, h_prev, (a_z, a_r, a_n), (z, r, n, v_n), weights, activation, recurrent_activation = cache
    Wx, Wh, x_masks, h_masks = weights
    xp = array_module(dh)

    dz = dh * (h_prev - n)  # (6')
    dn = dh * (1 - z)  # (6')
    da_n = activation.backward(dn, a_n, n)  # (5')  dn * (1 - n * n)
    dr = da_n * v_n  # (5')
    dv_n = da_n * r  # (5')
    da_r = recurrent_activation.backward(dr, a_r, r)  # (4')  dr * r * (1 - r)
    da_z = recurrent_activation.backward(dz, a_z, z)  # (3')  dz * z * (1 - z)
    dv = xp.concatenate((da_z, da_r, dv_n), axis=1)  # (B, 3H)
    du = xp.concatenate((da_z, da_r, da_n), axis=1)  # (B, 3H)
    dh_prev, dWh = gate_product_backward(dv, h_prev, Wh, h_masks)  # (2')
    dh_prev = dh_prev + dh * z  # (6')
    dx, dWx = gate_product_backward(du, x, Wx, x_masks)  # (1')
    return dx, dh_prev, dWx, dWh, du.sum(axis=0), dv.sum(axis=0)


def gru_reset_before_step(
    x: Array,
    h_prev: Array,
    Wx: Array,
    Wh: Array,
    bx: Array | float = 0.0,
    *,
    activation: Pair = TANH,
    recurrent_activation: Pair = SIGMOID,
    x_masks: Array | None = None,
    h_masks: Array | None = None,
) -> tuple[Array, Any]:
    """Return ``h`` and what the backward step needs; the reset gate comes before the product.

    Shapes as in `gru_step`; there is no ``bh``.
    """
    xp, sigma, phi = array_module(x), recurrent_activation.forward, activation.forward
    H = h_prev.shape[1]
    zr_masks, n_mask = (None, 1.0) if h_masks is None else (h_masks[:2], h_masks[2])
    u_z, u_r, u_n = xp.split(gate_product(x, Wx, x_masks) + bx, 3, axis=1)  # (1)
    v_z, v_r = xp.split(gate_product(h_prev, Wh[:, : 2 * H], zr_masks), 2, axis=1)  # (2)
    a_z, a_r = u_z + v_z, u_r + v_r
    z, r = sigma(a_z), sigma(a_r)  # (3), (4)
    h_reset = r * (n_mask * h_prev)
    a_n = u_n + h_reset @ Wh[:, 2 * H :]
    n = phi(a_n)  # (5)
    h = z * h_prev + (1 - z) * n  # (6)
    weights = (Wx, Wh, x_masks, zr_masks, n_mask)
    cache = (x, h_prev, (a_z, a_r, a_n), (z, r, n, h_reset), weights)
    return h, (*cache, activation, recurrent_activation)


def gru_reset_before_step_backward(
    dh: Array, cache: Any
) -> tuple[Array, Array, Array, Array, Array]:
    """Return ``dx, dh_prev, dWx, dWh, dbx``; see `gru_step_backward`."""
    x, h_prev, (a_z, a_r, a_n), (z, r, n, h_reset), weights = cache[:5]
    activation, recurrent_activation = cache[5:]
    Wx, Wh, x_masks, zr_masks, n_mask = weights
    xp, H = array_module(dh), dh.shape[1]

    dz = dh * (h_prev - n)  # (6')
    dn = dh * (1 - z)  # (6')
    da_n = activation.backward(dn, a_n, n)  # (5')  dn * (1 - n * n)
    dh_reset = da_n @ Wh[:, 2 * H :].T  # (5')
    dWh_n = h_reset.T @ da_n  # (5')
    dr = dh_reset * (n_mask * h_prev)  # (5')
    da_r = recurrent_activation.backward(dr, a_r, r)  # (4')  dr * r * (1 - r)
    da_z = recurrent_activation.backward(dz, a_z, z)  # (3')  dz * z * (1 - z)
    dv = xp.concatenate((da_z, da_r), axis=1)  # (B, 2H)
    du = xp.concatenate((da_z, da_r, da_n), axis=1)  # (B, 3H)
    dh_prev, dWh_zr = gate_product_backward(dv, h_prev, Wh[:, : 2 * H], zr_masks)  # (2')
    dh_prev = dh_prev + n_mask * (dh_reset * r) + dh * z  # (5'), (6')
    dWh = xp.concatenate((dWh_zr, dWh_n), axis=1)
    dx, dWx = gate_product_backward(du, x, Wx, x_masks)  # (1')
    return dx, dh_prev, dWx, dWh, du.sum(axis=0)
