"""The pictures of a comparison, in a light and a dark version."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from keras_impl.parity.compare import Comparison


@dataclass(frozen=True)
class Theme:
    """Colours of one version; the engines' are told apart by the colour-blind too."""

    paper: str
    ink: str
    faint: str
    scratch: str
    keras: str
    limit: str

    def engine(self, name: str) -> str:
        """Return the colour of an engine or of a way to run one."""
        return self.scratch if name == "scratchnet" else self.keras


LIGHT = Theme("#ffffff", "#1f2328", "#d8dee4", "#0072b2", "#d55e00", "#8250df")
DARK = Theme("#0d1117", "#e6edf3", "#30363d", "#56b4e9", "#f0a33a", "#bc8cff")

SMALLEST = 1e-17
"""Where an exact zero is drawn on a logarithmic axis."""


def agreement(found: Comparison, theme: Theme) -> Figure:
    """Draw every compared array's difference below what is allowed."""
    stages = found.stages()
    rows = [one for agreements in stages.values() for one in agreements]
    with _figure(theme, 8, 1.2 + 0.21 * len(rows)) as (figure, axes):
        position, ticks = 0.0, []
        for stage, agreements in stages.items():
            for one in agreements:
                value = max(one.difference, SMALLEST)
                colour = theme.scratch if one.ok else theme.keras
                axes.plot([SMALLEST, value], [position] * 2, color=colour, linewidth=1.2)
                axes.plot(value, position, "o", color=colour, markersize=5)
                axes.plot(one.tolerance, position, "|", color=theme.limit, markersize=11)
                ticks.append((position, one.name))
                position += 1
            axes.text(
                0.995, position - len(agreements) - 0.1, stage, ha="right", va="center",
                color=theme.ink, fontsize=9, style="italic", transform=axes.get_yaxis_transform(),
            )  # fmt: skip
            position += 0.8
        axes.set_xscale("log")
        axes.set_xlim(SMALLEST, 100 * max(max(one.difference, one.tolerance) for one in rows))
        axes.set_yticks(*zip(*ticks, strict=True), fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel("largest difference over largest value   ( | allowed )")
    return figure


def losses(found: Comparison, theme: Theme) -> Figure:
    """Draw both losses, one over the other, and how far apart they are."""
    ours, theirs = (np.asarray(curve) for curve in found.losses.values())
    places = np.arange(1, len(ours) + 1)
    with _figure(theme, 8, 4.4, rows=2, ratios=(2.2, 1)) as (figure, (above, below)):
        above.plot(places, theirs, color=theme.keras, linewidth=5, alpha=0.55, label="Keras")
        above.plot(places, ours, color=theme.scratch, linewidth=1.4, label="scratchnet")
        above.set_ylabel("training loss")
        above.legend(frameon=False, labelcolor=theme.ink)
        above.tick_params(labelbottom=False)
        below.semilogy(places, np.maximum(abs(ours - theirs), SMALLEST), color=theme.limit)
        below.set_ylabel("|difference|")
        below.set_xlabel(found.unit)
    return figure


def speed(found: Comparison, theme: Theme) -> Figure:
    """Draw a bar for each way to run a training step."""
    timings = sorted(found.timings, key=lambda timing: timing.seconds)
    with _figure(theme, 8, 0.8 + 0.42 * len(timings)) as (figure, axes):
        names = [timing.name for timing in timings]
        times = [timing.seconds * 1e3 for timing in timings]
        axes.barh(names, times, color=[theme.engine(name) for name in names], height=0.62)
        for i, timing in enumerate(timings):
            axes.text(
                times[i], i, f"  {times[i]:.3f} ms, {timing.ratio:.2f}×", va="center",
                color=theme.ink, fontsize=9,
            )  # fmt: skip
        axes.set_xlim(0, max(times) * 1.25)
        axes.invert_yaxis()
        axes.set_xlabel("milliseconds a training step   (× Keras's compiled step)")
    return figure


def confusion(found: Comparison, theme: Theme) -> Figure:
    """Draw both confusion matrices."""
    with _figure(theme, 5.6, 2.7, columns=2) as (figure, panels):
        for axes, (engine, scores) in zip(panels, found.scores.items(), strict=True):
            counts = np.asarray(scores.confusion)
            axes.set_title(engine, color=theme.engine(engine), fontsize=11)
            for (i, j), count in np.ndenumerate(counts):
                right = i == j
                axes.add_patch(_square(j, i, theme.engine(engine), 0.75 if right else 0.12))
                axes.text(
                    j, i, str(count), ha="center", va="center", fontsize=15,
                    color=theme.paper if right else theme.ink,
                )  # fmt: skip
            axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), aspect="equal")
            axes.set_xticks([0, 1], ["0", "1"])
            axes.set_yticks([0, 1], ["0", "1"])
            axes.set_xlabel("calculated")
            axes.set_ylabel("expected")
            axes.grid(visible=False)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
    return figure


def pictures(found: Comparison) -> dict[str, Callable[[Comparison, Theme], Figure]]:
    """Return the pictures that this comparison has something for."""
    chosen: dict[str, Callable[[Comparison, Theme], Figure]] = {
        "agreement": agreement,
        "losses": losses,
        "speed": speed,
    }
    if found.scores:
        chosen["confusion"] = confusion
    return chosen


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file."""
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=150, facecolor=figure.get_facecolor())
    return image.getvalue()


def _square(x: float, y: float, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, alpha=alpha)


@contextmanager
def _figure(
    theme: Theme,
    width: float,
    height: float,
    rows: int = 1,
    columns: int = 1,
    ratios: tuple[float, ...] | None = None,
) -> Iterator[tuple[Figure, Any]]:
    """Make a figure in the theme's colours, without pyplot's global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            'the report\'s pictures need matplotlib: pip install "scratchnet[plots]"'
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme.paper)
    axes = figure.subplots(rows, columns, height_ratios=ratios)
    for one in np.ravel(axes):
        _dress(one, theme)
    yield figure, axes


def _dress(axes: Axes, theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.grid(visible=True, color=theme.faint, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.ink, length=3)
    axes.xaxis.label.set_color(theme.ink)
    axes.yaxis.label.set_color(theme.ink)
    for side, spine in axes.spines.items():
        spine.set_color(theme.faint)
        spine.set_visible(side in ("left", "bottom"))
