"""One training step on a device: queued, recorded where it can be, and looked at afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.captured import Same, is_together, seeds_of, settings_of, shape_of, taken
from scratchnet.compiled import Compiled
from scratchnet.finite import first_not_finite
from scratchnet.optimizers.on_device import settings
from scratchnet.samples import Samples


class StepsOnDevice(Compiled):
    """Forward, loss, backward and update; `scratchnet.training.Trainer` inherits it."""

    def _loss_and_gradients(
        self, batch: Samples, wants_output: bool
    ) -> tuple[Any, Array | None, Array | None]:
        """Return the loss (on a device, within a step, an array), the output and its mask."""
        y, sample_weight = batch.y, batch.sample_weight
        if not self.through_logits:
            y_pred, mask = self.forward_with_mask(batch.x, training=True)
            loss, dy_pred = self.loss.value_and_gradient(y, y_pred, sample_weight, mask)
            self.backward(dy_pred, needs_dx=False)
            return loss, y_pred, mask
        logits, mask = self.forward_to_logits(batch.x)
        loss, dlogits, output = self._loss_on_logits.value_gradient_and_output(
            y, logits, sample_weight, mask, wants_output and self._loss_undoes_activation
        )
        if output is None and wants_output:
            output = self._output_of(logits)
        self.backward(dlogits, from_logits=True, needs_dx=False)
        return loss, output, mask

    def _gradients(self) -> list[Array]:
        return [layer.grads[key] for layer in self.layers for key in layer.params]

    def _weights(self) -> list[Array]:
        return [array for layer in self.layers for array in layer.params.values()]

    def _step_on_device(
        self, batch: Samples, wants_output: bool
    ) -> tuple[float, Array | None, Array | None]:
        """Take a step, which the host waits for once, to read the loss.

        Where the loss is not finite the device itself withholds the update.
        """

        def step(batch: Samples) -> tuple[Any, Array | None, Array | None]:
            loss, y_pred, mask = self._loss_and_gradients(batch, wants_output)
            live = array_module(loss).isfinite(loss)
            self.optimizer.apply(self._gradients(), self._weights(), live=live)
            return loss, y_pred, mask

        layers = list(_with_inner(self.layers))

        def key() -> tuple[Any, ...]:
            slots = [array for kept in self.optimizer.slots for array in kept.values()]
            same = tuple(map(Same, [*self._weights(), *slots]))
            seeds = tuple(seeds_of(layer.state()) for layer in self.layers)
            set_to = tuple(map(settings_of, (*layers, self.loss)))
            rule = settings(self.optimizer)
            return shape_of(batch), wants_output, seeds, set_to, rule, same

        if self.run_eagerly or not is_together(batch):
            loss, y_pred, mask = taken(step, batch)
        else:
            loss, y_pred, mask = self._steps.take(step, batch, key, self._is_recordable, layers)
        read = float(loss)
        if not math.isfinite(read):
            self.optimizer.uncount_step()
        return read, y_pred, mask

    def _is_recordable(self) -> bool:
        """Whether the host does nothing in a step that a recording would miss."""
        layers = list(_with_inner(self.layers))
        parts = (self, *layers, self.loss, self.optimizer)
        own = all(type(part).__module__.startswith("scratchnet.") for part in parts)
        return own and all(layer.is_recordable for layer in layers)

    def _what_is_not_finite(self, batch: Samples) -> str:
        """Say where NaN or infinity first appears; complain of the data where they are to blame.

        A step on a device has not looked at them.
        """
        where = first_not_finite(self.layers, batch.x)
        if array_module(batch.x) is not np:
            y_pred, mask = self.forward_with_mask(batch.x)
            self.loss(batch.y, y_pred, batch.sample_weight, mask)
        return where


def _with_inner(layers: Iterable[Any]) -> Iterator[Any]:
    """Yield layers, and those that wrappers hold."""
    for layer in layers:
        yield layer
        yield from _with_inner(getattr(layer, "inner", {}).values())
