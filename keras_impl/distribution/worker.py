"""The training that every worker runs, each on its share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_impl.distribution import cluster
from keras_impl.distribution.addresses import WorkerError
from keras_impl.distribution.health import Health
from keras_impl.distribution.step import Figures, Step, broadcast
from keras_impl.options import Options
from keras_impl.pipelines import batches_in_order, shared_batches
from keras_impl.training.fitting import build
from keras_impl.training.saved import Saved, load, restore_sums
from scratchnet import Sequential
from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import CallbackList
from scratchnet.errors import InputError, NonFiniteError
from scratchnet.experiments.problem import Problem
from scratchnet.progress import Progress
from scratchnet.runs.folder import KERAS_MODEL
from scratchnet.runs.keeping import Keeper


class Training:
    """One worker's part."""

    def __init__(
        self,
        problem: Problem,
        folder: Path | None,
        strategy: cluster.Strategy,
        options: Options,
        resume: bool,
    ) -> None:
        self.problem, self.folder, self.options = problem, folder, options
        self.steps = math.ceil(len(problem.x_train) / problem.batch_size)
        keras.utils.set_random_seed(problem.seed)
        self.mirror = problem.build_model()
        self.mirror.stop_training = False
        self.twin = twin = build(problem, self.steps, options)
        twin.set_weights(self.mirror.get_weights())
        twin.optimizer.build(twin.trainable_variables)
        first = batches_in_order(problem.x_train[:1], problem.y_train[:1], 1, problem.dtype)
        twin.evaluate(first, verbose=0)  # or the metrics' variables are not there yet
        self.start = self._agree(strategy, resume)
        self.mirror.set_weights(twin.get_weights())
        self.strategy, self.sums = strategy, np.zeros(len(twin.metrics_variables))

    def _agree(self, strategy: cluster.Strategy, resume: bool) -> Progress:
        """Have all workers begin with the chief's state."""
        twin, names = self.twin, list(self.twin.get_metrics_result())
        start = Progress()
        if self.folder is not None and resume:
            start = load(twin, self.folder)
            if start.batch >= self.steps:
                raise InputError(
                    f"train: expected to resume within an epoch of {self.steps} batches, got a "
                    f"model that had done {start.batch}. Pass the data and batch_size it was "
                    "trained with."
                )
        sums = np.array([start.sums.get(name, (0.0, 0.0)) for name in names]).ravel()
        state = [*twin.variables, *twin.optimizer.variables]
        epoch, batch, *rest = broadcast(
            strategy,
            state,
            np.array([start.epoch, start.batch, *sums]),
            chief=self.folder is not None,
        )
        pairs = [[float(a), float(b)] for a, b in zip(rest[::2], rest[1::2], strict=True)]
        return Progress(int(epoch), int(batch), dict(zip(names, pairs, strict=True)))

    def run(
        self,
        count: int,
        index: int,
        callbacks: Sequence[Callback],
        minutes: float | None,
        health: Health,
    ) -> Sequential:
        """Train what is left."""
        problem, start = self.problem, self.start
        params = {
            "epochs": problem.epochs,
            "steps": self.steps,
            "initial_epoch": start.epoch,
            "initial_batch": start.batch,
        }
        saved = _SavedWithSums(self.twin, lambda: self.sums)
        saved.epoch, saved.batch = start.epoch, start.batch
        every = math.inf if minutes is None else minutes
        keeping: list[Callback] = []
        if self.folder is not None:
            keeping = [Keeper(self.folder / KERAS_MODEL, every, self.options.backup_steps)]
        data = shared_batches(problem, count, index, start.epoch, start.batch)
        self.step = Step(self.strategy, self.twin, data.element_spec)
        with (
            CallbackList(callbacks, self.mirror, params) as told,
            CallbackList(keeping, saved, params) as kept,
        ):
            try:
                self._epochs(iter(data), told, kept, saved, health)
            except (WorkerError, *cluster.LOST):
                if self.folder is not None:
                    saved.save(self.folder / KERAS_MODEL)
                raise
        self.mirror.set_weights(self.twin.get_weights())
        return self.mirror

    def _epochs(
        self,
        data: Any,
        told: CallbackList,
        kept: CallbackList,
        saved: _SavedWithSums,
        health: Health,
    ) -> None:
        for epoch in range(self.start.epoch, self.problem.epochs):
            resumed = epoch == self.start.epoch and self.start.batch > 0
            begin = self.start.batch if resumed else 0
            self.sums[:] = np.ravel(list(self.start.sums.values())) if resumed else 0
            told.on_epoch_begin(epoch)
            for batch in range(begin, self.steps):
                health.check()
                x, y, share = next(data)
                figures = self.step(x, y, share, self.mirror.stop_training)
                if figures.stop:
                    return
                self._count(epoch, batch, figures)
                told.on_train_batch_end(batch, {"loss": float(self.sums[0] / self.sums[1])})
                if batch + 1 < self.steps:  # else the epoch's end saves
                    saved.epoch, saved.batch = epoch, batch + 1
                    kept.on_train_batch_end(batch, {})
            self.mirror.progress = Progress(epoch + 1)
            self.mirror.set_weights(self.twin.get_weights())
            logs = self._logs()
            told.on_epoch_end(epoch, logs)
            saved.epoch, saved.batch = epoch + 1, 0
            kept.on_epoch_end(epoch, logs)

    def _count(self, epoch: int, batch: int, figures: Figures) -> None:
        if not math.isfinite(figures.loss):
            raise NonFiniteError(
                f"fit: expected a finite loss, got {figures.loss} in epoch {epoch + 1}, "
                f"batch {batch + 1}. Try a smaller learning rate, or clipnorm."
            )
        size = self.problem.batch_size
        rows = min(size, len(self.problem.x_train) - batch * size)
        self.sums += [figures.loss * rows, rows, *figures.metrics]

    def _logs(self) -> dict[str, float]:
        """Return an epoch's figures, with the validation's where they are wanted: at the chief."""
        names = list(self.twin.get_metrics_result())
        logs = dict(zip(names, (self.sums[::2] / self.sums[1::2]).tolist(), strict=True))
        if self.problem.validation is not None and self.folder is not None:
            held_out = batches_in_order(
                *self.problem.validation, self.problem.batch_size, self.problem.dtype
            )
            found = self.twin.evaluate(held_out, verbose=0, return_dict=True)
            logs |= {f"val_{name}": float(value) for name, value in found.items()}
        return logs


class _SavedWithSums(Saved):
    """The twin, with the sums of all workers in its metrics' variables."""

    def __init__(self, twin: keras.Model, sums: Callable[[], Any]) -> None:
        super().__init__(twin)
        self.sums = sums

    def save(self, path: Path) -> None:
        """Write both, whole or not at all."""
        restore_sums(self.twin, Progress(sums={"": self.sums().tolist()}))
        super().save(path)
