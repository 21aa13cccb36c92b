r"""The perceptron and its rule (Rosenblatt 1958, "The perceptron: a probabilistic model …").

A step has no slope, so there is no gradient here and no backward: the rule below moves the line
:math:`x \cdot w + b = 0` only when the answer was wrong, and towards the example it got wrong.
"""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array
from scratchnet.equations.activations import heaviside


def perceptron(x: Array, w: Array, b: Array | float) -> Array:
    r"""Return :math:`y = 1` where :math:`z = x \cdot w + b \ge 0`, else 0.

    ========  =============  ===================================
    array     shape          meaning
    ========  =============  ===================================
    ``x``     (D,) or (B,D)  one example, or one a row
    ``w``     (D,)           weights
    ``b``     ()             bias
    ``y``     () or (B,)     class, 0 or 1, in ``x``'s dtype
    ========  =============  ===================================
    """
    z = x @ w + b  # (1)
    return heaviside(z)  # (2)


def perceptron_update(
    x: Array,
    y_true: Array | int,
    y_pred: Array | int,
    w: Array,
    b: Array | float,
    learning_rate: float,
) -> tuple[Array, Any]:
    r"""Return the new ``w, b`` after one example ``x`` of shape (D,).

    .. math::
        w \leftarrow w + \eta\,(y_{true} - y_{pred})\,x, \qquad
        b \leftarrow b + \eta\,(y_{true} - y_{pred})

    The error is 0 for a right answer, 1 for a class 1 taken for 0 and -1 for a class 0 taken
    for 1, so :math:`z` at this ``x`` moves by :math:`\eta\,(|x|^2 + 1)` the right way.
    """
    error = y_true - y_pred
    return w + learning_rate * error * x, b + learning_rate * error
