"""Every elementwise activation with its derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations import activations as functions
from scratchnet.errors import InputError
from scratchnet.figures.style import BLUE, FAINT, ORANGE, grid, legend, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "heaviside": "Heaviside step",
    "sparse_sigmoid": "Sparse sigmoid",
    "hard_sigmoid": "Hard sigmoid",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hard_tanh": "Hard tanh",
    "softsign": "Softsign",
    "linear": "Linear",
    "relu": "ReLU",
    "relu6": "ReLU 6",
    "leaky_relu": "Leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "softplus": "Softplus",
    "squareplus": "Squareplus",
    "sparse_plus": "Sparse plus",
    "gelu": "GELU",
    "silu": "SiLU, or swish",
    "mish": "Mish",
    "hard_silu": "Hard SiLU, or hard swish",
    "hard_shrink": "Hard shrink",
    "soft_shrink": "Soft shrink",
    "tanh_shrink": "Tanh shrink",
    "exponential": "Exponential",
    "log_sigmoid": "Log sigmoid",
}
"""Every elementwise activation, in the order in which they are drawn: kin beside kin."""

X_LIMITS = (-7.0, 7.0)
BOUNDED, UNBOUNDED = (-1.3, 1.3), (-3.2, 7.2)
"""The two vertical scales, so that panels can be compared: for |y| ≤ 1, and for the others."""
JUMP = 0.1
"""A change over one grid step of 0.01 that only a kink or a step makes, where it can be seen."""


def activations(names: Sequence[str] | None = None) -> Figure:
    """Draw activations, each with its derivative.

    Parameters
    ----------
    names
        Which, by Keras's names; all elementwise ones by default.

    Raises
    ------
    InputError
        If a name is not an elementwise activation.
    MissingExtraError
        Without matplotlib.
    """
    names = list(TITLES) if names is None else list(names)
    if not names:
        raise InputError("activations: expected at least one name, got none. None draws all")
    for name in names:
        if name not in TITLES:
            raise InputError(
                f"activations: expected names of elementwise activations, got {name!r}. "
                f"One of {', '.join(TITLES)}"
            )
    figure, panels = grid(len(names), columns=5, width=2.35, height=2.2)
    x = np.linspace(*X_LIMITS, 1401)
    for axes, name in zip(panels, names, strict=True):
        y = getattr(functions, name)(x)
        slope = getattr(functions, f"{name}_backward")(np.ones_like(x), x, y)
        axes.set_ylim(*(BOUNDED if np.abs(y).max() <= 1 else UNBOUNDED))
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
        _curve(axes, x, y, BLUE, linewidth=2.6, label="function")
        _curve(axes, x, slope, ORANGE, linewidth=1.2, label="its derivative")
        axes.set_xlim(*X_LIMITS)
        axes.set_xticks([-6, -3, 0, 3, 6])
        axes.set_yticks([-1, 0, 1] if axes.get_ylim() == BOUNDED else [-3, 0, 3, 6])
        title(axes, TITLES[name], "not in Keras" if name == "heaviside" else f'"{name}"')
    legend(figure, panels[0])
    return figure


def _curve(axes: Axes, x: Array, y: Array, colour: str, linewidth: float, label: str) -> None:
    """Draw a curve, broken where it jumps, with a dot at each end of the gap."""
    low, high = axes.get_ylim()
    seen = (y > low) & (y < high)
    jumps = np.flatnonzero((np.abs(np.diff(y)) > JUMP) & seen[:-1] & seen[1:])
    broken = np.insert(y, jumps + 1, np.nan)
    axes.plot(np.insert(x, jumps + 1, np.nan), broken, color=colour, lw=linewidth, label=label)
    ends = np.union1d(jumps, jumps + 1)
    axes.plot(x[ends], y[ends], "o", color=colour, markersize=linewidth + 1.8)
