"""``scratchnet plot NAME``: a picture drawn from the real functions."""

from __future__ import annotations

import difflib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = {
    "activations": "sigmoid, tanh, relu and all others, each with its derivative",
    "boundary": "a perceptron's boundary as it moves: AND, OR, XOR, two clouds",
    "descent": "a loss surface: the paths of SGD, momentum, RMSprop and Adam",
    "slope": "gradient steps on a slope, a hilltop and in a valley",
    "softmax": "a softmax at four temperatures",
    "gates": "the gates of a trained LSTM over a sentence",
    "gradients": "why gradients vanish, and where dL/dh_t comes from",
    "neuron": "diagram of a neuron",
    "network": "diagram of a network with one hidden layer",
    "rnn": "diagram of a recurrent network, unrolled",
    "lstm": "diagram of an LSTM cell",
    "gru": "diagram of a GRU cell",
    "diagrams": "these five on one sheet",
}
"""Functions of `scratchnet.figures` that need no argument, and what each draws."""

FORMATS = (".png", ".svg", ".pdf")


def _catalogue() -> str:
    r"""Return a line a picture; the mark \b keeps Typer from filling them up."""
    width = max(map(len, PLOTS))
    return "\b\n" + "\n".join(f"{name:{width}}  {what}" for name, what in PLOTS.items())


def plot(
    name: Annotated[str, typer.Argument(help="Which picture, as listed above.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to, by the ending as PNG, SVG or PDF; by default NAME.png.",
        ),
    ] = None,
) -> None:
    """Draw a picture from the real functions."""
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


plot.__doc__ = f"{plot.__doc__}\n\n{_catalogue()}"


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure, whole or not at all."""
    from scratchnet.files import write_whole

    image = io.BytesIO()
    figure.savefig(image, format=path.suffix.lower().lstrip("."))
    return write_whole(path, image.getvalue())
