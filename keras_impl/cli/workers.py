"""``keras_impl train EXPERIMENT --workers …``: one of several processes that train together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from scratchnet.cli import keras_options
from scratchnet.cli import problem as options
from scratchnet.cli.refusal import refuse
from scratchnet.cli.session import Session

PANEL = "More than one machine"

Workers = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT,HOST:PORT,…",
        help="All workers, in the same order on each machine. They trust whoever can reach these "
        "ports: use a network of your own.",
        show_default="this process alone",
        rich_help_panel=PANEL,
    ),
]
Index = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        help="Which of them this one is, from 0. Worker 0 has the run's folder.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        min=1,
        max=604_800,  # a week; no socket waits for ever
        metavar="SECONDS",
        help="For all workers to come.",
        rich_help_panel=PANEL,
    ),
]
WAIT_S = 300.0


def train_on_workers(
    workers: str | None,
    index: int | None,
    wait_s: float,
    experiment: str,
    out: Path | None,
    given: dict[str, Any],
    how: dict[str, Any],
    minutes: float,
    as_json: bool,
) -> None:
    """Train as one of the workers: the first leaves a run as ever, the others nothing.

    Parameters
    ----------
    given, how
        The experiment's options, and Keras's, by name.

    Raises
    ------
    InputError
        If workers and index do not go together, or an option cannot be followed.
    """
    if workers is None or index is None:
        missing = "--workers" if workers is None else "--index"
        refuse(missing, "is missing: every worker needs both. Name all workers, and which this is.")
    from keras_impl.distribution import check_workers

    addresses = check_workers([one.strip() for one in str(workers).split(",")], int(index or 0))
    for name in ("patience", "mixed_precision", "jit", "tensorboard"):
        if how[name]:
            refuse(
                f"--{name.replace('_', '-')}",
                "cannot be had with --workers. Leave it out, or train with one process.",
            )
    if index == 0:
        session = Session(experiment, minutes, as_json, how, fit=partial(_fit, addresses, wait_s))
        session.begin_or_go_on(out, given)
        session.end(as_json)
        return
    if out is not None:
        refuse("--out", "is worker 0's, which alone has a run. Leave it out here.")
    _follow(addresses, int(index or 0), wait_s, experiment, given, how)


def _fit(
    workers: tuple[str, ...],
    wait_s: float,
    problem: Any,
    folder: Path,
    callbacks: Any,
    resume: bool,
    minutes: float,
    how: Any,
) -> Any:
    from keras_impl import distribution

    return distribution.train(
        problem, folder, workers, 0, callbacks, minutes, resume, how, wait_s=wait_s
    )


def _follow(
    workers: tuple[str, ...],
    index: int,
    wait_s: float,
    experiment: str,
    given: dict[str, Any],
    how: dict[str, Any],
) -> None:
    """Train as a worker that has no run."""
    options.require_keras(experiment)
    made = keras_options.made(how, given["dtype"])
    problem = options.make_problem(experiment, **given)
    from scratchnet.cli import console
    from scratchnet.cli.quiet import import_tensorflow

    import_tensorflow()
    from keras_impl import distribution
    from scratchnet.cli.display import TrainingDisplay

    display = TrainingDisplay(console.progress(), None, "")
    distribution.train(problem, None, workers, index, [display], options=made, wait_s=wait_s)
    console.progress().print(f"worker {index}: done; worker 0 has the run.", markup=False)
