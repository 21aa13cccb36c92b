"""Training: the one step that all of it is made of, and fit, evaluate, predict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import numeric, positive_integer, whole_number
from scratchnet.averages import Averages
from scratchnet.backend import Array, array_module
from scratchnet.callbacks import Callback, CallbackList, History, default_callbacks
from scratchnet.device import clearly, device_of, expect_beside
from scratchnet.errors import InputError, NonFiniteError
from scratchnet.progress import Progress
from scratchnet.random import generator
from scratchnet.samples import (
    Samples,
    checked_array,
    checked_samples,
    checked_validation,
    split,
    weighted_by_class,
)
from scratchnet.training_on_device import StepsOnDevice

quietly = np.errstate(over="ignore", invalid="ignore")
"""Overflow ends in a NonFiniteError with epoch, batch and layer; NumPy need not warn before it."""


class Trainer(StepsOnDevice):
    """What a model gains by being compiled.  `scratchnet.Sequential` inherits it."""

    history: History | None = None
    stop_training = False
    """A callback sets it to end `fit` after the batch; the epoch's callbacks still run."""
    _reached: tuple[int, int, Averages] | Progress | None = None
    non_finite = ""
    """Where NaN or infinity first appeared, once a loss in `fit` was not finite."""

    @property
    def progress(self) -> Progress | None:
        """How far `fit` has got, once it has begun; `Sequential.save` keeps it."""
        if isinstance(self._reached, tuple):
            epoch, batch, averages = self._reached
            return Progress(epoch, batch, averages.sums())
        return self._reached

    @progress.setter
    def progress(self, progress: Progress | None) -> None:
        self._reached = progress

    # One step

    @clearly
    @quietly
    def train_on_batch(
        self, x: Array, y: Array, sample_weight: Array | None = None
    ) -> float | list[float]:
        """Update the weights once; return the loss, or a list of it and each metric.

        Raises
        ------
        NonFiniteError
            If the loss is NaN or infinite; the weights are left as they were.
        """
        self._require_loss()
        batch = Samples(numeric("train_on_batch", "x", x), y, sample_weight)
        loss, y_pred, mask = self._train_step(batch)
        if not math.isfinite(loss):
            where = self._what_is_not_finite(batch)
            raise NonFiniteError(f"train_on_batch: expected a finite loss, got {loss}; {where}.")
        self._batch_averages.reset()
        self._batch_averages.add(loss, batch, y_pred, mask)
        return _flat(self._batch_averages.result())

    def gradients(
        self, x: Array, y: Array, sample_weight: Array | None = None
    ) -> tuple[float, list[dict[str, Array]]]:
        """Return the loss and, layer by layer, its gradients; nothing is updated.

        The forward pass is a training one (dropout drops).  Keys are those of ``layer.params``.
        """
        self._require_loss()
        loss, _, _ = self._loss_and_gradients(Samples(x, y, sample_weight), wants_output=False)
        return loss, [dict(layer.grads) for layer in self.layers]

    def _train_step(self, batch: Samples) -> tuple[float, Array | None, Array | None]:
        """Forward, loss, backward, update: a loss that is not finite updates nothing.

        The output is None where no metric asks for it.
        """
        wants_output = bool(self.metrics or self.weighted_metrics)
        if type(batch.x) is not np.ndarray and array_module(batch.x) is not np:
            return self._step_on_device(batch, wants_output)
        loss, y_pred, mask = self._loss_and_gradients(batch, wants_output)
        if math.isfinite(loss):
            self.optimizer.apply(self._gradients(), self._weights())
        return loss, y_pred, mask

    # Whole data sets

    @clearly
    def fit(
        self,
        x: Array,
        y: Array,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: bool | int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[Array, ...] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Array | None = None,
        initial_epoch: int = 0,
        seed: int | None = None,
        resume: bool = False,
    ) -> History:
        """Train for ``epochs`` passes over the data; return the history, as Keras does.

        A training that was stopped goes on, to the bit as if it never had been (on a GPU to
        rounding), with the model that `Sequential.save` wrote between two batches, ``resume=True``,
        and the same data, ``batch_size`` and ``seed``.

        Parameters
        ----------
        x, y : array
            Samples along the first axis.  Batches are taken by index, never copied as a whole.
        verbose : bool, int or "auto"
            Show a progress bar; "auto" shows it on a terminal.
        validation_split : float
            Share of the data, from its end and before shuffling, kept for validation.
        validation_data : tuple
            ``(x, y)`` or ``(x, y, sample_weight)``; `validation_split` does not count then.
        class_weight : dict of int to float, optional
            Weight of each class of y (integer labels or one-hot rows), 1 for those not named.
        initial_epoch : int
            Epochs done already: the order of epoch n does not depend on those before it.
        seed : int, optional
            Seed of the shuffling; drawn from `scratchnet.set_random_seed`'s generator if not given.
        resume : bool
            Go on at the batch that the model had reached when it was saved.  What callbacks and
            stateful layers remember is not in the file.

        Raises
        ------
        InputError
            If an argument is out of range, or the data are empty, of different length, or hold NaN
            or infinity.
        NonFiniteError
            If the loss becomes NaN or infinite, with epoch, batch and layer.
        """
        self._require_loss()
        batch_size = positive_integer("fit", "batch_size", batch_size)
        epochs = positive_integer("fit", "epochs", epochs)
        start = Progress(whole_number("fit", "initial_epoch", initial_epoch))
        if resume:
            start = self._resumed_at(start)
        samples, held_out = checked_samples("fit", x, y, sample_weight), None
        if validation_data is not None:
            held_out = checked_validation(validation_data)
            there = device_of(samples.x)
            expect_beside("fit validation_data", "x", held_out.x, there, "the other x is")
        elif validation_split:
            samples, held_out = split(samples, validation_split)
        if class_weight is not None:
            samples = weighted_by_class(samples, class_weight)
        seed = whole_number("fit", "seed", generator().integers(2**63) if seed is None else seed)
        self.history, self.stop_training = History(), False
        steps = math.ceil(len(samples) / batch_size)
        given = [*default_callbacks(callbacks or (), verbose), *(callbacks or ()), self.history]
        if start.batch > steps:
            raise InputError(
                f"fit: expected to resume within an epoch of {steps} batches, got a model that had "
                f"done {start.batch}. Pass the data and batch_size it was trained with."
            )
        params = {
            "epochs": epochs,
            "steps": steps,
            "initial_epoch": start.epoch,
            "initial_batch": start.batch,
        }
        with CallbackList(given, self, params) as listeners:
            for epoch in range(start.epoch, epochs):
                begun = start if epoch == start.epoch else Progress(epoch)
                self.progress = begun
                listeners.on_epoch_begin(epoch)
                order = samples.shuffled_order(seed, epoch) if shuffle else None
                batches = samples.batches(batch_size, order, begun.batch)
                logs = self._fit_epoch(batches, listeners, begun)
                if self.progress.batch == steps:  # else a callback has stopped it on the way
                    self.progress = Progress(epoch + 1)
                if held_out is not None:
                    values = self._evaluate(held_out, batch_size)
                    logs |= {f"val_{name}": value for name, value in values.items()}
                listeners.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        return self.history

    def _resumed_at(self, start: Progress) -> Progress:
        if start.epoch:
            raise InputError(
                f"fit: expected initial_epoch or resume, got initial_epoch={start.epoch} and "
                "resume=True. Leave one out."
            )
        found = self.progress or start
        if found.batch and not found.sums.get("loss", [0.0, 0.0])[1]:
            raise InputError(
                f"fit: expected the sums of the {found.batch} batches done, got none. Use another "
                "copy of the model, or train anew."
            )
        return found

    @quietly
    def _fit_epoch(
        self, batches: Iterable[Samples], listeners: CallbackList, begun: Progress
    ) -> dict[str, float]:
        averages = self._averages()
        averages.set_sums(begun.sums)
        for step, batch in enumerate(batches, begun.batch):
            loss, y_pred, mask = self._train_step(batch)
            if not math.isfinite(loss):
                self.non_finite = self._what_is_not_finite(batch)
            averages.add(loss, batch, y_pred, mask)
            self._reached = (begun.epoch, step + 1, averages)
            listeners.on_train_batch_end(step, {"loss": loss})
            if self.stop_training:
                break
        return averages.result()

    @clearly
    def evaluate(
        self,
        x: Array,
        y: Array,
        batch_size: int = 32,
        sample_weight: Array | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss, or a list of it and each metric, or a dict by name.

        Raises
        ------
        InputError
            As `fit`.
        """
        self._require_loss()
        batch_size = positive_integer("evaluate", "batch_size", batch_size)
        logs = self._evaluate(checked_samples("evaluate", x, y, sample_weight), batch_size)
        return logs if return_dict else _flat(logs)

    def _evaluate(self, samples: Samples, batch_size: int) -> dict[str, float]:
        averages = self._averages()
        for batch in samples.batches(batch_size):
            if self.through_logits:
                logits, y_pred, mask = self.forward_with_logits(batch.x)
                loss = self._loss_on_logits(batch.y, logits, batch.sample_weight, mask)
            else:
                y_pred, mask = self.forward_with_mask(batch.x)
                loss = self.loss(batch.y, y_pred, batch.sample_weight, mask)
            averages.add(float(loss), batch, y_pred, mask)
        return averages.result()

    @clearly
    def predict(self, x: Array, batch_size: int = 32) -> Array:
        """Return the model's output for every sample, computed batch by batch.

        Raises
        ------
        InputError
            If ``x`` is empty, or holds NaN or infinity.
        """
        size = positive_integer("predict", "batch_size", batch_size)
        x = checked_array("predict", "x", x)
        first = self.forward(x[:size])
        y = array_module(first).empty((len(x), *first.shape[1:]), dtype=first.dtype)
        y[:size] = first
        for start in range(size, len(x), size):
            y[start : start + size] = self.forward(x[start : start + size])
        return y


def _flat(logs: dict[str, float]) -> float | list[float]:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
