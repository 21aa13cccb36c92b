"""``scratchnet bench --device gpu``: training steps on a GPU beside cuDNN's, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from keras_impl.bench.device.results import DeviceResults

STYLES = {"required": "green", "missed": "red", "": "yellow"}


def bench(names: list[str], rounds: int, save: Path | None, as_json: bool) -> None:
    """Measure, show and, where asked to, write ``gpu.json`` and ``gpu.md``.

    What was found when the user stops it is shown and written, too.

    Raises
    ------
    DeviceError
        There is no GPU to measure.
    """
    import numpy as np
    import typer

    from keras_impl.bench import device
    from keras_impl.bench.device import machine
    from keras_impl.bench.device.results import DeviceResults
    from scratchnet import to_device
    from scratchnet.backend import array_module
    from scratchnet.cli import console
    from scratchnet.cli.errors import INTERRUPTED

    chosen = list(dict.fromkeys(names or device.NAMES))
    for name in chosen:
        device.check(name)
    xp = array_module(to_device(np.zeros(1, dtype="float32"), "gpu"))
    words = ["scratchnet", "bench", "--device", "gpu", *names, "--rounds", str(rounds)]
    found = DeviceResults(machine.describe(xp, " ".join(words)))
    stopped = False
    try:
        _measure(found, chosen, xp, rounds)
    except KeyboardInterrupt:
        stopped = True
    found.add_missing(chosen)
    if as_json:
        console.print_json(found.to_dict())
    else:
        show(console.results(), found)
    if save is not None:
        for path in _write(found, save):
            if not as_json:
                console.results().print(f"Written: {path}", markup=False)
    if stopped:
        raise typer.Exit(INTERRUPTED)
    if found.failed:
        raise typer.Exit(1)


def _measure(found: DeviceResults, names: Sequence[str], xp: Any, rounds: int) -> None:
    from rich.progress import Progress

    from keras_impl.bench.device.measure import measure
    from scratchnet.cli import console
    from scratchnet.device import clearly

    screen = console.progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        clearly(measure)(
            found,
            names,
            xp,
            rounds=rounds,
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )


def show(screen: Console, found: DeviceResults) -> None:
    """Print the tables, and what they mean."""
    from rich.markup import escape
    from rich.table import Table

    from keras_impl.bench.device import page

    screen.print(f"[dim]{escape(page.machine_line(found))}[/]\n")
    table = Table(*page.HEAD, box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for cells, verdict, main in page.rows(found):
        shown = [escape(cell) for cell in cells]
        if main:
            shown[0] = f"[bold]{shown[0]}[/]"
            shown[5] = f"[{STYLES[verdict]}]{shown[5]}[/]"
        table.add_row(*shown, style="" if main else "dim")
    screen.print(table)
    for miss in page.misses(found):
        screen.print(f"[red]{escape(miss)}[/]")
    screen.print("\n[dim]" + escape("\n".join(page.how(found))) + "[/]")
    floors = Table(*page.COUNTS, box=None, pad_edge=False)
    for line in page.counts(found):
        floors.add_row(*map(escape, line))
    screen.print(floors)


def _write(found: DeviceResults, folder: Path) -> list[Path]:
    from keras_impl.bench.device.page import markdown
    from scratchnet.files import write_whole

    return [
        write_whole(folder / "gpu.json", found.to_json().encode()),
        write_whole(folder / "gpu.md", markdown(found).encode()),
    ]
