"""The command ``scratchnet``: one file a command, each a thin shell around the package.

A command's file imports Typer and the console alone; what it works with is imported inside the
command, so that ``scratchnet --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from scratchnet.cli.bench import bench
from scratchnet.cli.compare import compare
from scratchnet.cli.data import data
from scratchnet.cli.errors import Commands
from scratchnet.cli.evaluate import evaluate
from scratchnet.cli.generate import generate
from scratchnet.cli.list_ import list_experiments
from scratchnet.cli.markov import markov
from scratchnet.cli.plot import plot
from scratchnet.cli.predict import predict
from scratchnet.cli.step import step
from scratchnet.cli.train import train
from scratchnet.cli.verify import verify

app = typer.Typer(
    name="scratchnet",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: scratchnet compare wisconsin",
)


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (anywhere in the line).")
    ] = False,
) -> None:
    """Neural networks written out by hand, held to the last digit against Keras."""


app.command("list", epilog="Example: scratchnet list --json")(list_experiments)
app.command("compare", epilog="Example: scratchnet compare wisconsin --epochs 20")(compare)
app.command("train", epilog="Example: scratchnet train wisconsin --engine keras")(train)
app.command("evaluate", epilog="Example: scratchnet evaluate runs/wisconsin-1")(evaluate)
app.command("predict", epilog="Example: scratchnet predict runs/wisconsin-1 rows.csv")(predict)
app.command(
    "generate", epilog='Example: scratchnet generate runs/nietzsche-1 --prompt "the " --length 400'
)(generate)
app.command(
    "verify",
    epilog="Example: scratchnet verify my_code.py:MyLSTM --like LSTM --input-shape 3,6,4",
)(verify)
app.command("step", epilog="Example: scratchnet step lstm --time 6 --units 4 --open")(step)
app.command("markov", epilog="Example: scratchnet markov --followers a --prompt t --length 1000")(
    markov
)
app.command("bench", epilog="Example: scratchnet bench wisconsin generate --compare")(bench)
app.command("data", epilog="Example: scratchnet data wisconsin --out pictures")(data)
app.command("plot", epilog="Example: scratchnet plot activations --out activations.svg")(plot)


def main() -> None:
    """Run the command line of this process."""
    prepare_streams()
    app(prog_name="scratchnet")


def prepare_streams() -> None:
    """Make sure that whatever a command prints can be written, or goes nowhere."""
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8


def _replace_closed_streams() -> None:
    """Let what is written to a stream that the caller has closed go nowhere.

    The numbers 0 to 2 are taken first, or a file opened later gets one, and the output with it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")
