"""Why gradients vanish, through time and through depth, and where dL/dh_t comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchnet.backend import Array
from scratchnet.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    blank,
    caption,
    dress,
    title,
)
from scratchnet.stepper.gradient_flow import HiddenGradients, depth_gradients
from scratchnet.stepper.vanishing import (
    DEPTH,
    LONG,
    OPEN,
    SEED,
    SHORT,
    B,
    D,
    H,
    through_time,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"SimpleRNN": ORANGE, "LSTM": BLUE, "GRU": GREEN}
MARKERS = {"SimpleRNN": "o", "LSTM": "s", "GRU": "^"}


def gradients() -> Figure:
    """Draw how gradients vanish through time and depth, and the two parts of dL/dh_t.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure = blank(11.5, 8.0)
    spaces = figure.add_gridspec(2, 6)
    time, depth = figure.add_subplot(spaces[0, :3]), figure.add_subplot(spaces[0, 3:])
    parts = [figure.add_subplot(spaces[1, 2 * i : 2 * i + 2]) for i in range(3)]
    for axes in (time, depth, *parts):
        dress(axes)
    _time_panel(time, through_time(LONG, every_step=False))
    _depth_panel(depth)
    flows = through_time(SHORT, every_step=True)
    highest = max(max(map(np.max, flow.norms().values())) for flow in flows.values())
    for axes, (name, flow) in zip(parts, flows.items(), strict=True):
        _parts_panel(axes, name, flow)
        axes.set_ylim(0, 1.35 * highest)
    parts[0].set_ylabel("norm")
    caption(
        figure,
        f"Layers as they start: {H} units, glorot and orthogonal weights, random inputs of {D} "
        f"features, batch {B}, seed {SEED}; norms over batch and units, from the layers' own "
        "backward steps.\n"
        "A new GRU keeps half of its state at each step (z is near 0.5), a new LSTM 73 % (the bias "
        f"of f is 1); open: + {OPEN:g} on that gate's bias, as training can make it.\n"
        "Above, the loss depends on the last output alone; below, on every output.",
    )
    return figure


def _time_panel(axes: Axes, flows: dict[str, HiddenGradients]) -> None:
    t = np.arange(LONG)
    for name, flow in flows.items():
        kind = name.partition(",")[0]
        axes.semilogy(
            t, flow.norms()["total"], color=COLOURS[kind], linewidth=2, marker=MARKERS[kind],
            markevery=5, markersize=6, linestyle="-" if name == kind else (0, (4, 2)), label=name,
        )  # fmt: skip
    axes.set_xticks(range(0, LONG, 5))
    axes.set_xlabel("time step t")
    axes.set_ylabel("norm of ∂L/∂hₜ")
    axes.legend(frameon=False, fontsize=9)
    title(axes, "Through time", "loss at the last step alone; the same data for all")


def _depth_panel(axes: Axes) -> None:
    layer = np.arange(1, DEPTH + 1)
    for name, colour, marker in (("sigmoid", PURPLE, "o"), ("relu", BLUE, "s")):
        shares: Array = 100 * depth_gradients(name, DEPTH, seed=SEED).shares
        axes.semilogy(layer, shares, marker=marker, color=colour, linewidth=2, label=name)
    axes.set_xticks(layer)
    axes.set_xlabel("layer, 1 is nearest to the input")
    axes.set_ylabel("share of the gradient (%)")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    title(axes, "Through depth", f"{DEPTH} Dense layers from the same weights, sigmoid or relu")


def _parts_panel(axes: Axes, name: str, flow: HiddenGradients) -> None:
    norms, t = flow.norms(), np.arange(SHORT)
    axes.bar(t - 0.2, norms["from_output"], 0.38, color=GREY, label="from this step's output")
    axes.bar(
        t + 0.2, norms["from_later"], 0.38, color=COLOURS[name], label="from step t + 1",
        hatch="///", edgecolor="white", linewidth=0,
    )  # fmt: skip
    axes.plot(
        t,
        norms["total"],
        "_",
        color=INK,
        markersize=17,
        markeredgewidth=2,
        label="norm of their sum",
    )
    axes.set_xticks(t)
    axes.set_xlabel("time step t")
    axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2, handlelength=1.2,
                columnspacing=0.9, handletextpad=0.5)  # fmt: skip
    title(axes, f"Where ∂L/∂hₜ comes from: {name}")
