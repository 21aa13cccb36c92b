"""``scratchnet predict RUN FILE.csv``: what a trained model says of new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scratchnet.cli.problem import Json


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    csv: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="Rows without header; a class column is ignored."),
    ],
    as_json: Json = False,
) -> None:
    """Print the model's outputs for every row of a CSV file, and the class where there is one."""
    from scratchnet import runs, tables
    from scratchnet.cli import console
    from scratchnet.cli.results import show_predictions

    description = runs.read(run)
    columns = description.columns
    model = runs.load_model(run, columns)
    frame = tables.read_csv(csv, columns.features, columns.label, label_required=False)
    outputs = runs.predict(model, columns.inputs(frame))
    rows = [
        dict(zip(columns.outputs, map(float, row), strict=True))
        | (
            {"class": [int(v > columns.cut_off) for v in row]}
            if columns.cut_off is not None
            else {}
        )
        for row in outputs
    ]
    if as_json:
        console.print_json(rows)
        return
    show_predictions(console.results(), rows, columns)
