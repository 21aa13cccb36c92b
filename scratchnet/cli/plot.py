"""``scratchnet plot NAME``: a picture drawn from the real functions."""

from __future__ import annotations

import difflib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = ("activations",)
"""Functions of `scratchnet.figures` that need no argument."""

FORMATS = (".png", ".svg", ".pdf")


def plot(
    name: Annotated[str, typer.Argument(help=f"What to draw: {', '.join(PLOTS)}.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to, by the ending as PNG, SVG or PDF."),
    ] = None,
) -> None:
    """Draw a picture: the activations with their derivatives."""
    from scratchnet.cli import console
    from scratchnet.errors import InputError

    if name not in PLOTS:
        close = difflib.get_close_matches(name, PLOTS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise InputError(f"plot: expected one of {', '.join(PLOTS)}, got {name[:40]!r}.{hint}")
    path = Path(f"{name}.png") if out is None else out
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"--out: expected a file name that ends in {', '.join(FORMATS)}, got {str(path)!r}."
        )
    from scratchnet import figures

    written = write_figure(getattr(figures, name)(), path)
    console.results().print(f"Drawn: {written}", markup=False)


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure, whole or not at all."""
    from scratchnet.files import write_whole

    image = io.BytesIO()
    figure.savefig(image, format=path.suffix.lower().lstrip("."))
    return write_whole(path, image.getvalue())
