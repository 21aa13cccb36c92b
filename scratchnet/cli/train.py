"""``scratchnet train EXPERIMENT``: train one engine and leave a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from scratchnet.cli.problem import (
    Dtype,
    Epochs,
    Json,
    Name,
    Published,
    Seed,
    TestCsv,
    TrainCsv,
    make_problem,
    require_keras,
)

ENGINES = ("scratch", "keras")


def train(
    experiment: Name,
    engine: Annotated[str, typer.Option(metavar="scratch|keras", help="Which trains.")] = "scratch",
    epochs: Epochs = None,
    seed: Seed = 0,
    dtype: Dtype = "float32",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder, by default runs/NAME-N.")
    ] = None,
    train_csv: TrainCsv = None,
    test_csv: TestCsv = None,
    published: Published = False,
    as_json: Json = False,
) -> None:
    """Train an experiment; the run's folder has the model, its history and its description."""
    from rich.markup import escape

    from scratchnet import runs
    from scratchnet.cli import console
    from scratchnet.cli.quiet import import_tensorflow
    from scratchnet.cli.results import show_evaluation
    from scratchnet.errors import InputError

    if engine not in ENGINES:
        raise InputError(
            f"--engine: expected one of {', '.join(ENGINES)}, got {engine[:40]!r}. "
            "Name one of them."
        )
    if engine == "keras":
        require_keras(experiment)
        import_tensorflow()
    problem = make_problem(
        experiment,
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        train_csv=train_csv,
        test_csv=test_csv,
        published=published,
    )
    with runs.recording(experiment, out) as folder:
        run = runs.start(problem, engine, folder)
        if engine == "keras":
            from keras_impl import training

            model = training.train(problem, folder)
        else:
            model = runs.train(problem, folder)
        run.results = runs.evaluate(model, problem)
        runs.write(run, folder)
    if as_json:
        console.print_json({"run": str(folder), "engine": engine, **run.results})
        return
    screen = console.results()
    for note in problem.notes:
        screen.print(f"[dim]{escape(note)}[/]")
    show_evaluation(screen, run.results, problem.columns)
    named = escape(str(folder))
    command = escape(f"scratchnet predict {shlex.quote(str(folder))} FILE.csv")
    screen.print(f"\nThe run is in [bold]{named}[/]: {command}")
