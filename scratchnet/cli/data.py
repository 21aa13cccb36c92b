"""``scratchnet data [NAME]``: the data sets, and what is in the small one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

PICTURES = Path("wisconsin-data")


def data(
    name: Annotated[
        str | None, typer.Argument(help="A data set; without one, all of them are listed.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Analyse your own records in place of wisconsin's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"Folder for the histograms, by default {PICTURES}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the data sets; with a name, fetch one and describe it; analyse wisconsin's."""
    from scratchnet.errors import InputError

    if name == "wisconsin":
        _wisconsin(csv, out, as_json)
    elif csv is not None or out is not None:
        raise InputError(
            "--csv, --out: expected data set wisconsin with them, got "
            f"{name or 'none'}. Write scratchnet data wisconsin."
        )
    elif name is None:
        _list(as_json)
    else:
        _fetch(name, as_json)


def _entry(name: str) -> dict[str, Any]:
    """Return what is known of a data set, as JSON takes it."""
    from scratchnet import datasets

    found = datasets.find(name)
    return asdict(datasets.get(name)) | {
        "found": None if found is None else str(found.path),
        "place": None if found is None else found.place,
    }


def _list(as_json: bool) -> None:
    from rich.table import Table

    from scratchnet.cli import console
    from scratchnet.datasets import DATASETS, FOLDER_VARIABLE

    entries = [_entry(name) for name in DATASETS]
    if as_json:
        console.print_json(entries)
        return
    table = Table("data set", "what it is", "size", "where", box=None, pad_edge=False)
    table.columns[0].style = "bold"
    table.columns[0].no_wrap = True
    table.columns[2].justify = "right"
    table.columns[2].no_wrap = True
    for entry in entries:
        where = entry["place"] or ("to be downloaded" if entry["url"] else "[yellow]not found[/]")
        table.add_row(entry["name"], entry["title"], _size(entry["size"]), where)
    screen = console.results()
    screen.print(table)
    screen.print(
        "\n[dim]scratchnet data NAME describes one and fetches it. Files in the folder that the "
        f"environment variable {FOLDER_VARIABLE} names are used first.[/]"
    )


def _fetch(name: str, as_json: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from scratchnet import datasets
    from scratchnet.cli import console

    datasets.path(name)
    entry = _entry(name)
    if as_json:
        console.print_json(entry)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("data set", entry["title"])
    table.add_row("source", entry["source"])
    table.add_row("address", entry["url"] or "none")
    table.add_row("size", f"{entry['size']:,} bytes")
    table.add_row("SHA-256", f"{entry['sha256']} (verified)")
    table.add_row("file", escape(entry["found"]))
    console.results().print(table)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _wisconsin(csv: Path | None, out: Path | None, as_json: bool) -> None:
    from scratchnet import datasets
    from scratchnet.cli import console
    from scratchnet.errors import MissingExtraError
    from scratchnet.experiments import wisconsin_data as wisconsin
    from scratchnet.experiments.wisconsin_analysis import analyse

    path = datasets.path("wisconsin") if csv is None else csv
    frame = wisconsin.read(path)
    analysis = analyse(frame)
    if as_json:
        pictures = None if out is None else str(_draw(frame, out))
        console.print_json({"file": str(path), **asdict(analysis), "pictures": pictures})
        return
    from scratchnet.cli.analysis import show

    screen = console.results()
    show(screen, analysis, wisconsin.CLASSES, path.name)
    try:
        screen.print(f"Histograms drawn: {_draw(frame, out or PICTURES)}", markup=False)
    except MissingExtraError as error:
        if out is not None:
            raise
        screen.print(f"No pictures: {error}", style="dim", markup=False)


def _draw(frame: pd.DataFrame, folder: Path) -> Path:
    from scratchnet import figures
    from scratchnet.cli.plot import write_figure
    from scratchnet.experiments import wisconsin_data as wisconsin

    figure = figures.histograms_by_class(frame, wisconsin.LABEL, wisconsin.GRADES)
    return write_figure(figure, folder / "histograms.png")
