"""A gradient check as one line of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scratchnet.gradcheck.report import Report


def assert_gradients(thing: Any, *arguments: Any, **options: Any) -> None:
    """Raise unless every gradient is right; the message is the whole report.

    Parameters
    ----------
    thing
        What is checked, with what `check_layer`, `check_loss`, `check_model`, `check_function` or
        `check_class` takes after it:

        - a layer of scratchnet's, and the shape of its input;
        - a loss of scratchnet's, and a shape;
        - a model of scratchnet's, its inputs and its targets;
        - a pair ``(forward, backward)``, or first the one and then the other, and the arrays;
        - a class with ``forward`` and ``backward``, an instance, or a function of no arguments that
          returns one, and the shape of its input.
    *arguments, **options
        Passed on.

    Raises
    ------
    AssertionError
        If a gradient is wrong, or cannot be judged.
    """
    __tracebackhide__ = True
    report = _check(thing, *arguments, **options)
    if not report.ok:
        raise AssertionError(f"{report}\n")


def _check(thing: Any, *arguments: Any, **options: Any) -> Report:
    from scratchnet import gradcheck
    from scratchnet.layers import Layer
    from scratchnet.losses import Loss
    from scratchnet.model import Sequential

    check: Callable[..., Report] = gradcheck.check_class
    if isinstance(thing, Sequential):
        check = gradcheck.check_model
    elif isinstance(thing, Layer):
        check = gradcheck.check_layer
    elif isinstance(thing, Loss):
        check = gradcheck.check_loss
    elif isinstance(thing, tuple):
        return gradcheck.check_function(*thing, *arguments, **options)
    elif arguments and callable(arguments[0]):
        check = gradcheck.check_function
    return check(thing, *arguments, **options)
