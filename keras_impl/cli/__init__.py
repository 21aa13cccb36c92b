"""The command ``keras_impl``: a model on its way from the notebook into use.

One file a command, as in `scratchnet.cli`, whose console, errors and options it shares.
"""

from __future__ import annotations

import typer

from keras_impl.cli.convert import convert
from keras_impl.cli.export import export
from keras_impl.cli.serve import serve
from keras_impl.cli.train import train
from scratchnet.cli import prepare_streams
from scratchnet.cli.errors import Commands

app = typer.Typer(
    name="keras_impl",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: keras_impl train wisconsin",
)


@app.callback()
def options(
    debug: bool = typer.Option(
        False, "--debug", help="Show the traceback of an error (anywhere in the line)."
    ),
) -> None:
    """Train, distribute, export and serve the experiments' Keras models."""


app.command("train", epilog="Example: keras_impl train nietzsche --patience 3")(train)
app.command("export", epilog="Example: keras_impl export runs/nietzsche-1 --format savedmodel")(
    export
)
app.command("serve", epilog="Example: keras_impl serve runs/wisconsin-1 --port 8000")(serve)
app.command("convert", epilog="Example: keras_impl convert model.keras model.npz")(convert)


def main() -> None:
    """Run the command line of this process."""
    prepare_streams()
    app(prog_name="keras_impl")
