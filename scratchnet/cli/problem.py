"""The options that choose what is trained, shared by ``compare`` and ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scratchnet.experiments.problem import Problem

TEXTS = "Texts (nietzsche, text, json, shakespeare)"
REVIEWS = "Reviews (imdb)"
TABLES = "Tables (wisconsin)"
OWN = "the experiment's"

Name = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="See scratchnet list.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Passes over the data.", show_default=OWN)]
Dtype = Annotated[str, typer.Option(metavar="float32|float64", help="What to compute in.")]
Seed = Annotated[
    int, typer.Option(min=0, help="Decides the split, the first weights and the order.")
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="cpu|gpu",
        help="Where the scratch engine computes; gpu wants CuPy and a CUDA device.",
        show_default="cpu",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TrainCsv = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your own records: CSV, no header, class last.",
        rich_help_panel=TABLES,
    ),
]
TestCsv = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Your own held-out records.", rich_help_panel=TABLES),
]
Published = Annotated[
    bool,
    typer.Option(
        "--published",
        help="Repeat the tutorial's program as printed.",
        rich_help_panel=TABLES,
    ),
]

Text = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Your own text; may be repeated.", rich_help_panel=TEXTS),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the files, such as latin-1; else UTF-8, or what a byte order mark says.",
        show_default=False,
        rich_help_panel=TEXTS,
    ),
]
MaxLines = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Read only the first lines of each file: 800 for little memory.",
        show_default="all",
        rich_help_panel=TEXTS,
    ),
]
KeepCase = Annotated[
    bool,
    typer.Option("--keep-case", help="Tell capitals from small letters.", rich_help_panel=TEXTS),
]
Unit = Annotated[
    str | None,
    typer.Option(
        metavar="char|word", help="What an id is.", show_default=OWN, rich_help_panel=TEXTS
    ),
]
Window = Annotated[
    int | None,
    typer.Option(min=1, help="Ids the network is shown.", show_default=OWN, rich_help_panel=TEXTS),
]
Stride = Annotated[
    int | None,
    typer.Option(min=1, help="From window to window.", show_default=OWN, rich_help_panel=TEXTS),
]
Cell = Annotated[
    str | None,
    typer.Option(
        metavar="lstm|gru|rnn",
        help="The recurrent layers.",
        show_default=OWN,
        rich_help_panel=TEXTS,
    ),
]
Layers = Annotated[
    int | None,
    typer.Option(min=1, help="How many of them.", show_default=OWN, rich_help_panel=TEXTS),
]
Units = Annotated[
    int | None,
    typer.Option(min=1, help="Units of each.", show_default=OWN, rich_help_panel=TEXTS),
]
Embedding = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Numbers that stand for an id; 0 for one-hot rows.",
        show_default=OWN,
        rich_help_panel=TEXTS,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, help="Windows of a step.", show_default=OWN, rich_help_panel=TEXTS),
]
Validation = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=0.9,
        help="Share held out to watch: a text's end.",
        show_default=OWN,
        rich_help_panel=TEXTS,
    ),
]
Masked = Annotated[
    bool,
    typer.Option(
        "--masked",
        help="Do not read padding as words; choose the epoch by a validation split.",
        rich_help_panel=REVIEWS,
    ),
]


ENGINES = ("scratch", "keras")


def check_engine(engine: str | None) -> None:
    """Raise unless there is such an engine, or none was named.

    Raises
    ------
    InputError
        If there is not.
    """
    from scratchnet.errors import InputError

    if engine is not None and engine not in ENGINES:
        raise InputError(
            f"--engine: expected one of {', '.join(ENGINES)}, got {engine[:40]!r}. "
            "Name one of them."
        )


def checked_device(device: str | None, engine: str = "scratch") -> str | None:
    """Return where the engine is to compute, cpu unless a device was named; None for Keras.

    Raises
    ------
    InputError
        If there is no such device, or Keras is to be told.
    DeviceError
        If there is no GPU to use.
    """
    from scratchnet import device as devices
    from scratchnet.cli.refusal import refuse

    if device is None:
        return None if engine == "keras" else "cpu"
    if devices.checked_device("--device", device) and engine == "keras":
        refuse("--device", "keras computes where its backend does. Leave it out, or use scratch.")
    if device == "gpu":
        devices.gpu_module()
    return device


def refuse_device(device: str | None) -> None:
    """Raise if a device was named for a chain, which is counted on the host."""
    from scratchnet.cli.refusal import refuse

    if device is not None:
        refuse("--device", "a chain has no such option. Leave it out.")


def make_problem(name: str, **options: Any) -> Problem:
    """Return the experiment's problem; options left at None or False are the experiment's own.

    Raises
    ------
    InputError
        If there is no such experiment, or it has no such option.
    """
    from scratchnet import experiments
    from scratchnet.arguments import checked_dtype
    from scratchnet.errors import InputError

    checked_dtype(name, options["dtype"])
    experiment = experiments.get(name)
    given = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    for key in given.keys() - experiment.options().keys():
        raise InputError(
            f"--{key.replace('_', '-')}: {name} has no such option. Leave it out, or see "
            "scratchnet list for the other experiments."
        )
    return experiment.module().problem(**given)


def problem_of(run: Any, epochs: int | None = None) -> Problem:
    """Return the problem that a run was trained on."""
    return make_problem(
        run.experiment,
        seed=run.seed,
        dtype=run.dtype,
        epochs=epochs or run.epochs,
        **run.settings,
    )


def require_keras(name: str) -> None:
    """Raise unless the experiment has a Keras twin and Keras is installed.

    Raises
    ------
    InputError
        If the experiment has no gradient for Keras to take.
    MissingExtraError
        If Keras or TensorFlow is not installed.
    """
    from scratchnet import experiments
    from scratchnet.errors import InputError

    experiment = experiments.get(name)
    if experiment.kind == "chain":
        raise InputError(
            f"{name}: is counted and has no steps to compare. Use train {name} --engine keras, or "
            "scratch, to count with either."
        )
    if not experiment.has_gradient:
        raise InputError(
            f"{name}: has no gradient, and so no Keras twin. Use train {name} --engine scratch."
        )
    require_keras_installed()


def require_keras_installed() -> None:
    """Raise unless Keras and TensorFlow are installed.

    Raises
    ------
    MissingExtraError
        If one is not.
    """
    import importlib.util

    from scratchnet.errors import MissingExtraError

    if not all(importlib.util.find_spec(module) for module in ("keras", "tensorflow")):
        raise MissingExtraError('Keras is not installed: pip install "scratchnet[keras]"')
