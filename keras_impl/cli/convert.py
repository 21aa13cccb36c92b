"""``keras_impl convert``: a model from Keras's file into scratchnet's, or back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[Path, typer.Argument(help="model.keras, or scratchnet's model.npz.")],
    target: Annotated[Path, typer.Argument(help="The file to write, of the other kind.")],
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Of every batch to come, which Keras wants of stateful layers."),
    ] = None,
) -> None:
    """Write a Keras model as scratchnet's, or scratchnet's as Keras's: the same layers and weights.

    The new file is read again and its outputs are compared before it gets its name.  Loss, metrics
    and the optimizer stay behind: compile it to train it on.
    """
    from scratchnet.cli import console
    from scratchnet.cli.problem import require_keras_installed
    from scratchnet.cli.quiet import import_tensorflow
    from scratchnet.cli.refusal import refuse

    kinds = (source.suffix, target.suffix)
    if kinds not in ((".keras", ".npz"), (".npz", ".keras")):
        refuse("convert", f"expected a .keras and an .npz, got {source} and {target}: rename one")
    if batch_size is not None and kinds[0] == ".keras":
        refuse("--batch-size", f"is for a .keras file to write, not for {target}: leave it out")
    if target.exists():
        refuse("convert", f"expected a file to make, got {target}, which exists: remove it")
    require_keras_installed()
    import_tensorflow()
    from keras_impl.weights import converting

    difference, left_out = converting.convert(source, target, batch_size)
    screen = console.results()
    screen.print(f"Model: {target}", markup=False)
    screen.print(f"Largest difference of outputs: {difference:.1e}", markup=False)
    if left_out:
        screen.print(
            f"Left out, as it matters to training or rounding alone: {'; '.join(left_out)}.",
            markup=False,
        )
