"""Training with Keras: the same problem, fed to ``model.fit`` as a practitioner would."""

from __future__ import annotations

import json
import math
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from keras_impl.models import TWINS
from keras_impl.optimizers import densify
from keras_impl.parity.oracle import keras_floats
from keras_impl.pipelines import as_keras_takes_it, batches_in_order, training_batches
from scratchnet import Sequential
from scratchnet.archive import one_line
from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import CallbackList
from scratchnet.errors import CheckpointError, InputError, NonFiniteError
from scratchnet.experiments.problem import Problem
from scratchnet.files import write_whole
from scratchnet.progress import Progress
from scratchnet.runs.folder import KERAS_MODEL
from scratchnet.runs.keeping import Keeper

PROGRESS = "progress.json"
"""How far a training has got, inside ``model.keras``: the two are only ever written together."""
LONGEST = 100_000
"""Bytes that are read of it."""


def train(
    problem: Problem,
    folder: Path,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    minutes: float | None = None,
) -> Sequential:
    """Train the experiment's twin from scratchnet's first weights; return it as scratchnet's.

    The folder gets Keras's own ``model.keras`` after every epoch, at Ctrl-C and every few minutes.

    Parameters
    ----------
    callbacks : sequence of Callback
        scratchnet's; their ``model`` has the twin's weights whenever an epoch ends.  The loss that
        they get after a batch is Keras's mean over the epoch so far.
    resume : bool
        Go on at the batch that the folder's ``model.keras`` had reached; from the beginning if
        there is none yet.
    minutes : float, optional
        Save within epochs too, that often.

    Raises
    ------
    NonFiniteError
        If the loss becomes NaN or infinite; what was saved before stays as it is.
    InputError
        If the batch to go on at is beyond the data.
    CheckpointError
        If there is a ``model.keras`` to go on from that is not one of this problem.
    """
    keras.utils.set_random_seed(problem.seed)
    mirror = problem.build_model()
    mirror.stop_training = False
    with keras_floats(problem.dtype):
        twin = TWINS[problem.experiment](**problem.architecture)
        densify(twin.optimizer)
        twin.set_weights(mirror.get_weights())
        start = _load(twin, folder) if resume else Progress()
        mirror.set_weights(twin.get_weights())
        steps = math.ceil(len(problem.x_train) / problem.batch_size)
        if start.batch >= steps:
            raise InputError(
                f"train: expected to resume within an epoch of {steps} batches, got a model that "
                f"had done {start.batch}. Pass the data and batch_size it was trained with."
            )
        params = {
            "epochs": problem.epochs,
            "steps": steps,
            "initial_epoch": start.epoch,
            "initial_batch": start.batch,
        }
        saved = _Saved(twin)
        keeper = Keeper(folder / KERAS_MODEL, math.inf if minutes is None else minutes)
        with (
            CallbackList(callbacks, mirror, params) as told,
            CallbackList([keeper], saved, params) as keeping,
        ):
            _fit(twin, problem, start, _Adapter(mirror, saved, told, keeping, steps))
    return mirror


def reached(folder: Path) -> Progress:
    """Return how far the training in a folder has got: nowhere without a ``model.keras``.

    Raises
    ------
    CheckpointError
        If that file does not say so.
    """
    path = folder / KERAS_MODEL
    if not path.exists():
        return Progress()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(PROGRESS) as file:
            return Progress.from_config(json.loads(file.read(LONGEST)))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise _foreign(path, error) from error


def _fit(twin: keras.Model, problem: Problem, start: Progress, adapter: _Adapter) -> None:
    """Fit what is left of the epoch to resume in, then the epochs after it."""
    held_out = None
    if problem.validation is not None:
        held_out = batches_in_order(*problem.validation, problem.batch_size, problem.dtype)
    parts = [(start.epoch, problem.epochs, 0)]
    if start.batch:
        _build_metrics(twin, problem)
        parts = [
            (start.epoch, start.epoch + 1, start.batch),
            (start.epoch + 1, problem.epochs, 0),
        ]
    for first, last, batch in parts:
        adapter.resumed = start if batch else Progress()
        if first < last and not adapter.mirror.stop_training:
            twin.fit(
                training_batches(problem, first, batch),
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=adapter.steps - batch,
                shuffle=False,
                validation_data=held_out,
                callbacks=[adapter],
                verbose=0,
            )


class _Saved:
    """What a `Keeper` saves: the twin, and in the same file how far it has got."""

    def __init__(self, twin: keras.Model) -> None:
        self.twin, self.epoch, self.batch = twin, 0, 0

    def save(self, path: Path) -> None:
        """Write both, whole or not at all."""
        sums = _sums(self.twin) if self.batch else {}
        progress = Progress(self.epoch, self.batch, sums)
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / KERAS_MODEL
            self.twin.save(draft)
            with zipfile.ZipFile(draft, "a") as archive:
                archive.writestr(PROGRESS, json.dumps(asdict(progress)))
            write_whole(path, draft.read_bytes())


class _Adapter(keras.callbacks.Callback):
    """Tells scratchnet's callbacks what Keras tells its own."""

    def __init__(
        self,
        mirror: Sequential,
        saved: _Saved,
        told: CallbackList,
        keeping: CallbackList,
        steps: int,
    ) -> None:
        super().__init__()
        self.mirror, self.saved, self.told, self.keeping = mirror, saved, told, keeping
        self.steps, self.resumed = steps, Progress()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on with the sums of an epoch that is resumed, which Keras has set to zero."""
        if self.resumed.batch:
            sums = [value for pair in self.resumed.sums.values() for value in pair]
            for variable, value in zip(self.model.metrics_variables, sums, strict=True):
                variable.assign(value)
        self.epoch = epoch
        self.told.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the loss; count; stop where a callback says so."""
        batch, loss = self.resumed.batch + batch, float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise NonFiniteError(
                f"fit: expected a finite loss, got {loss} in epoch {self.epoch + 1}, "
                f"batch {batch + 1}. Try a smaller learning rate, or clipnorm."
            )
        self.told.on_train_batch_end(batch, {"loss": loss})
        if batch + 1 < self.steps:  # else the epoch's end saves
            self.saved.epoch, self.saved.batch = self.epoch, batch + 1
            self.keeping.on_train_batch_end(batch, {"loss": loss})
        self.model.stop_training = self.mirror.stop_training

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Give the weights to the mirror, then tell; save last, so that all told is in the past."""
        self.saved.epoch, self.saved.batch = epoch + 1, 0
        self.mirror.progress = Progress(epoch + 1)
        self.mirror.set_weights(self.model.get_weights())
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self.told.on_epoch_end(epoch, figures)
        self.keeping.on_epoch_end(epoch, figures)
        self.model.stop_training = self.mirror.stop_training


def _sums(twin: keras.Model) -> dict[str, list[float]]:
    """Return what loss and metrics, all of them means, have come to: sums and counts."""
    values = [float(variable.numpy()) for variable in twin.metrics_variables]
    pairs = zip(values[::2], values[1::2], strict=True)
    return dict(zip(twin.get_metrics_result(), map(list, pairs), strict=True))


def _build_metrics(twin: keras.Model, problem: Problem) -> None:
    """Have Keras make the metrics' variables, which it otherwise puts off until the first step."""
    x, y = (array[:1] for array in (problem.x_train, problem.y_train))
    twin.test_on_batch(as_keras_takes_it(x, problem.dtype), as_keras_takes_it(y, problem.dtype))


def _load(twin: keras.Model, folder: Path) -> Progress:
    """Give the twin the weights and the optimizer's state that were saved, if there are any."""
    progress, path = reached(folder), folder / KERAS_MODEL
    if path.exists():
        try:
            twin.optimizer.build(twin.trainable_variables)
            twin.load_weights(path)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise _foreign(path, error) from error
    return progress


def _foreign(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path}: expected a model that train --engine keras left here, got {one_line(str(error))}."
        " Train again, or restore the file."
    )
