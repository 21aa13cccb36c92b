"""Training a problem into a folder, by either engine, from the beginning or from where it was."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scratchnet.callbacks import Callback
from scratchnet.device import clearly, moved, to_device
from scratchnet.errors import DataError, InputError
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Language
from scratchnet.generation import OneStep, Writer
from scratchnet.model import Sequential
from scratchnet.progress import Progress
from scratchnet.runs.description import Run, not_a_run, read
from scratchnet.runs.evaluation import perplexity
from scratchnet.runs.folder import BEST, HISTORY, MODEL, SAMPLES
from scratchnet.runs.history import RunHistory, read_history
from scratchnet.runs.keeping import BestKeeper, Keeper
from scratchnet.runs.writing import Listener, SampleWriter, read_samples


@clearly
def train(
    problem: Problem,
    folder: Path,
    verbose: bool | str = "auto",
    minutes: float = 5.0,
    resume: bool = False,
    shown_by: Sequence[Callback] = (),
    listener: Listener | None = None,
    device: str = "cpu",
) -> Sequential:
    """Train the scratch engine; the latest whole model always stands in the folder.

    Parameters
    ----------
    verbose
        As for `Sequential.fit`.
    minutes : float
        Between two saves within an epoch.
    resume : bool
        Go on from the model in the folder, to the bit as if there had been no stop; from the
        beginning if there is none yet.
    shown_by : sequence of Callback
        Whatever shows the training.
    listener : Listener, optional
        Is told what the network writes after each epoch.
    device : {"cpu", "gpu"}
        Where it trains; the model in the folder is the same file in either case.

    Raises
    ------
    DeviceError
        If there is no GPU to use, or too little memory on it.
    """
    if problem.trained:
        model = problem.build_model()
        model.save(folder / MODEL)
        return model.to(device)
    if resume:
        require_checkpoint(folder, MODEL)
    goes_on = resume and (folder / MODEL).exists()
    model = problem.build_model()
    if goes_on:
        model = _same_network(Sequential.load(folder / MODEL), model, folder)
    progress = (model.progress if goes_on else None) or Progress()
    require_epochs_left(progress, problem.epochs)
    model.to(device)
    model.fit(
        to_device(problem.x_train, device),
        to_device(problem.y_train, device),
        batch_size=problem.batch_size,
        epochs=problem.epochs,
        validation_data=moved(problem.validation, device),
        callbacks=[
            *shown_by,
            *callbacks(problem, folder, progress.epoch, minutes, OneStep, listener),
        ],
        seed=problem.seed,
        resume=goes_on,
        verbose=verbose,
    )
    return chosen(model, folder).to(device)


def require_checkpoint(folder: Path, name: str) -> None:
    """Make sure that a training which has ended an epoch has something to go on from.

    A kill in the moment between the first line of the history and the first model leaves nothing
    but that epoch to repeat.

    Raises
    ------
    DataError
        If the file is gone.
    """
    gone = (folder / HISTORY).exists() and not (folder / name).exists()
    if gone and (read(folder).results is not None or len(read_history(folder / HISTORY)) > 1):
        raise DataError(
            f"{folder}: expected {name}, which a training that has ended an epoch leaves, got "
            "none. Restore it, or train a new run."
        )


def require_epochs_left(progress: Progress, epochs: int) -> None:
    """Make sure that a training which goes on has not gone further than it is to go.

    Raises
    ------
    InputError
        If it has.
    """
    begun = progress.epoch + (progress.batch > 0)
    if begun > epochs:
        raise InputError(
            f"--epochs: expected at least {begun}, the epochs that the run has begun, got "
            f"{epochs}. Name more, or train a new run."
        )


def _same_network(model: Sequential, planned: Sequential, folder: Path) -> Sequential:
    """Return a model that was loaded, once it is the network that the run describes."""
    found, said = (
        (one.dtype, [array.shape for array in one.get_weights()]) for one in (model, planned)
    )
    if found != said:
        raise not_a_run(folder, f"settings: expected the network of {MODEL}")
    return model


def callbacks(
    problem: Problem,
    folder: Path,
    epochs_done: int,
    minutes: float | None,
    make_writer: Callable[[Sequential], Writer],
    listener: Listener | None = None,
) -> list[Callback]:
    """Return what fills a run's folder during a training, after so many epochs already.

    The history comes first and the model last: a kill in between repeats an epoch and loses none.
    """
    rows = read_history(folder / HISTORY, epochs_done)
    wanted: list[Callback] = [RunHistory(folder / HISTORY, rows)]
    if problem.choose_by is not None:
        wanted.append(BestKeeper(folder / BEST, problem.choose_by, rows))
    if isinstance(problem.reader, Language) and problem.reader.sample_length:
        samples = read_samples(folder / SAMPLES, epochs_done)
        wanted.append(
            SampleWriter(
                folder / SAMPLES, problem.reader, problem.seed, make_writer, listener, samples
            )
        )
    return [*wanted, Keeper(folder / MODEL, minutes)]


def chosen(model: Sequential, folder: Path) -> Sequential:
    """Return the model of the best epoch where one was chosen, else the one given."""
    return Sequential.load(folder / BEST) if (folder / BEST).exists() else model


def resumable(run: Run, folder: Path, epochs: int | None) -> int:
    """Return how many epochs a run that goes on is to have in all.

    Raises
    ------
    InputError
        If it has had them already.
    """
    wanted = run.epochs if epochs is None else epochs
    if run.results is not None and wanted <= run.epochs:
        s = "s" if run.epochs > 1 else ""
        raise InputError(
            f"--resume: {folder} has had its {run.epochs} epoch{s}. Name more with --epochs, or "
            "train a new run."
        )
    return wanted


def figures(problem: Problem, folder: Path) -> dict[str, Any]:
    """Return what a training measured: each figure of the history as a list, and peak memory."""
    if problem.trained:
        return {}
    rows = read_history(folder / HISTORY)  # fewer than planned where it was stopped early
    names = dict.fromkeys(name for row in rows for name in row if name != "epoch")
    found: dict[str, Any] = {name: [row.get(name) for row in rows] for name in names}
    for name in ("loss", "val_loss"):
        if name in found and isinstance(problem.reader, Language):
            prefix = name.removesuffix("loss")
            found[f"{prefix}perplexity"] = [perplexity(loss) for loss in found[name]]
            found[f"{prefix}bits"] = [loss / math.log(2) for loss in found[name]]
    return {**found, "peak_memory_mib": peak_memory()}


def peak_memory() -> float | None:
    """Return the most memory that this process has had at once, in MiB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
