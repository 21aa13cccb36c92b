"""What a model is compiled with: an optimizer, a loss, metrics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from scratchnet import losses, optimizers
from scratchnet.averages import Averages, checked_metrics
from scratchnet.backend import Array
from scratchnet.captured import Steps
from scratchnet.errors import InputError
from scratchnet.layers import Layer
from scratchnet.layers.activation import ActivatedLayer


class Compiled:
    """A network together with the choices that its training needs."""

    layers: list[Layer]
    optimizer: Any = None
    loss: Any = None
    metrics: Sequence[Any] = ()
    weighted_metrics: Sequence[Any] = ()
    run_eagerly = False
    _steps: Steps
    _loss_on_logits: Any = None
    _batch_averages: Averages

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,
    ) -> None:
        """Choose the optimizer, the loss and the metrics, by Keras's names or as objects.

        A softmax or sigmoid in the last layer followed by its cross-entropy is computed from the
        logits, as in Keras: the two together have a gradient without the clip at 1e-7.

        On a GPU the training step is recorded once for each shape of batch, and for each setting
        of a layer, the loss or the optimizer that is changed later, and replayed;
        ``run_eagerly=True`` takes every step as it is written.

        Raises
        ------
        InputError
            If one is not known, or the loss is not reduced to one number.
        """
        optimizer = optimizers.get(optimizer)
        loss = None if loss is None else losses.get(loss)
        if loss is not None and loss.reduction is None:
            raise InputError(
                "compile: expected a loss that is one number, got one with reduction=None. "
                'Use "sum_over_batch_size" or "sum".'
            )
        metrics = checked_metrics("metrics", metrics)
        weighted_metrics = checked_metrics("weighted_metrics", weighted_metrics)
        self.optimizer, self.loss = optimizer, loss
        self.metrics, self.weighted_metrics = metrics, weighted_metrics
        self.run_eagerly, self._steps = bool(run_eagerly), Steps()
        self._batch_averages = Averages(metrics, weighted_metrics)
        has_logits = loss is not None and loss.activation_with_logits is not None
        self._loss_on_logits = loss.on_logits() if has_logits else None
        if self.through_logits:
            self._warn_of_doubtful_logits(stacklevel=3)

    @property
    def through_logits(self) -> bool:
        """Whether the loss is computed from the last layer's pre-activations."""
        loss, last = self._loss_on_logits, self.layers[-1] if self.layers else None
        return (
            loss is not None
            and isinstance(last, ActivatedLayer)
            and last.activation.name in ("sigmoid", "softmax")
        )

    def _warn_of_doubtful_logits(self, stacklevel: int) -> None:
        loss, last = self.loss, self.layers[-1]
        assert isinstance(last, ActivatedLayer)
        name, activation = type(loss).__name__, last.activation.name
        if activation != loss.activation_with_logits:
            warnings.warn(
                f"{name} after a {activation}: as in Keras, the {activation}'s inputs are taken "
                f"for logits of a {loss.activation_with_logits}, which is hardly what is meant; "
                "change the one or the other",
                stacklevel=stacklevel,
            )
        elif loss.from_logits:
            warnings.warn(
                f"{name}(from_logits=True) after a {activation}: the loss is computed from the "
                "logits in either case; leave from_logits out",
                stacklevel=stacklevel,
            )

    def _output_of(self, logits: Array) -> Array:
        """Return the last layer's output from its pre-activations."""
        last = self.layers[-1]
        assert isinstance(last, ActivatedLayer)
        return last.activation.apply(logits)

    @property
    def _loss_undoes_activation(self) -> bool:
        last, loss = self.layers[-1], self._loss_on_logits
        assert isinstance(last, ActivatedLayer)
        return last.activation.name == loss.activation_with_logits

    def _averages(self) -> Averages:
        return Averages(self.metrics, self.weighted_metrics)

    def _require_loss(self) -> None:
        if self.loss is None:
            raise InputError(
                "expected a compiled model, got one without a loss. Call "
                'model.compile(optimizer="rmsprop", loss=...) first.'
            )

    # What the model itself provides

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the output."""
        raise NotImplementedError

    def forward_with_mask(self, x: Array, training: bool = False) -> tuple[Array, Array | None]:
        """Return the output and its mask."""
        raise NotImplementedError

    def forward_with_logits(
        self, x: Array, training: bool = False
    ) -> tuple[Array, Array, Array | None]:
        """Return the last layer's pre-activations, the output and its mask."""
        raise NotImplementedError

    def forward_to_logits(self, x: Array) -> tuple[Array, Array | None]:
        """Return the last layer's pre-activations and its mask, in training."""
        raise NotImplementedError

    def backward(
        self, dy: Array, from_logits: bool = False, *, needs_dx: bool = True
    ) -> Array | None:
        """Set every layer's gradients; return the one with respect to x."""
        raise NotImplementedError
