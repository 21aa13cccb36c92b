"""The options that choose what is trained, shared by ``compare`` and ``train``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scratchnet.experiments.problem import Problem

Name = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="See scratchnet list.")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over the data.", show_default="the experiment's")
]
Dtype = Annotated[str, typer.Option(metavar="float32|float64", help="What to compute in.")]
Seed = Annotated[
    int, typer.Option(min=0, help="Decides the split, the first weights and the order.")
]
TrainCsv = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Your own records (wisconsin): CSV, no header, class last."),
]
TestCsv = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Your own held-out records (wisconsin).")
]
Published = Annotated[
    bool,
    typer.Option("--published", help="Repeat the tutorial's program as printed (wisconsin)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    function = experiments.get(name).module().problem
    given = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    for key in given.keys() - inspect.signature(function).parameters.keys():
        raise InputError(
            f"--{key.replace('_', '-')}: {name} has no such option. Leave it out, or see "
            "scratchnet list for the other experiments."
        )
    return function(**given)


def require_keras(name: str) -> None:
    """Raise unless the experiment has a Keras twin and Keras is installed.

    Raises
    ------
    InputError
        If the experiment has no gradient for Keras to take.
    MissingExtraError
        If Keras or TensorFlow is not installed.
    """
    import importlib.util

    from scratchnet import experiments
    from scratchnet.errors import InputError, MissingExtraError

    if not experiments.get(name).has_gradient:
        raise InputError(
            f"{name}: has no gradient, and so no Keras twin. Use train {name} --engine scratch."
        )
    if not all(importlib.util.find_spec(module) for module in ("keras", "tensorflow")):
        raise MissingExtraError('Keras is not installed: pip install "scratchnet[keras]"')
