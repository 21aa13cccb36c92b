r"""One step of a simple recurrent network (Elman 1990), and back.

.. math::

    a &= x W_x + h_{t-1} W_h + b        &\text{(1)} \\
    h &= \varphi(a)                     &\text{(2)}

:math:`\varphi` is tanh unless another activation is given.  Going back through time (Werbos 1990)
is this file's backward, from the last step to the first.
"""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array
from scratchnet.equations.activations import TANH, Pair
from scratchnet.equations.recurrent_products import gate_product, gate_product_backward


def simple_rnn_step(
    x: Array,
    h_prev: Array,
    Wx: Array,
    Wh: Array,
    b: Array | float = 0.0,
    *,
    activation: Pair = TANH,
    x_masks: Array | None = None,
    h_masks: Array | None = None,
) -> tuple[Array, Any]:
    r"""Return ``h`` and what the backward step needs.

    ============  ==============  =========================================
    array         shape           meaning
    ============  ==============  =========================================
    ``x``         (B, D)          input of this time step
    ``h_prev``    (B, H)          hidden state of the step before
    ``Wx``        (D, H)          input weights
    ``Wh``        (H, H)          recurrent weights
    ``b``         (H,)            bias
    ``h``         (B, H)          hidden state
    ``x_masks``   (1, B, D)       dropout masks, or None; ``h_masks`` (1, B, H) too
    ============  ==============  =========================================
    """
    a = gate_product(x, Wx, x_masks) + gate_product(h_prev, Wh, h_masks) + b  # (1)
    h = activation.forward(a)  # (2)
    return h, (x, h_prev, Wx, Wh, a, h, activation, x_masks, h_masks)


def simple_rnn_step_backward(dh: Array, cache: Any) -> tuple[Array, Array, Array, Array, Array]:
    """Return ``dx, dh_prev, dWx, dWh, db`` from the gradient of everything after this step.

    ``dh`` is the sum of the gradient of this step's output and of ``dh_prev`` of the step after.
    """
    x, h_prev, Wx, Wh, a, h, activation, x_masks, h_masks = cache
    da = activation.backward(dh, a, h)  # (2')  dh * (1 - h * h)
    db = da.sum(axis=0)  # (1')
    dh_prev, dWh = gate_product_backward(da, h_prev, Wh, h_masks)  # (1')
    dx, dWx = gate_product_backward(da, x, Wx, x_masks)  # (1')
    return dx, dh_prev, dWx, dWh, db
