"""Losses on a device: all that is wanted of one, in one kernel with a block for each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scratchnet.backend import Array
from scratchnet.equations import activations
from scratchnet.kernels.device.rows.kernel import by_rows
from scratchnet.kernels.device.tracing.expressions import UntraceableError

VALUES, DY_PRED, OUTPUT = "values", "dy_pred", "output"
"""What can be wanted: losses, their gradient, and what the activation makes of logits."""


def in_one_kernel(
    loss: Any, dvalues: Callable[[], Any], y_true: Array, y_pred: Array, wanted: tuple[str, ...]
) -> tuple[Array, ...] | None:
    """Return what is wanted, or None where no kernel can be made of the loss.

    Parameters
    ----------
    loss : Loss
        Run with symbols, once for all losses of its class and settings.
    dvalues : callable
        Returns an array of the shape of the values, or a number that all of them get.
    """

    def page(dvalues: Array, y_true: Array, y_pred: Array) -> tuple[Array, ...]:
        makes: dict[str, Callable[[], Array]] = {
            VALUES: lambda: loss.values(y_true, y_pred),
            DY_PRED: lambda: loss.values_backward(dvalues, y_true, y_pred),
            OUTPUT: lambda: getattr(activations, str(loss.activation_with_logits))(y_pred),
        }
        return tuple(makes[name]() for name in wanted)

    page.__name__ = type(loss).__name__
    key = type(loss), repr(loss.settings()), wanted
    try:
        found: tuple[Array, ...] = by_rows(page, dvalues(), y_true, y_pred, key=key)
    except UntraceableError:
        return None
    return found
