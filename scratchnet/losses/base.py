"""What every loss shares: checks, weights, masks, and the reduction to one number."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple, Self

from scratchnet.arguments import construct, snake_case
from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.kernels.device import has_kernels
from scratchnet.losses.on_device import DY_PRED, VALUES, in_one_kernel
from scratchnet.losses.shapes import fit, floats, same_shape
from scratchnet.queued import may_look

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None)


class _Ready(NamedTuple):
    """What a loss is computed from, once checked: the last axis is over the outputs."""

    y_true: Array
    y_pred: Array
    weights: Array | None
    count: Any
    """What the sum of the weighted values is divided by."""
    shape: tuple[int, ...]
    """The predictions' as they were given."""


class Loss:
    r"""A number that says how far predictions are from targets, and its gradient.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None}
        With :math:`\ell_i` the loss of a sample and :math:`w_i` its weight times its mask:
        the first two are :math:`\sum_i w_i \ell_i / n`, where n counts the values that are not
        masked; then :math:`\sum_i w_i \ell_i`; then :math:`\sum_i w_i \ell_i / \sum_i w_i`; None
        keeps the :math:`w_i \ell_i` apart.  Nothing left to divide by gives 0.
    name : str, optional
        Defaults to the class name in snake case.

    Notes
    -----
    Subclasses implement `values` and `values_backward`, which look along no axis but the last.

    On a device, these are run with symbols in the place of arrays and become a kernel.  They must
    not look at values there (``if``, ``float``), or they run as they are.  One kernel serves all
    losses of a class whose `settings`, the attributes of the instance, look alike to `repr`, for
    arrays of the same types.  What `repr` does not show (an array's middle, an object's inside), an
    attribute of the class, a global or a closure that is changed later is not seen.
    """

    activation_with_logits: ClassVar[str | None] = None
    """The activation that this loss undoes where it is given logits."""

    axis: int = -1
    """The axis of ``y_pred`` over which one loss value is taken."""

    shape_remedy: ClassVar[str] = "Reshape y_true, or give the last layer as many units"

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reduction = None if reduction == "none" else reduction
        if self.reduction not in REDUCTIONS:
            expected = ", ".join(repr(choice) for choice in REDUCTIONS)
            raise InputError(
                f"{type(self).__name__}: expected reduction to be one of {expected}, "
                f"got {reduction!r}. Leave it out for the mean"
            )
        self._equal_shares: tuple[Any, Any] = (None, None)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Return one loss a sample, of shape ``y_pred.shape[:-1]``."""
        raise NotImplementedError(f"{type(self).__name__} has no values")

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        """Return the gradient with respect to ``y_pred`` from that with respect to `values`.

        ``dvalues`` is never written to.
        """
        raise NotImplementedError(f"{type(self).__name__} has no values_backward")

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Any:
        """Return the loss, a scalar of ``y_pred``'s dtype, or its values if ``reduction=None``.

        Parameters
        ----------
        y_true : array
            Targets; cast to ``y_pred``'s dtype.  Their last axis may be left out if it has length
            1.
        y_pred : array, shape (batch, …, outputs)
            Predictions.  Lists and integers become float32.
        sample_weight : array, optional
            One a value, so of shape ``y_pred.shape[:-1]``, or broadcast to it.
        mask : array of bool, shape ``y_pred.shape[:-1]``, optional
            False where a value does not count.

        Raises
        ------
        InputError
            If shapes do not fit or the targets are not finite, or not labels of the classes.
        """
        ready = self._ready(y_true, y_pred, sample_weight, mask)
        if may_look(ready.y_true):
            self._check_finite(ready.y_true)
        return self._value(ready)

    def gradient(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Array:
        """Return the gradient of the loss with respect to ``y_pred``, in its shape and dtype.

        Takes what calling the loss takes and raises what that raises, but for targets that are not
        finite: training calls the loss as well, and looks once.  With ``reduction=None`` it is the
        gradient of the sum.
        """
        return self._gradient(self._ready(y_true, y_pred, sample_weight, mask))

    def value_and_gradient(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> tuple[Any, Array]:
        """Return the loss as a Python number and its gradient, having checked the arrays once.

        Takes what calling the loss takes and raises what that raises; targets that are not finite
        are looked for where the loss is not.  In a queued step the loss stays on its device, and
        labels that there are no classes for make it NaN.
        """
        ready = self._ready(y_true, y_pred, sample_weight, mask)
        found = self._by_rows(ready, VALUES, DY_PRED)
        if found is None:
            values = self.values(ready.y_true, ready.y_pred)
            return self._number(self._reduced(values, ready), ready), self._gradient(ready)
        values, dy_pred = found
        value = self._number(self._reduced(values, ready), ready)
        return value, self._as_given(dy_pred, ready)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again, as JSON can hold them."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a loss from `get_config`'s answer."""
        return construct(cls, config)

    def settings(self) -> dict[str, Any]:
        """Return all that its equations may depend on."""
        return {key: value for key, value in vars(self).items() if key != "_equal_shares"}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _ready(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> _Ready:
        given = self._predictions(y_pred)
        y_true, y_pred, valid = self._checked(y_true, given)
        weights, count = self._weights(y_pred, sample_weight, mask, valid)
        return _Ready(y_true, y_pred, weights, count, given.shape)

    def _value(self, ready: _Ready) -> Any:
        found = self._by_rows(ready, VALUES)
        values = self.values(ready.y_true, ready.y_pred) if found is None else found[0]
        return self._reduced(values, ready)

    def _number(self, value: Any, ready: _Ready) -> Any:
        """Return the loss as a Python number, or as it is where it must not be looked at."""
        if not may_look(ready.y_pred):
            return value
        value = float(value)
        if not math.isfinite(value):
            self._check_finite(ready.y_true)
        return value

    def _by_rows(self, ready: _Ready, *wanted: str) -> tuple[Array, ...] | None:
        """Return what is wanted from one kernel, or None where there is none for it."""
        if not has_kernels(ready.y_pred):
            return None

        def dvalues() -> Any:
            return 1 / ready.count if ready.weights is None else self._dvalues(ready)

        return in_one_kernel(self, dvalues, ready.y_true, ready.y_pred, wanted)

    def _reduced(self, values: Array, ready: _Ready) -> Any:
        if ready.weights is not None:
            values = values * ready.weights
        return values if self.reduction is None else _divide(values.sum(), ready.count)

    def _gradient(self, ready: _Ready) -> Array:
        found = self._by_rows(ready, DY_PRED)
        if found is None:
            dvalues = self._dvalues(ready)
            found = (self.values_backward(dvalues, ready.y_true, ready.y_pred),)
        return self._as_given(found[0], ready)

    def _dvalues(self, ready: _Ready) -> Array:
        """Return the gradient with respect to `values`."""
        y_pred, weights = ready.y_pred, ready.weights
        xp, shape = array_module(y_pred), y_pred.shape[:-1]
        if weights is not None:
            return xp.broadcast_to(_divide(weights, ready.count), shape)
        if not may_look(y_pred):  # what a queued step makes belongs to it
            return xp.full(shape, 1 / ready.count, dtype=y_pred.dtype)
        wanted = (type(y_pred), y_pred.dtype, shape, ready.count)
        if self._equal_shares[0] != wanted:
            self._equal_shares = wanted, xp.full(shape, 1 / ready.count, dtype=y_pred.dtype)
        return self._equal_shares[1]

    def _as_given(self, dy_pred: Array, ready: _Ready) -> Array:
        """Return the gradient in the shape that the predictions came in."""
        if self.axis != -1:
            dy_pred = array_module(dy_pred).moveaxis(dy_pred, -1, self.axis)
        return dy_pred if dy_pred.shape == ready.shape else dy_pred.reshape(ready.shape)

    def _predictions(self, y_pred: Any) -> Array:
        y_pred = floats(type(self).__name__, "y_pred", y_pred)
        if not (y_pred.ndim and y_pred.size):
            raise InputError(
                f"{type(self).__name__}: expected y_pred of shape (batch, …, outputs) with at "
                f"least one element, got {y_pred.shape}. Give it at least one sample"
            )
        return y_pred

    def _checked(self, y_true: Any, y_pred: Array) -> tuple[Array, Array, Array | None]:
        """Return targets and predictions, last axis over the outputs, and what counts of them."""
        owner = type(self).__name__
        y_true, y_pred = same_shape(owner, y_true, y_pred, self.shape_remedy)
        if self.axis != -1:
            xp = array_module(y_pred)
            y_true, y_pred = xp.moveaxis(y_true, self.axis, -1), xp.moveaxis(y_pred, self.axis, -1)
        return y_true, y_pred, None

    def _check_finite(self, y_true: Array) -> None:
        xp = array_module(y_true)
        if not xp.isfinite(y_true).all():
            raise InputError(
                f"{type(self).__name__}: expected y_true to be finite, got NaN or infinity. Drop "
                "or fill in the samples without a target"
            )

    def _weights(
        self, y_pred: Array, sample_weight: Any, mask: Any, valid: Array | None
    ) -> tuple[Array | None, Any]:
        """Return the weight of each value, masks included, and what their sum is divided by."""
        owner, shape = type(self).__name__, y_pred.shape[:-1]
        if mask is None and valid is None and sample_weight is None:
            return None, 1 if self.reduction in ("sum", None) else math.prod(shape)
        xp = array_module(y_pred)
        counted: Array | None = None
        if mask is not None:
            counted = floats(owner, "mask", mask, y_pred.dtype, like=y_pred)
            counted = xp.broadcast_to(fit(owner, "mask", counted, shape), shape)
        if valid is not None:
            valid = floats(owner, "y_true", valid, y_pred.dtype, like=y_pred)
            counted = valid if counted is None else counted * valid
        weights = counted
        if sample_weight is not None:
            weights = floats(owner, "sample_weight", sample_weight, y_pred.dtype, like=y_pred)
            weights = fit(owner, "sample_weight", weights, shape)
            weights = weights if counted is None else weights * counted
        if self.reduction in ("sum", None):
            return weights, 1
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            return weights, xp.sum(weights)
        if counted is not None:
            return weights, xp.sum(counted)
        return weights, math.prod(shape)


def _divide(x: Array, count: Any) -> Array:
    """``x / count``, and 0 where there is nothing to divide by."""
    if isinstance(count, int):
        return x / count
    xp = array_module(x)
    return xp.where(count == 0, 0, x / xp.where(count == 0, 1, count))
