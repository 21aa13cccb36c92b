"""Cross-entropies, of probabilities or of logits, with labels one-hot or as numbers."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

from scratchnet.arguments import FRACTION, real
from scratchnet.backend import Array, array_module
from scratchnet.device import device_of, expect_beside
from scratchnet.equations import losses as equations
from scratchnet.errors import InputError
from scratchnet.kernels import crossentropy as kernels
from scratchnet.losses.base import Loss
from scratchnet.losses.on_device import DY_PRED, OUTPUT, VALUES
from scratchnet.losses.shapes import floats, rows_shape
from scratchnet.queued import may_look


class CrossEntropy(Loss):
    """What the three share: predictions that are probabilities, or logits."""

    def __init__(self, from_logits: bool, reduction: str | None, name: str | None) -> None:
        super().__init__(reduction, name)
        self.from_logits = from_logits

    def on_logits(self) -> Self:
        """Return the same loss for what the last activation gets instead of what it gives."""
        twin = copy.copy(self)
        twin.from_logits = True
        return twin

    def value_gradient_and_output(
        self,
        y_true: Any,
        logits: Any,
        sample_weight: Any = None,
        mask: Any = None,
        wants_output: bool = True,
    ) -> tuple[Any, Array, Array | None]:
        """Return the loss of logits, its gradient, and what the activation makes of the logits.

        Loss and gradient are those of `value_and_gradient`, to rounding.  The output is None where
        it is not wanted, or where this loss does not come across it: along another axis than the
        last, or of ignored samples.
        """
        ready = self._ready(y_true, logits, sample_weight, mask)
        wants_output = wants_output and self._meets_output
        wanted = (VALUES, DY_PRED, OUTPUT) if wants_output else (VALUES, DY_PRED)
        found = self._by_rows(ready, *wanted)
        if found is None:
            given = self._dvalues(ready), ready.y_true, ready.y_pred
            values, dlogits, output = self._jointly(*given, wants_output)
        else:
            values, dlogits, output = *found[:2], found[2] if wants_output else None
        value = self._number(self._reduced(values, ready), ready)
        if output is not None:
            output = self._as_given(output, ready) if wants_output else None
        return value, self._as_given(dlogits, ready), output

    @property
    def _meets_output(self) -> bool:
        """Whether the kernel's probabilities are the activation's output."""
        return self.axis == -1

    def _jointly(
        self, dvalues: Array, y_true: Array, logits: Array, wants_output: bool
    ) -> tuple[Array, Array, Array | None]:
        """Return values, the gradient and the probabilities, from one exponential."""
        raise NotImplementedError(f"{type(self).__name__} has no _jointly")

    def get_config(self) -> dict[str, Any]:
        return {"from_logits": self.from_logits, **super().get_config()}


class SmoothedCrossEntropy(CrossEntropy):
    """What the two share whose targets have the shape of the predictions."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(from_logits, reduction, name)
        self.label_smoothing = real(
            type(self).__name__, "label_smoothing", label_smoothing, FRACTION
        )
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        own = {"label_smoothing": self.label_smoothing, "axis": self.axis}
        return {**own, **super().get_config()}


class BinaryCrossentropy(SmoothedCrossEntropy):
    r"""Mean over the outputs of :math:`-y \log p - (1 - y) \log(1 - p)`, for yes or no outputs.

    Parameters
    ----------
    from_logits : bool
        Whether ``y_pred`` holds logits.  Probabilities are clipped to [1e-7, 1 − 1e-7].
    label_smoothing : float
        From 0 to 1: the part of every target that all classes get equal shares of.
    axis : int
        The axis of the outputs.
    reduction, name
        See `Loss`.
    """

    activation_with_logits = "sigmoid"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if self.from_logits:
            return equations.binary_crossentropy_with_logits(self._smooth(y_true), y_pred)
        return equations.binary_crossentropy(self._smooth(y_true), y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        y_true = self._smooth(y_true)
        if self.from_logits:
            return equations.binary_crossentropy_with_logits_backward(dvalues, y_true, y_pred)
        return equations.binary_crossentropy_backward(dvalues, y_true, y_pred)

    def _jointly(
        self, dvalues: Array, y_true: Array, logits: Array, wants_output: bool
    ) -> tuple[Array, Array, Array | None]:
        return kernels.binary_crossentropy_with_logits(dvalues, self._smooth(y_true), logits)

    def _smooth(self, y_true: Array) -> Array:
        if not self.label_smoothing:
            return y_true
        return equations.smooth_binary_labels(y_true, self.label_smoothing)


class CategoricalCrossentropy(SmoothedCrossEntropy):
    r""":math:`-\sum_k y_k \log p_k`, for one-hot targets or others that sum to 1.

    Parameters are those of `BinaryCrossentropy`.  Probabilities are divided by their sum, then
    clipped.
    """

    activation_with_logits = "softmax"
    shape_remedy: ClassVar[str] = "For integer labels use SparseCategoricalCrossentropy"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if self.from_logits:
            return equations.categorical_crossentropy_with_logits(self._smooth(y_true), y_pred)
        return equations.categorical_crossentropy(self._smooth(y_true), y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        y_true = self._smooth(y_true)
        if self.from_logits:
            return equations.categorical_crossentropy_with_logits_backward(dvalues, y_true, y_pred)
        return equations.categorical_crossentropy_backward(dvalues, y_true, y_pred)

    def _jointly(
        self, dvalues: Array, y_true: Array, logits: Array, wants_output: bool
    ) -> tuple[Array, Array, Array | None]:
        return kernels.categorical_crossentropy_with_logits(dvalues, self._smooth(y_true), logits)

    def _smooth(self, y_true: Array) -> Array:
        if not self.label_smoothing:
            return y_true
        return equations.smooth_categorical_labels(y_true, self.label_smoothing)


class SparseCategoricalCrossentropy(CrossEntropy):
    r""":math:`-\log p_y`, for integer labels y of shape ``y_pred.shape[:-1]``.

    Parameters
    ----------
    from_logits : bool
        Whether ``y_pred`` holds logits.  Probabilities are clipped, then divided by their sum.
    ignore_class : int, optional
        Samples with this label do not count, not in a mean's divisor either.
    reduction, name
        See `Loss`.
    """

    activation_with_logits = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(from_logits, reduction, name)
        self.ignore_class = ignore_class

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if self.from_logits:
            return equations.sparse_categorical_crossentropy_with_logits(y_true, y_pred)
        return equations.sparse_categorical_crossentropy(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        if self.from_logits:
            return equations.sparse_categorical_crossentropy_with_logits_backward(
                dvalues, y_true, y_pred
            )
        return equations.sparse_categorical_crossentropy_backward(dvalues, y_true, y_pred)

    @property
    def _meets_output(self) -> bool:
        return self.ignore_class is None

    def _jointly(
        self, dvalues: Array, y_true: Array, logits: Array, wants_output: bool
    ) -> tuple[Array, Array, Array | None]:
        return kernels.sparse_categorical_crossentropy_with_logits(
            dvalues, y_true, logits, wants_output
        )

    def get_config(self) -> dict[str, Any]:
        return {"ignore_class": self.ignore_class, **super().get_config()}

    def _checked(self, y_true: Any, y_pred: Array) -> tuple[Array, Array, Array | None]:
        xp, owner, classes = array_module(y_pred), type(self).__name__, y_pred.shape[-1]
        labels = rows_shape(owner, _integers(owner, y_true, y_pred), y_pred)
        valid = None
        if self.ignore_class is not None:
            valid = labels != self.ignore_class
            labels = xp.where(valid, labels, 0)
            y_pred = xp.where(valid[..., None], y_pred, 0)
        for label in (int(xp.min(labels)), int(xp.max(labels))) if may_look(labels) else ():
            if not 0 <= label < classes:
                raise InputError(
                    f"{owner}: expected labels in y_true from 0 to {classes - 1}, one of "
                    f"y_pred's {classes} classes, got {label}. Number the labels from 0, or give "
                    "the last layer more units"
                )
        return labels, y_pred, valid

    def _check_finite(self, y_true: Array) -> None:
        """Integers are."""


def _integers(owner: str, y_true: Any, y_pred: Array) -> Array:
    """Return labels as integers, whatever type of number they came as."""
    xp = array_module(y_pred)
    if getattr(y_true, "dtype", None) in (xp.int32, xp.int64):
        expect_beside(owner, "y_true", y_true, device_of(y_pred), "y_pred is")
        return xp.asarray(y_true)
    labels = floats(owner, "y_true", y_true, xp.float64, like=y_pred)
    whole = xp.isfinite(labels) & (labels == xp.floor(labels))
    if not may_look(labels):
        labels = xp.where(whole, labels, -1)  # which no class has
    elif not xp.all(whole):
        raise InputError(
            f"{owner}: expected integer labels in y_true, got {float(labels[~whole][0])}. For "
            "probabilities of the classes use CategoricalCrossentropy"
        )
    return xp.asarray(labels, dtype=xp.int64)
