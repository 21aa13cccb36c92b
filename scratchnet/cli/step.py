"""``scratchnet step``: watch code run, line by line, with its equations and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scratchnet.cli.refusal import is_keras_file, refuse

if TYPE_CHECKING:
    from scratchnet.stepper import Recording

NAMES = (
    "onehot", "windows", "perceptron", "dense", "backprop", "rnn", "lstm", "gru", "softmax",
    "sample", "adam", "markov",
)  # fmt: skip
BY_HAND = ("lstm-by-hand", "gru-by-hand")
TIME, UNITS, BATCH = 6, 4, 2


def step(
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.py:FUNCTION|MODEL.keras",
            help=f"{', '.join(NAMES)}; {' or '.join(BY_HAND)}, to follow with a calculator; a "
            "function of yours; or a model that Keras saved.",
            show_default=False,
        ),
    ],
    time: Annotated[
        int | None, typer.Option(min=1, help=f"Time steps, or steps of others.  [default: {TIME}]")
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=1, help=f"Units of the layers.  [default: {UNITS}]")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help=f"Examples that a Keras model gets.  [default: {BATCH}]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides every random number.")] = 0,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SIZES", help="Call your function with a random array: x=3,4 (repeat it)."
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SIZES:BELOW", help="Or with integers from 0 to below BELOW: labels=3:10."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the page; by default NAME.html."),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the recording as JSON instead of a page.")
    ] = False,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Step through it here instead of on a page.")
    ] = False,
    frame: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Start at this line; without a keyboard, only it."),
    ] = None,
) -> None:
    """Watch code run: each line with its equation and arrays, forwards and backwards.

    Writes a page, one HTML file that needs no network, unless told otherwise.
    """
    from scratchnet.errors import InputError

    if as_json and terminal:
        refuse("--json", "prints for a program, and --terminal for you: leave one of them out")
    if batch is not None and not is_keras_file(target):
        refuse("--batch", f"is for a model that Keras saved, not for {target}: leave it out")
    if target in BY_HAND:
        given = {"--time": time, "--units": units, "--shape": shape, "--ids": ids, "--frame": frame}
        _refuse_any(given, f"is not for {target}, whose sizes are fixed: leave it out")
        if as_json:
            refuse("--json", f"is for recordings, and {target} is none: leave it out")
        _by_hand(target, save, open_page, terminal)
        return
    ended: BaseException | None = None
    try:
        if is_keras_file(target):
            given = {"--units": units, "--shape": shape, "--ids": ids}
            _refuse_any(given, f"is not for {target}, whose layers are known: leave it out")
            recording = _of_model(target, time, BATCH if batch is None else batch, seed)
        else:
            recording = _recorded(target, time, units, seed, shape or [], ids or [])
    except (InputError, KeyboardInterrupt) as error:
        recording, ended = _before(error), error
    if frame is not None and frame >= len(recording):
        refuse("--frame", f"expected at most {len(recording) - 1}, the last line, got {frame}")
    if as_json:
        print(recording.to_json())
    elif terminal:
        _in_terminal(recording, frame)
    if save is not None or open_page or not (as_json or terminal):
        from scratchnet.stepper.display.page import render

        _write(save or _page_name(target), render(recording), open_page, frame, as_json)
    if ended is not None:
        raise ended


def _before(error: BaseException) -> Recording:
    """Return what was recorded before an error; raise the error again if that is nothing."""
    recording: Recording | None = getattr(error.__cause__ or error, "recording", None)
    if not recording:
        raise error
    return recording


def _recorded(
    target: str, time: int | None, units: int | None, seed: int, shapes: list[str], ids: list[str]
) -> Recording:
    """Return the recording of one of ours, or of a function of the user's."""
    from scratchnet.cli import step_code
    from scratchnet.cli.verify_code import names_file

    if names_file(target):
        because = f"is for scratchnet's own examples, not for {target}: leave it out"
        _refuse_any({"--time": time, "--units": units}, because)
        return step_code.record(target, seed, shapes, ids)
    if target not in NAMES:
        _refuse_name(target)
    _refuse_any(
        {"--shape": shapes, "--ids": ids},
        f"is for a function of yours, and {target} is scratchnet's: leave it out",
    )
    from scratchnet.stepper.cases import systems

    case = systems.case(
        target,
        time=TIME if time is None else time,
        units=UNITS if units is None else units,
        seed=seed,
    )
    return case.record()


def _of_model(path: str, time: int | None, batch: int, seed: int) -> Recording:
    """Return the recording of one way through a Keras model of the user's, and back."""
    import numpy as np

    from scratchnet.cli import their_model
    from scratchnet.gradcheck.subjects.own_inputs import random_input
    from scratchnet.stepper.cases import systems

    theirs = their_model.read(path)
    rng = np.random.default_rng(seed)
    x = random_input(path, theirs.model, rng, batch=batch, time=time)
    return systems.of_model(theirs.model, x, rng, Path(path).stem).record()


def _in_terminal(recording: Recording, frame: int | None) -> None:
    import sys

    from scratchnet.cli import console
    from scratchnet.stepper.display import terminal

    screen = console.results()
    if sys.stdin.isatty() and screen.is_terminal:
        terminal.walk(recording, screen, typer.getchar, frame or 0)
    elif frame is not None:
        terminal.show(recording, frame, screen)
    else:
        terminal.show_all(recording, screen)


def _by_hand(target: str, save: Path | None, open_page: bool, in_terminal: bool) -> None:
    """Show the worked example of one unit."""
    from scratchnet.experiments.recurrence.by_hand import worked_example

    example = worked_example(target.partition("-")[0])
    if in_terminal:
        print(example.text())
    if save is not None or open_page or not in_terminal:
        _write(save or _page_name(target), example.html(), open_page, None, False)


def _page_name(target: str) -> Path:
    if is_keras_file(target):
        return Path(f"{Path(target).stem}.html")
    return Path(f"{target.rpartition(':')[2]}.html")


def _write(path: Path, page: str, open_page: bool, frame: int | None, quiet: bool) -> None:
    from scratchnet.cli import console
    from scratchnet.files import write_whole

    written = write_whole(path, page.encode())
    screen = console.progress() if quiet else console.results()
    screen.print(f"Page: {written}", markup=False)
    if open_page:
        import webbrowser

        anchor = "" if frame is None else f"#frame={frame}"
        webbrowser.open(written.resolve().as_uri() + anchor)
    elif not quiet:
        screen.print("Open it in a browser; --open does so.", style="dim", markup=False)


def _refuse_name(name: str) -> None:
    import difflib

    every = (*NAMES, *BY_HAND)
    near = difflib.get_close_matches(name, every, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    wanted = f"expected one of {', '.join(every)}, FILE.py:FUNCTION or MODEL.keras"
    refuse("step", f"{wanted}, got {name}.{meant}")


def _refuse_any(options: Mapping[str, object], because: str) -> None:
    for option, value in options.items():
        if value not in (None, []):
            refuse(option, because)
