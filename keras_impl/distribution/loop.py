"""The workers meet, train, and part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_impl.distribution import cluster
from keras_impl.distribution.addresses import WorkerError, check_workers
from keras_impl.distribution.fingerprint import fingerprint
from keras_impl.distribution.health import Health
from keras_impl.distribution.meeting import meet
from keras_impl.distribution.worker import Training
from keras_impl.options import Options
from keras_impl.parity.oracle import keras_floats
from scratchnet import Sequential
from scratchnet.archive import one_line
from scratchnet.callbacks import Callback
from scratchnet.errors import InputError
from scratchnet.experiments.problem import Problem

WAIT_S = 300.0
PATIENCE_S = 30.0
TRACE_S = 5.0
"""That the health may take to say who is gone, after TensorFlow said that somebody is."""
SUPPORTED = ("schedule", "backup_steps")
"""Of `Options`."""


def train(
    problem: Problem,
    folder: Path | None,
    workers: Sequence[str],
    index: int,
    callbacks: Sequence[Callback] = (),
    minutes: float | None = None,
    resume: bool = False,
    options: Options | None = None,
    wait_s: float = WAIT_S,
    patience_s: float = PATIENCE_S,
) -> Sequential:
    """Train as `keras_impl.training.train` does, each worker on its share of every batch.

    The batches, and so the weights up to the rounding of a sum, are those of one process.  Only the
    chief, worker 0, has a folder: it saves the checkpoints, and what it starts from it sends to all
    others, who need nothing from a disk but the data.

    Parameters
    ----------
    folder : Path, optional
        The chief's; the others' is not used.
    workers : sequence of str
        ``host:port`` of each, the same for all.
    index : int
        Which of them this process is.
    callbacks : sequence of Callback
        scratchnet's.  A worker's can stop all; only the chief's get the validation's figures.
    minutes : float, optional
        Save within epochs too, that often.
    resume : bool
        Go on at the batch that the folder's ``model.keras`` had reached: the chief's word counts.
    options : Options, optional
        How Keras is to train; of them, the schedule and the steps between backups.
    wait_s : float
        How long to wait for all workers to come.
    patience_s : float
        After so long a silence a worker is taken for lost; one that ends is noticed at once.

    Raises
    ------
    WorkerError
        If a worker does not come, or is lost; the chief has then saved the last whole step.
    InputError
        If addresses and index do not go together, or the workers were not started alike.
    NonFiniteError
        If the loss becomes NaN or infinite.
    """
    options = options or Options()
    _check_options(options)
    workers = check_workers(workers, index)
    if index == 0 and folder is None:
        raise InputError("train: expected a folder for worker 0's checkpoints, got None. Name one.")
    said = fingerprint(problem, schedule=options.schedule)
    with (
        Health(workers, meet(workers, index, said, wait_s), patience_s) as health,
        _traced(health),
        keras_floats(problem.dtype),
    ):
        strategy = cluster.strategy_of(workers, index)
        health.abort = cluster.abort
        return Training(problem, folder if index == 0 else None, strategy, options, resume).run(
            len(workers), index, callbacks, minutes, health
        )


def _check_options(options: Options) -> None:
    usual = Options()
    for name in Options.__dataclass_fields__.keys() - set(SUPPORTED):
        if getattr(options, name) != getattr(usual, name):
            raise InputError(
                f"--{name.replace('_', '-')}: expected none with --workers, which cannot do it. "
                "Leave it out, or train with one process."
            )


@contextlib.contextmanager
def _traced(health: Health) -> Iterator[None]:
    """Turn TensorFlow's error about a connection into who is gone."""
    try:
        yield
    except cluster.LOST as error:
        health.check(within_s=TRACE_S)
        raise WorkerError(
            f"--workers: expected an answer of every worker, got {one_line(error.message)}. Start "
            "all workers again with the same commands."
        ) from error
