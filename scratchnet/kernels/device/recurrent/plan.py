"""What there is to do for a time step of a recurrent layer, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scratchnet.kernels.device.recurrent.blocks import (
    BiasGradient,
    Blocks,
    InputGradient,
    Matrix,
    Product,
    WeightGradient,
)
from scratchnet.kernels.device.tracing.pointwise import PointwiseKernel

Step = Callable[..., tuple[Any, ...]]


class Multiplication(NamedTuple):
    """A product whose left operand has a name by now."""

    left: str
    matrix: Matrix
    names: tuple[str, ...]


class Stage(NamedTuple):
    """Products, then one kernel for what can be computed from them."""

    products: list[Multiplication]
    kernel: PointwiseKernel | None


class WayBack(NamedTuple):
    """What there is to do for one time step back, and for all of them after the last."""

    stages: list[Stage]
    groups: dict[str, Blocks]
    """Gradients of gates that stand side by side, (T, B, n·H), where products start."""
    arriving: list[list[str]]
    """For each state, the results of products that its gradient is a sum of."""
    resting: list[bool]
    """For each state, whether its gradient has a part that is no product."""
    dx: InputGradient
    dweights: list[tuple[WeightGradient, ...] | BiasGradient]

    def name_of(self, da: Blocks) -> str:
        """Return the name of a group."""
        return next(name for name, group in self.groups.items() if group.same_as(da))


class Plan(NamedTuple):
    """What there is to do for one time step, and for all of them at once."""

    before: list[Product]
    """Of the input, for all steps beforehand."""
    forward: list[Stage]
    saved: list[str]
    """Names of what the forward kernels write beside the states."""
    back: WayBack | None


def after(state: int) -> str:
    """Return the symbol of a state after the step."""
    return f"after{state}"


def before(state: int) -> str:
    """Return the symbol of a state before the step."""
    return f"before{state}"


def rest_of(state: int) -> str:
    """Return the symbol of the part of a state's gradient that is no product."""
    return f"rest{state}"
