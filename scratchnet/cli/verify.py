"""``scratchnet verify``: whether a gradient is right, and if not, where and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scratchnet.cli.refusal import is_keras_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scratchnet.cli.verified import Checked


def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="FILE.py:CLASS, FILE.py:FORWARD,BACKWARD, a model that Keras saved (MODEL.keras), "
            "or a layer or loss of scratchnet's (lstm); everything of scratchnet's where it is "
            "left out.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Check every layer and loss of scratchnet's.")
    ] = False,
    like: Annotated[
        str | None, typer.Option(metavar="LAYER", help="What your code is meant to be: LSTM.")
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="Shape of a layer's or model's input: 3,6,4."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZES", help="Shape of a function's argument: x=3,6,4."),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=SIZES:]BELOW",
            help="Integers from 0 to below BELOW: 10 for a class's input, labels=3,6:10 for a "
            "function's argument.",
        ),
    ] = None,
    units: Annotated[int | None, typer.Option(min=1, help="Units of scratchnet's layer.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides every random number.")] = 0,
    keras: Annotated[
        bool | None,
        typer.Option(
            "--keras/--no-keras",
            help="Hold scratchnet's layers against TensorFlow's tape too; by default where it is "
            "installed.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the reports as a page too.")
    ] = None,
) -> None:
    """Check a gradient, yours or scratchnet's: is it right, and if not, where and why.

    The exit status is 0 if all is right, 1 if something is wrong, 2 if it could not be checked.
    """
    from scratchnet.cli import console, verified
    from scratchnet.cli.verify_code import (
        check_code,
        names_file,
        refuse,
        refuse_for_code,
        refuse_for_own,
    )

    if everything and target is not None:
        refuse("--all", f"checks everything, and {target} is one thing: leave one of them out")
    remark = ""
    if target is not None and is_keras_file(target):
        because = f"is not for {target}, whose layers are known: leave it out"
        for option, value in {**_of_code(like, shape, ids), "--units": units}.items():
            if value:
                refuse(option, because)
        from scratchnet.cli.verify_keras import check_model

        checked, remark = check_model(target, input_shape, seed, keras)
    elif target is not None and names_file(target):
        refuse_for_code(target, {"--units": units, "--keras": keras or None})
        checked = check_code(target, like, input_shape, shape or [], ids or [], seed)
    else:
        refuse_for_own(target, _of_code(like, shape, ids))
        from scratchnet.cli.verify_own import check_catalogue, check_layer

        if units is None and input_shape is None:
            checked, remark = check_catalogue(target, seed, keras)
        else:
            checked, remark = check_layer(target, units, input_shape, seed, keras)
    if html is not None:
        _write_page(html, target, checked)
    if as_json:
        console.print_json(verified.to_dict(checked))
    else:
        verified.show(console.results(), checked, remark)
        if html is not None:
            console.results().print(f"Page: {html}", markup=False)
    raise typer.Exit(verified.status(checked))


def _of_code(like: str | None, shape: list[str] | None, ids: list[str] | None) -> dict[str, object]:
    return {"--like": like, "--shape": shape, "--ids": ids}


def _write_page(path: Path, target: str | None, checked: Sequence[Checked]) -> None:
    from scratchnet.files import write_whole
    from scratchnet.gradcheck.display.page import document

    title = f"scratchnet verify {target or '--all'}"
    write_whole(path, document([one.report for one in checked], title).encode())
