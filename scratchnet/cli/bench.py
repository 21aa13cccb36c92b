"""``scratchnet bench [EXPERIMENT…]``: how fast both engines are, measured side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.errors import INTERRUPTED

if TYPE_CHECKING:
    from keras_impl.bench.report.results import Results

RESULTS = Path("benchmarks") / "results" / "speed.json"
"""Where a checkout keeps what was measured for it."""
CHARTS = Path("reports") / "bench"


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="wisconsin, nietzsche, nietzsche-gru, imdb, shakespeare (training steps), "
            "generate, generate-window (a character), predict (10,000 rows); with --device gpu "
            "lstm-small, gru-small, lstm-large, gru-large; all by default.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="gpu: training steps there, beside cuDNN's and the CPU's.")
    ] = "cpu",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            envvar="SCRATCHNET_THREADS",
            help="For every engine, on the CPU.",
            show_default="the cores there are",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Blocks of each way to run, at most.")] = 15,
    memory: Annotated[
        bool, typer.Option(help="Measure the peak memory of each training, in its own process.")
    ] = True,
    cold: Annotated[
        bool, typer.Option(help="Measure imports and first epochs from a cold start.")
    ] = True,
    peers: Annotated[
        bool, typer.Option(help="PyTorch and JAX take part, where they are installed.")
    ] = True,
    curves: Annotated[
        bool, typer.Option("--curves", help="Measure how the cost grows with T, B, H and V, too.")
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help=f"Draw charts, in {CHARTS} or where --save says.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write speed.json and speed.md into this folder, or gpu.json and gpu.md.",
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help=f"Hold the ratios against those of {RESULTS} in this checkout."
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Hold them against those of another speed.json."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Time scratchnet beside every way Keras has of doing the same, PyTorch and JAX.

    That the engines compute the same numbers is checked before the clock starts.

    The exit status is 1 if they do not, or if a ratio got worse than the one it is held against by
    more than 10 % and more than both spreads.
    """
    from scratchnet.cli import benched, console
    from scratchnet.cli.quiet import import_tensorflow
    from scratchnet.device import checked_device

    if checked_device("--device", device) == "gpu":
        _on_a_gpu(names or [], rounds, save, as_json, compare or bool(baseline), plot or curves)
        return
    _refuse_names_of_a_gpu(names or [])
    options.require_keras_installed()
    from keras_impl import bench as measuring
    from keras_impl.bench import machine
    from keras_impl.bench.report.changes import changes_between
    from keras_impl.bench.report.results import Results
    from keras_impl.bench.threads import available, pin

    chosen = list(dict.fromkeys(names or measuring.NAMES))
    for name in chosen:
        measuring.check(name)
    before = _before(chosen, compare, baseline)
    if plot:
        _require_charts()
    for folder in _folders(save, plot):
        _require_writable(folder)
    pin(number := threads or available())
    import_tensorflow()
    pin(number)
    switches = {"memory": memory, "cold": cold, "peers": peers}
    words = _command(names or [], number, rounds, switches, curves)
    found = Results(machine.describe(number, words))
    stopped = False
    try:
        _measure(found, chosen, rounds, memory, peers, cold, curves)
    except KeyboardInterrupt:
        stopped = True
    changes = changes_between(before, found) if before is not None else None
    if as_json:
        extra = {} if changes is None else {"changes": [one.to_dict() for one in changes]}
        console.print_json({**found.to_dict(), **extra})
    else:
        benched.show(console.results(), found)
        if before is not None and changes is not None:
            benched.show_changes(console.results(), before, found, changes)
    if stopped:
        raise typer.Exit(INTERRUPTED)
    for path in _write(found, save, plot):
        if not as_json:
            console.results().print(f"Written: {path}", markup=False)
    if found.failures or any(one.regressed for one in changes or ()):
        raise typer.Exit(1)


def _on_a_gpu(
    names: list[str], rounds: int, save: Path | None, as_json: bool, held: bool, drawn: bool
) -> None:
    from scratchnet.cli import bench_device
    from scratchnet.errors import InputError

    if held or drawn:
        raise InputError(
            "bench --device gpu: expected neither --compare, --baseline, --plot nor --curves, "
            "which are for the CPU, got one. Leave it out."
        )
    if save is not None:
        _require_writable(save)
    bench_device.bench(names, rounds, save, as_json)


def _refuse_names_of_a_gpu(names: list[str]) -> None:
    from keras_impl.bench.device import NAMES
    from scratchnet.cli.refusal import refuse

    for name in names:
        if name in NAMES:
            refuse(name, "is measured on a GPU. Add --device gpu, or name another.")


def _before(names: list[str], compare: bool, baseline: Path | None) -> Results | None:
    """Return the results to compare with, before anything is measured."""
    from keras_impl.bench import machine
    from keras_impl.bench.report import results_file
    from scratchnet.errors import DataError, InputError

    if baseline is None:
        if not compare:
            return None
        checkout = machine.checkout()
        if checkout is None:
            raise InputError(
                "--compare: expected a checkout, whose results were measured with it, got an "
                "installed package. Name a file with --baseline FILE."
            )
        baseline = checkout / RESULTS
    found = results_file.read(baseline)
    known = [work.name for work in found.works]
    if not set(known) & set(names):
        raise DataError(
            f"{baseline}: expected results of {', '.join(names)}, got those of "
            f"{', '.join(known) or 'nothing'}. Name another file with --baseline FILE, or write "
            "one with scratchnet bench --save DIR."
        )
    return found


def _folders(save: Path | None, plot: bool) -> list[Path]:
    """Return where something will be written."""
    if save is not None:
        return [save]
    return [CHARTS] if plot else []


def _require_writable(folder: Path) -> None:
    """Raise unless a folder can be written into, or made: minutes before it is."""
    import os

    from scratchnet.errors import InputError

    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise InputError(
            f"{folder}: expected a folder to write into, got a file, {there}. Name another."
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: expected a folder to write into, got no permission in {there}. Name "
            "another, or change its permissions."
        )


def _require_charts() -> None:
    import importlib.util

    from scratchnet.errors import MissingExtraError

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError('charts need matplotlib: pip install "scratchnet[plots]"')


def _command(
    names: list[str], threads: int, rounds: int, switches: dict[str, bool], curves: bool
) -> str:
    """Return the command that measures this again, without anyone's paths."""
    words = ["scratchnet", "bench", *names, "--threads", str(threads), "--rounds", str(rounds)]
    words += [f"--no-{name}" for name, on in switches.items() if not on]
    words += ["--curves"] if curves else []
    return " ".join(words)


def _measure(
    found: Results,
    names: list[str],
    rounds: int,
    memory: bool,
    peers: bool,
    cold: bool,
    curves: bool,
) -> None:
    """Measure under a progress bar."""
    import functools
    import logging

    from rich.progress import Progress

    from keras_impl.bench.measure import measure
    from keras_impl.bench.processes.memory import measure as needed
    from keras_impl.bench.race import Stopped
    from scratchnet.cli import console

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each way to run is compiled anew
    screen = console.progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("starting TensorFlow", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        measure(
            found,
            names,
            rounds=rounds,
            peers=peers,
            memory=functools.partial(needed, threads=found.threads) if memory else None,
            progress=progress,
        )
        if cold:
            from keras_impl.bench.processes import cold as starting

            named = {name: n for name, n in starting.TRAININGS.items() if name in names}
            try:
                found.cold = starting.measure(found.threads, progress, trainings=named)
            except Stopped as stopped:
                found.cold = stopped.found
                raise
        if curves:
            from keras_impl.bench import curves as growing

            try:
                found.curves = growing.measure(found.threads, progress)
            except Stopped as stopped:
                found.curves = stopped.found
                raise


def _write(found: Results, save: Path | None, plot: bool) -> list[Path]:
    """Write what was asked for; return the files."""
    from keras_impl.bench.report import table as words
    from scratchnet.files import write_whole

    written = []
    if save is not None:
        written.append(write_whole(save / "speed.json", found.to_json().encode()))
        written.append(write_whole(save / "speed.md", words.markdown(found).encode()))
    if plot and found.works:
        from keras_impl.bench.report import chart

        folder = save or CHARTS
        folder.mkdir(parents=True, exist_ok=True)
        chart.draw_race(found, folder / "speed.png")
        written.append(folder / "speed.png")
        if found.curves:
            chart.draw_curves(found.curves, folder / "curves.png")
            written.append(folder / "curves.png")
    return written
