"""``scratchnet train EXPERIMENT``: train one engine and leave a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scratchnet.cli import keras_options
from scratchnet.cli import problem as options
from scratchnet.cli.chains import train_chain
from scratchnet.cli.refusal import refuse
from scratchnet.cli.session import Session

MINUTES = 5.0

Samples = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Characters, or words, written at each temperature after each epoch.",
        show_default=options.OWN,
        rich_help_panel=options.TEXTS,
    ),
]
Order = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many symbols decide what follows (markov).",
        show_default=options.OWN,
        rich_help_panel=options.TEXTS,
    ),
]


def train(
    experiment: options.Name,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="scratch|keras",
            help="Which trains.",
            show_default="scratch; of a run that goes on, its own",
        ),
    ] = None,
    epochs: options.Epochs = None,
    seed: options.Seed = 0,
    dtype: options.Dtype = "float32",
    device: options.Device = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="RUN_DIR", help="The run's folder, by default runs/NAME-N."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, or with the newest one."),
    ] = False,
    minutes: Annotated[
        float, typer.Option(min=0, help="Between two checkpoints within an epoch.")
    ] = MINUTES,
    text: options.Text = None,
    encoding: options.Encoding = None,
    max_lines: options.MaxLines = None,
    keep_case: options.KeepCase = False,
    unit: options.Unit = None,
    window: options.Window = None,
    stride: options.Stride = None,
    cell: options.Cell = None,
    layers: options.Layers = None,
    units: options.Units = None,
    embedding: options.Embedding = None,
    batch_size: options.BatchSize = None,
    validation: options.Validation = None,
    samples: Samples = None,
    order: Order = None,
    masked: options.Masked = False,
    patience: keras_options.Patience = None,
    schedule: keras_options.Schedule = None,
    mixed_precision: keras_options.MixedPrecision = False,
    jit: keras_options.Jit = False,
    backup_steps: keras_options.BackupSteps = None,
    tensorboard: keras_options.Tensorboard = False,
    train_csv: options.TrainCsv = None,
    test_csv: options.TestCsv = None,
    published: options.Published = False,
    as_json: options.Json = False,
) -> None:
    """Train an experiment; the run's folder has the model, its history and its description.

    A text's network writes a sample at each temperature after each epoch. Ctrl-C, or a kill, leaves
    the latest checkpoint, and --resume goes on from it.
    """
    from scratchnet import experiments

    given = {
        "train_csv": train_csv, "test_csv": test_csv, "published": published,
        "text": None if not text else tuple(text), "encoding": encoding, "max_lines": max_lines,
        "keep_case": keep_case, "unit": unit, "window": window, "stride": stride, "cell": cell,
        "layers": layers, "units": units, "embedding": embedding, "batch_size": batch_size,
        "validation": validation, "samples": samples, "masked": masked, "order": order,
    }  # fmt: skip
    how = {
        "patience": patience, "schedule": schedule, "mixed_precision": mixed_precision,
        "jit": jit, "backup_steps": backup_steps, "tensorboard": tensorboard,
    }  # fmt: skip
    options.check_engine(engine)
    if experiments.get(experiment).kind == "chain":
        if resume:
            refuse("--resume", "a chain is counted at once. Train it anew.")
        options.refuse_device(device)
        counted = {"epochs": epochs, "seed": seed or None, **given, **how}
        train_chain(engine or "scratch", out, counted, as_json)
        return
    session = Session(experiment, minutes, as_json, how, device=device)
    if resume:
        _only_resumes({**given, **keras_options.decisive(how)}, seed, dtype)
        session.resume(out, epochs, engine)
    else:
        session.begin(
            out, engine or "scratch", {"epochs": epochs, "seed": seed, "dtype": dtype, **given}
        )
    session.end(as_json)


def _only_resumes(given: dict[str, Any], seed: int, dtype: str) -> None:
    """Raise if a run that goes on is told to be another."""
    named = [key for key, value in given.items() if value is not None and value is not False]
    named += ["seed"] * (seed != 0) + ["dtype"] * (dtype != "float32")
    if named:
        option = f"--{named[0].replace('_', '-')}"
        refuse(option, "a run that goes on keeps its settings. Leave it out, or train a new run.")
