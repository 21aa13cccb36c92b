"""The training itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_impl.models import TWINS
from keras_impl.optimizers import densify
from keras_impl.options import Options
from keras_impl.parity.oracle import keras_floats
from keras_impl.pipelines import batches_in_order, training_batches
from keras_impl.training.adapter import Adapter
from keras_impl.training.callbacks import Backup, BestModel, OneTraining, Patience
from keras_impl.training.saved import Saved, load
from keras_impl.training.schedules import scheduled
from scratchnet import Sequential
from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import CallbackList
from scratchnet.errors import InputError
from scratchnet.experiments.problem import Problem
from scratchnet.progress import Progress
from scratchnet.runs.folder import BEST_KERAS, HISTORY, KERAS_MODEL, LOGS
from scratchnet.runs.history import read_history
from scratchnet.runs.keeping import Keeper

MIXED = "mixed_bfloat16"
"""Of the two 16-bit numbers the one with float32's range, so that no gradient becomes 0 and no loss
has to be scaled; processors and graphics cards of these years have it."""


def train(
    problem: Problem,
    folder: Path,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    minutes: float | None = None,
    options: Options | None = None,
) -> Sequential:
    """Train the experiment's twin from scratchnet's first weights; return it as scratchnet's.

    The folder gets Keras's own ``model.keras`` after every epoch, at Ctrl-C and every few minutes
    or steps; and ``best.keras`` where the problem or a patience chooses an epoch.

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
    options : Options, optional
        How Keras is to train.

    Raises
    ------
    NonFiniteError
        If the loss becomes NaN or infinite; what was saved before stays as it is.
    InputError
        If the batch to go on at is beyond the data, or the options do not go together.
    CheckpointError
        If there is a ``model.keras`` to go on from that is not one of this problem.
    """
    options = options or Options()
    options.check(problem.dtype)
    keras.utils.set_random_seed(problem.seed)
    mirror = problem.build_model()
    mirror.stop_training = False
    steps = math.ceil(len(problem.x_train) / problem.batch_size)
    with keras_floats(problem.dtype):
        twin = build(problem, steps, options)
        twin.set_weights(mirror.get_weights())
        start = load(twin, folder) if resume else Progress()
        mirror.set_weights(twin.get_weights())
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
        chosen = _chosen_by_keras(problem, folder, start, options)
        saved = Saved(twin)
        every = math.inf if minutes is None else minutes
        keeper = Keeper(folder / KERAS_MODEL, every, options.backup_steps)
        with (
            CallbackList(callbacks, mirror, params) as told,
            CallbackList([keeper], saved, params) as keeping,
        ):
            last = Backup(keeping, saved, start, steps)
            _fit(twin, problem, start, steps, [Adapter(mirror, told), *chosen, last])
        mirror.set_weights(twin.get_weights())
    return mirror


def build(problem: Problem, steps: int, options: Options) -> keras.Model:
    """Return the compiled twin, made as the options say; ``steps`` is an epoch's."""
    if options.mixed_precision:
        keras.config.set_dtype_policy(MIXED)
    run = {"jit_compile": True} if options.jit else {}
    twin = TWINS[problem.experiment](**problem.architecture, **run)
    if options.mixed_precision:
        twin.layers[-1].dtype_policy = problem.dtype  # a probability is worth its digits
    densify(twin.optimizer)
    if options.schedule != "constant":
        rate = float(keras.ops.convert_to_numpy(twin.optimizer.learning_rate))
        twin.optimizer.learning_rate = scheduled(options.schedule, rate, steps * problem.epochs)
    return twin


def watched(problem: Problem, options: Options) -> str | None:
    """Return the figure by which an epoch is chosen; None if none is."""
    if problem.choose_by is not None or options.patience is None:
        return problem.choose_by
    return "loss" if problem.validation is None else "val_loss"


def _chosen_by_keras(
    problem: Problem, folder: Path, start: Progress, options: Options
) -> list[keras.callbacks.Callback]:
    """Return Keras's callbacks, in the order in which they are called."""
    wanted: list[keras.callbacks.Callback] = []
    figure = watched(problem, options)
    if figure is not None:
        rows, best = read_history(folder / HISTORY, start.epoch), folder / BEST_KERAS
        wanted.append(BestModel(best, figure, rows))
        if options.patience is not None:
            wanted.append(Patience(options.patience, best, figure, rows))
    if options.tensorboard:
        wanted.append(keras.callbacks.TensorBoard(folder / LOGS))
    return wanted


def _fit(
    twin: keras.Model,
    problem: Problem,
    start: Progress,
    steps: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
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
    training = OneTraining(callbacks, twin, start)
    training.begin()
    for first, last, batch in parts:
        if first < last and not twin.stop_training:
            twin.fit(
                training_batches(problem, first, batch),
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=steps - batch,
                shuffle=False,
                validation_data=held_out,
                callbacks=training,
                verbose=0,
            )
    training.end()


def _build_metrics(twin: keras.Model, problem: Problem) -> None:
    """Have Keras make the metrics' variables, which it otherwise puts off until the first step."""
    first = batches_in_order(problem.x_train[:1], problem.y_train[:1], 1, problem.dtype)
    twin.evaluate(first, verbose=0)
