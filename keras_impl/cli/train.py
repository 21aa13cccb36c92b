"""``keras_impl train EXPERIMENT``: train with Keras; the same command goes on after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keras_impl.cli import workers as distributed
from scratchnet.cli import keras_options
from scratchnet.cli import problem as options
from scratchnet.cli.refusal import refuse
from scratchnet.cli.session import Session
from scratchnet.cli.train import MINUTES, Samples


def train(
    experiment: options.Name,
    epochs: options.Epochs = None,
    seed: options.Seed = 0,
    dtype: options.Dtype = "float32",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_DIR",
            help="The run's folder.",
            show_default="the newest unfinished run of the same settings, else a new runs/NAME-N",
        ),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="Between two checkpoints within an epoch.")
    ] = MINUTES,
    backup_steps: keras_options.BackupSteps = None,
    patience: keras_options.Patience = None,
    schedule: keras_options.Schedule = None,
    mixed_precision: keras_options.MixedPrecision = False,
    jit: keras_options.Jit = False,
    tensorboard: keras_options.Tensorboard = False,
    workers: distributed.Workers = None,
    index: distributed.Index = None,
    wait: distributed.Wait = distributed.WAIT_S,
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
    masked: options.Masked = False,
    train_csv: options.TrainCsv = None,
    test_csv: options.TestCsv = None,
    published: options.Published = False,
    as_json: options.Json = False,
) -> None:
    """Train an experiment with Keras; the run's folder has all that came of it.

    The same command again goes on with a run that was killed or interrupted, at the step that was
    saved last, and ends with the weights of a run that never was.
    """
    given = {
        "epochs": epochs, "seed": seed, "dtype": dtype, "train_csv": train_csv,
        "test_csv": test_csv, "published": published, "text": None if not text else tuple(text),
        "encoding": encoding, "max_lines": max_lines, "keep_case": keep_case, "unit": unit,
        "window": window, "stride": stride, "cell": cell, "layers": layers, "units": units,
        "embedding": embedding, "batch_size": batch_size, "validation": validation,
        "samples": samples, "masked": masked,
    }  # fmt: skip
    how = {
        "patience": patience, "schedule": schedule, "mixed_precision": mixed_precision,
        "jit": jit, "backup_steps": backup_steps, "tensorboard": tensorboard,
    }  # fmt: skip
    if workers is not None or index is not None:
        distributed.train_on_workers(
            workers, index, wait, experiment, out, given, how, minutes, as_json
        )
        return
    if wait != distributed.WAIT_S:
        refuse("--wait", "is for workers. Name them with --workers, or leave it out.")
    session = Session(experiment, minutes, as_json, how)
    session.begin_or_go_on(out, given)
    session.end(as_json)
