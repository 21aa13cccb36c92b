"""The report as HTML: a fragment for a notebook, or a page of its own.

A fragment takes ink and paper from the notebook around it, so that it is right in every theme;
where it colours a background it sets the ink on it too.  Jinja escapes everything: names and lines
come from the user's file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.gradcheck.display.terminal import MARKS, details, figure, remarks, sizes
from scratchnet.gradcheck.report import HeatMap, Report
from scratchnet.pages import templates

SCALE = ("#fff5eb", "#fdd0a2", "#fd8d3c", "#d94801", "#7f2704")
"""From a rounding error to an error as large as the gradient; light to dark, one hue."""

LOWEST, HIGHEST = -16, 0
"""The powers of ten at the ends of `SCALE`."""


class Cell(NamedTuple):
    """One step of one gate."""

    text: str
    ink: str
    paper: str


def fragment(report: Report) -> str:
    """Return one report for a notebook."""
    return (
        templates("scratchnet.gradcheck.display")
        .get_template("report.html.j2")
        .render(_report(report))
    )


def document(reports: Sequence[Report], title: str) -> str:
    """Return a page of reports."""
    return (
        templates("scratchnet.gradcheck.display")
        .get_template("page.html.j2")
        .render(title=title, fragments=[fragment(report) for report in reports])
    )


def cells(heat_map: HeatMap) -> list[list[Cell]]:
    """Return the map's values with their colours, a list a gate."""
    return [[_cell(float(value)) for value in row] for row in heat_map.values]


def _report(report: Report) -> dict[str, object]:
    return {
        "report": report,
        "findings": [(finding, details(finding)) for finding in report.findings],
        "remarks": remarks(report),
        "marks": MARKS,
        "figure": figure,
        "sizes": sizes,
        "cells": cells(report.heat_map) if report.heat_map else [],
        "legend": [_cell(10.0**power) for power in range(LOWEST, HIGHEST + 1, 4)],
    }


def _cell(value: float) -> Cell:
    if math.isnan(value):
        return Cell("nan", "#ffffff", "#3d3d3d")
    power = math.log10(max(abs(value), 10.0**LOWEST)) if math.isfinite(value) else HIGHEST
    share = (min(max(power, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
    paper = _mixed(share)
    ink = "#000000" if _luminance(paper) > 0.18 else "#ffffff"  # either has a contrast above 4.5
    said = f"{value:.0e}" if 0 < abs(value) < 1 else f"{value:.1g}"
    return Cell(said, ink, "#" + "".join(f"{channel:02x}" for channel in paper))


def _mixed(share: float) -> list[int]:
    """Return the colour this far along `SCALE`, as red, green and blue."""
    colours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in SCALE]
    place = share * (len(SCALE) - 1)
    i = min(int(place), len(SCALE) - 2)
    return [round(a + (b - a) * (place - i)) for a, b in zip(*colours[i : i + 2], strict=True)]


def _luminance(colour: list[int]) -> float:
    """Relative luminance as WCAG defines it."""
    shares = [channel / 255 for channel in colour]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
