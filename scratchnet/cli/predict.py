"""``scratchnet predict RUN FILE.csv``, or ``--text``: what a trained model says of new data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.refusal import refuse

if TYPE_CHECKING:
    from scratchnet.experiments.readers import Columns, Reviews


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    csv: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.csv", help="Rows without header; a class column is ignored."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="A review in words, for a run that learned reviews."),
    ] = None,
    device: options.Device = None,
    as_json: options.Json = False,
) -> None:
    """Print the model's outputs for every row of a CSV file, or for a review and each its words."""
    from scratchnet import runs
    from scratchnet.experiments.readers import Columns, Reviews

    reader = runs.read(run).reader
    where = options.checked_device(device) or "cpu"
    if isinstance(reader, Columns):
        if text is not None:
            refuse("--text", f"{run} reads tables, not reviews. Leave it out.")
        if csv is None:
            refuse("predict", f"expected a CSV file for {run}, got none. Name one.")
        _predict_rows(run, reader, csv, where, as_json)
    elif isinstance(reader, Reviews):
        if csv is not None:
            refuse(str(csv), f"{run} reads reviews, not tables. Leave it out.")
        if text is None:
            refuse(
                "predict", f'expected --text "a review in words" for {run}, got none. Write one.'
            )
        _predict_review(run, reader, text, where, as_json)
    else:
        refuse(str(run), "expected a run that learned to predict. Use scratchnet generate for it.")


def _predict_rows(run: Path, columns: Columns, csv: Path, device: str, as_json: bool) -> None:
    from scratchnet import runs, tables
    from scratchnet.cli import console
    from scratchnet.cli.results import show_predictions

    model = runs.load_model(run, columns).to(device)
    frame = tables.read_csv(csv, columns.features, columns.label, label_required=False)
    outputs = runs.predict(model, columns.inputs(frame))
    rows: list[dict[str, Any]] = [
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


def _predict_review(run: Path, reviews: Reviews, text: str, device: str, as_json: bool) -> None:
    from scratchnet import runs
    from scratchnet.cli import console
    from scratchnet.cli.results import show_review
    from scratchnet.device import clearly
    from scratchnet.experiments.imdb import explain

    said = clearly(explain)(runs.load_model(run, reviews).to(device), reviews, text)
    if as_json:
        words = [{"word": word, "contribution": value} for word, value in said.words]
        positive = said.probability > reviews.cut_off
        console.print_json({"positive": said.probability, "class": int(positive), "words": words})
        return
    show_review(console.results(), said.probability, said.words, reviews.cut_off)
