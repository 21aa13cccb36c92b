"""``scratchnet compare EXPERIMENT``: the main job, both engines side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.problem import make_problem, require_keras

if TYPE_CHECKING:
    from rich.console import Console

    from keras_impl.parity.compare import Agreement, Comparison


def compare(
    experiment: options.Name,
    epochs: options.Epochs = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Training steps to compare, instead of epochs.",
            show_default="100 for texts and reviews",
        ),
    ] = None,
    dtype: options.Dtype = "float64",
    seed: options.Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The report's folder, by default reports/NAME."),
    ] = None,
    text: options.Text = None,
    encoding: options.Encoding = None,
    max_lines: options.MaxLines = None,
    keep_case: options.KeepCase = False,
    unit: options.Unit = None,
    window: options.Window = None,
    stride: options.Stride = None,
    cell: options.Cell = None,
    layers: options.Layers = None,
    units: options.Units = None,
    embedding: options.Embedding = None,
    batch_size: options.BatchSize = None,
    masked: options.Masked = False,
    train_csv: options.TrainCsv = None,
    test_csv: options.TestCsv = None,
    published: options.Published = False,
    as_json: options.Json = False,
) -> None:
    """Train scratchnet and Keras from the same weights on the same batches; report how they agree.

    The exit status is 1 if outputs, gradients or weights differ by more than the tolerances.
    """
    from rich.progress import Progress

    from scratchnet.cli import console
    from scratchnet.cli.quiet import import_tensorflow

    folder = out or Path("reports") / experiment
    require_keras(experiment)
    _require_report(folder)
    problem = make_problem(
        experiment,
        epochs=epochs,
        dtype=dtype,
        seed=seed,
        text=None if not text else tuple(text),
        encoding=encoding,
        max_lines=max_lines,
        keep_case=keep_case,
        unit=unit,
        window=window,
        stride=stride,
        cell=cell,
        layers=layers,
        units=units,
        embedding=embedding,
        batch_size=batch_size,
        masked=masked,
        train_csv=train_csv,
        test_csv=test_csv,
        published=published,
    )
    import_tensorflow()
    from keras_impl.parity import report
    from keras_impl.parity.compare import compare as run

    screen = console.progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("starting TensorFlow", total=None)
        comparison = run(
            problem,
            lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
            steps,
        )
        bar.update(task, description="drawing the report", total=None)
        page = report.write(comparison, folder)
    if as_json:
        console.print_json({**comparison.to_dict(), "report": str(page)})
    else:
        _show(console.results(), comparison, page)
    if not comparison.ok:
        raise typer.Exit(1)


def _require_report(folder: Path) -> None:
    """Raise before the work if there will be no way to draw the report, or nowhere to put it."""
    import importlib.util
    import os

    from scratchnet.errors import InputError, MissingExtraError

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError(
            'the report\'s pictures need matplotlib: pip install "scratchnet[plots]"'
        )
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError(
            f"--out: expected a folder to write to, got {folder}, where {nearest} is "
            f"{'a file' if nearest.is_file() else 'not writable'}. Name another."
        )


def _show(screen: Console, found: Comparison, page: Path) -> None:
    from rich.markup import escape
    from rich.table import Table

    from scratchnet.cli.results import pairs_table, scores_table

    for note in found.notes:
        screen.print(f"[dim]{escape(note)}[/]")
    screen.print(f"\n[bold]Agreement[/] in {found.dtype}: largest difference over largest value")
    screen.print(_agreement_table(found))
    worst = max(abs(a - b) for a, b in zip(*found.losses.values(), strict=True))
    names = (found.unit, "loss scratchnet", "loss Keras", "difference")
    table = Table(*names, box=None, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    for place in found.shown():
        ours, theirs = (curve[place] for curve in found.losses.values())
        table.add_row(str(place + 1), f"{ours:.12f}", f"{theirs:.12f}", f"{abs(ours - theirs):.1e}")
    steps = f"{found.steps:,} step{'s' if found.steps > 1 else ''}"
    screen.print(f"\n[bold]Losses[/] over {steps}, never further apart than {worst:.1e}")
    screen.print(table)
    screen.print(
        f"Largest difference of a weight after the last step: {found.weight_difference:.1e}"
    )
    if found.scores:
        screen.print(f"\n[bold]{found.tested_on.capitalize()}[/]")
        screen.print(scores_table({engine: asdict(one) for engine, one in found.scores.items()}))
    if found.pairs:
        screen.print(f"\n[bold]Calculated and expected[/], {found.tested_on}")
        screen.print(pairs_table(found.pairs, found.outputs))
    screen.print("\n[bold]Speed[/] of a training step, alternating blocks, least disturbed of each")
    table = Table("", "ms a step", "times Keras's compiled step", box=None, pad_edge=False)
    for timing in found.timings:
        table.add_row(timing.name, f"{timing.seconds * 1e3:.4f}", f"{timing.ratio:.3f}")
    screen.print(table)
    verdict = "[green]agree[/]" if found.ok else "[red]do NOT agree[/]"
    screen.print(f"\nThe two engines {verdict}. Report: [bold]{escape(str(page))}[/]")


def _agreement_table(found: Comparison) -> object:
    from rich.table import Table

    table = Table("", "array", "difference", "allowed", "", box=None, pad_edge=False)
    for stage, agreements in found.stages().items():
        for i, one in enumerate(agreements):
            table.add_row(stage if i == 0 else "", *_agreement_cells(one))
    return table


def _agreement_cells(one: Agreement) -> tuple[str, str, str, str]:
    mark = "[green]ok[/]" if one.ok else "[red]MISS[/]"
    return one.name, f"{one.difference:.1e}", f"{one.tolerance:.0e}", mark
