"""How Keras is to train: the options of ``keras_impl train`` and of ``train --engine keras``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scratchnet.cli.refusal import refuse

if TYPE_CHECKING:
    from keras_impl.options import Options
    from scratchnet.runs import Run

PANEL = "How Keras trains (engine keras)"

Patience = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="EPOCHS",
        help="Stop after so many that were no better, by val_loss where there is one, else loss; "
        "keep the best.",
        show_default="train to the end",
        rich_help_panel=PANEL,
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        metavar="constant|cosine|exponential|linear|warmup",
        help="The learning rate: down to 0, exponential to a tenth; warmup rises, then is cosine.",
        show_default="constant",
        rich_help_panel=PANEL,
    ),
]
MixedPrecision = Annotated[
    bool,
    typer.Option(
        "--mixed-precision",
        help="Compute in bfloat16 on float32 weights: it has float32's range, so that no loss has "
        "to be scaled.",
        rich_help_panel=PANEL,
    ),
]
Jit = Annotated[
    bool,
    typer.Option("--jit", help="Compile with XLA, on a CPU too.", rich_help_panel=PANEL),
]
BackupSteps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="STEPS",
        help="Save within epochs that often too.",
        show_default="at an epoch's end, and by --minutes",
        rich_help_panel=PANEL,
    ),
]
Tensorboard = Annotated[
    bool,
    typer.Option(
        "--tensorboard",
        help="Write logs for TensorBoard into the run's folder logs.",
        rich_help_panel=PANEL,
    ),
]


def require_none(engine: str, given: dict[str, Any]) -> None:
    """Raise if one was given to another engine.

    Raises
    ------
    InputError
        If one was.
    """
    for name, value in given.items():
        if engine != "keras" and value:
            option = f"--{name.replace('_', '-')}"
            refuse(option, f"is Keras's, and {engine} trains here. Add --engine keras.")


def made(given: dict[str, Any], dtype: str) -> Options:
    """Return Keras's options, once it is clear that they can be followed.

    Raises
    ------
    InputError
        If one is wrong.
    MissingExtraError
        If one needs what is not installed.
    """
    from keras_impl.options import Options

    options = Options(**{name: value for name, value in given.items() if value is not None})
    options.check(dtype)
    return options


def decisive(given: dict[str, Any]) -> dict[str, Any]:
    """Return those that decide the weights, which a run that goes on keeps."""
    from keras_impl.options import ON_THE_WAY

    return {name: value for name, value in given.items() if name not in ON_THE_WAY}


def of_run(run: Run, given: dict[str, Any]) -> Options | None:
    """Return Keras's options of a run that goes on; None of one that another engine trains.

    Raises
    ------
    InputError
        If the run's description has others.
    """
    if run.engine != "keras":
        return None
    from keras_impl.options import ON_THE_WAY, Options

    return Options.from_config(run.training, **{name: given[name] for name in ON_THE_WAY})
