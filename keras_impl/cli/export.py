"""``keras_impl export RUN``: a trained run as a file for use elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scratchnet.cli.problem import Json

NEEDS = {"keras": " To load it, import keras_impl.preprocessing first."}
"""What whoever loads a format has to know."""


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="keras|savedmodel|onnx",
            help="keras and savedmodel take raw rows or texts; onnx takes raw rows, and of texts "
            "ids, with the vocabulary and the rules in its metadata.",
        ),
    ] = "keras",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A new file, or folder for a SavedModel.",
            show_default="RUN/exported, .keras or .onnx",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a run's model, its preprocessing inside; load it again and compare it with scratchnet.

    A SavedModel needs TensorFlow alone: its signature serve takes rows, with NaN for what is
    missing, or texts. A .keras file is loaded after import keras_impl.preprocessing.
    """
    from keras_impl.export import planned
    from scratchnet.cli import console
    from scratchnet.cli.problem import require_keras_installed
    from scratchnet.cli.quiet import import_tensorflow
    from scratchnet.cli.visible import visible

    require_keras_installed()
    plan = planned(run, kind, out)
    import_tensorflow()
    from keras_impl.export.writing import write

    done = write(plan)
    if as_json:
        named = {"run": str(run), "format": kind, "path": str(plan.path)}
        console.print_json({**named, "samples": done.samples, "difference": done.difference})
        return
    console.results().print(
        f"{visible(str(plan.path))}: loaded again, it agrees with scratchnet on {done.samples} "
        f"samples; largest difference {done.difference:.1e}.{NEEDS.get(kind, '')}",
        markup=False,
        soft_wrap=True,
    )
