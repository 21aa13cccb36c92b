"""The pictures every introduction needs, drawn from the real functions.

Each function returns a `matplotlib.figure.Figure`; ``figure.savefig("name.png")`` writes it.
Matplotlib is imported inside, and only its figure objects are used: nothing here touches pyplot's
state or opens a window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.backend import Array, to_host
from scratchnet.equations import activations as functions
from scratchnet.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
"""Told apart by the colour-blind too (Okabe & Ito 2008)."""
INK, GREY, FAINT = "#1f2328", "#6e7781", "#d8dee4"

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
    figure, panels = _grid(len(names), columns=5, width=2.35, height=2.2)
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
        _title(axes, TITLES[name], "not in Keras" if name == "heaviside" else f'"{name}"')
    _legend(figure, panels[0])
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


def perceptron(boundaries: Sequence[tuple[Array, float]], X: Array, y: Array) -> Figure:
    r"""Draw how a perceptron's decision boundary moved while it learned.

    Parameters
    ----------
    boundaries
        :math:`(w, b)` in the order of learning, as `Perceptron.boundaries` keeps them.
    X
        The examples, shape (B, 2).
    y
        Their classes, 0 or 1, shape (B,).

    Raises
    ------
    InputError
        If the examples do not have two features, or there is no boundary.
    MissingExtraError
        Without matplotlib.
    """
    X, y = to_host(X), to_host(y)
    if X.ndim != 2 or X.shape[1] != 2:
        raise InputError(
            f"perceptron: expected X of shape (examples, 2), got {X.shape}. "
            "Only two features can be drawn"
        )
    if not boundaries:
        raise InputError("perceptron: expected at least one boundary, got none. Call fit first")
    figure, (axes,) = _grid(1, columns=1, width=5.6, height=5.0)
    margin = 0.35 * max(*np.ptp(X, axis=0), 1e-6)
    axes.set_xlim(X[:, 0].min() - margin, X[:, 0].max() + margin)
    axes.set_ylim(X[:, 1].min() - margin, X[:, 1].max() + margin)
    axes.set_aspect("equal")
    axes.grid(False)
    lines = [(to_host(w), float(b)) for w, b in boundaries]
    _sides(axes, *lines[-1])
    for i, (w, b) in enumerate(lines[1:-1], start=1):
        age = i / len(lines)
        _line(axes, w, b, color=GREY, linewidth=0.9, alpha=0.25 + 0.55 * age**2)
    if len(lines) > 1:
        _line(axes, *lines[0], color=GREY, linewidth=1.4, linestyle=":", label="at the start")
    if len(lines) > 2:
        axes.plot([], [], color=GREY, linewidth=0.9, label="after each correction")
    _line(axes, *lines[-1], color=INK, linewidth=2.2, label="at the end")
    for label, colour, marker in ((0, ORANGE, "o"), (1, BLUE, "s")):
        of_class = X[y == label]
        axes.plot(
            *of_class.T, marker, color=colour, markersize=9, markeredgecolor="white",
            label=f"class {label}", zorder=3,
        )  # fmt: skip
    axes.set_xlabel("x₁")
    axes.set_ylabel("x₂")
    w, b = lines[-1]
    wrong = int(((X @ w + b >= 0) != y).sum())
    verdict = (
        "every example on its side" if wrong == 0 else f"{wrong} of {len(X)} on the wrong side"
    )
    changes = len(lines) - 1
    _title(axes, "Perceptron", f"{changes} correction{'s' * (changes != 1)}, {verdict}")
    _legend(figure, axes)
    return figure


def _line(axes: Axes, w: Array, b: float, **style: Any) -> None:
    """Draw the line w·x + b = 0; weights of zero have none."""
    if np.any(w):
        foot = -b * w / (w @ w)  # the point of the line nearest to the origin
        axes.axline(tuple(foot), tuple(foot + np.array([-w[1], w[0]])), **style)


def _sides(axes: Axes, w: Array, b: float) -> None:
    """Tint the two sides of the last boundary in the colours of the classes."""
    horizontal, vertical = (
        np.linspace(*limits, 400) for limits in (axes.get_xlim(), axes.get_ylim())
    )
    z = w[0] * horizontal + w[1] * vertical[:, np.newaxis] + b
    axes.contourf(
        horizontal, vertical, z >= 0, levels=[-0.5, 0.5, 1.5], colors=[ORANGE, BLUE], alpha=0.1
    )


def histograms_by_class(frame: pd.DataFrame, label: str, grades: range = range(1, 11)) -> Figure:
    """Draw a histogram of each feature, the classes one over the other.

    The heights are shares of the class, so that classes of different size can be compared; missing
    values are left out and counted in the panel's title, as are those outside the grades.

    Parameters
    ----------
    frame
        One column a feature, whole numbers, and the class column.
    label
        Name of the class column.
    grades
        The whole numbers that have a bar, without gaps.

    Raises
    ------
    InputError
        If there is no such column, no feature or no row.
    MissingExtraError
        Without matplotlib.
    """
    if label not in frame.columns:
        raise InputError(
            f"histograms_by_class: expected label to be one of {', '.join(map(str, frame.columns))}"
            f", got {label!r}"
        )
    features = frame.drop(columns=label)
    if features.empty:
        raise InputError("histograms_by_class: expected rows and features, got an empty table")
    figure, panels = _grid(features.shape[1], columns=3, width=3.1, height=2.3)
    bins = [grade - 0.5 for grade in (*grades, grades.stop)]
    classes = sorted(frame[label].unique())
    for axes, name in zip(panels, features.columns, strict=True):
        for value, colour in zip(classes, (BLUE, ORANGE, GREEN, PURPLE), strict=False):
            of_class = features.loc[frame[label] == value, name].dropna().to_numpy()
            shares = 100 * np.histogram(of_class, bins)[0] / max(len(of_class), 1)
            axes.stairs(
                shares, bins, fill=True, facecolor=(colour, 0.35), edgecolor=colour, linewidth=1.4,
                label=f"{label} = {value} ({_rows(int((frame[label] == value).sum()))})",
            )  # fmt: skip
        missing = int(features[name].isna().sum())
        outside = int(((features[name] < bins[0]) | (features[name] > bins[-1])).sum())
        counts = {"missing": missing, f"outside {grades[0]}–{grades[-1]}": outside}
        remark = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        _title(axes, str(name).replace("_", " ") + (f" ({remark})" if remark else ""))
        axes.set_xlim(bins[0] - 0.1, bins[-1] + 0.1)
        _whole_ticks(axes)
        axes.set_ylim(0, 100)
        axes.set_yticks([0, 25, 50, 75, 100])
    figure.supylabel("share of the class (%)", color=GREY, fontsize=9)
    _legend(figure, panels[0])
    return figure


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def training_curves(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss of each epoch, one curve a label; coinciding curves both stay visible.

    Raises
    ------
    InputError
        If there is no curve, or a curve has no epoch.
    MissingExtraError
        Without matplotlib.
    """
    if not curves or not all(len(losses) for losses in curves.values()):
        raise InputError(
            "training_curves: expected at least one label with at least one epoch, got "
            f"{ {label: len(losses) for label, losses in curves.items()} }"
        )
    figure, (axes,) = _grid(1, columns=1, width=6.4, height=3.8)
    for i, (label, losses) in enumerate(curves.items()):
        axes.plot(
            range(1, len(losses) + 1), losses, label=label,
            color=(BLUE, ORANGE, GREEN, PURPLE)[i % 4],
            linestyle=("-", (0, (4, 3)), (0, (1, 1.5)))[i % 3],
            linewidth=max(4 - 2.2 * i, 1.4),
            marker="o" if len(losses) == 1 else None,
        )  # fmt: skip
    _whole_ticks(axes)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    _legend(figure, axes)
    return figure


def _grid(panels: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with that many panels in rows, sizes in inches a panel."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            'drawing needs matplotlib: pip install "scratchnet[plots]"'
        ) from None
    columns = min(columns, panels)
    rows = math.ceil(panels / columns)
    figure = Figure((columns * width, rows * height + 0.4), dpi=150, layout="constrained")
    found = [figure.add_subplot(rows, columns, i + 1) for i in range(panels)]
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=GREY, labelsize=8, length=3)
        axes.xaxis.label.set_color(GREY)
        axes.yaxis.label.set_color(GREY)
    return figure, found


def _whole_ticks(axes: Axes) -> None:
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)


def _title(axes: Axes, title: str, remark: str = "") -> None:
    """Write a bold title and, in grey below it, a remark."""
    axes.set_title(
        title, loc="left", fontsize=10, color=INK, fontweight="bold", pad=17 if remark else 6
    )
    axes.annotate(
        remark, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=8, color=GREY,
    )  # fmt: skip


def _legend(figure: Figure, axes: Axes) -> None:
    """Say once, above everything, what the curves of this panel are in all panels."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, fontsize=9)
