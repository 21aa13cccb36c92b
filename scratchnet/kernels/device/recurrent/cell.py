"""A step of a recurrent layer, forward and back, divided into kernels and products.

The page's step is run once with `blocks`.  What comes out says everything: which arrays the way
back reads, so that the forward kernel writes those and no others; which products must wait for a
kernel; which can be made for all time steps at once, before the first or after the last.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from scratchnet.kernels.device.recurrent.blocks import BiasGradient, Blocks, Matrix, Product, Rows
from scratchnet.kernels.device.recurrent.plan import Plan, Step, WayBack, after, before
from scratchnet.kernels.device.recurrent.stages import in_stages
from scratchnet.kernels.device.recurrent.way_back import way_back
from scratchnet.kernels.device.tracing.expressions import Expression, operation, symbol


@functools.lru_cache(maxsize=128)
def planned(
    step: Step,
    step_backward: Step,
    settings: tuple[tuple[str, Any], ...],
    kinds: tuple[tuple[str, int], ...],
    states: int,
    masked: bool,
    dy_at_each_step: bool,
    training: bool,
) -> Plan:
    """Return the plan of a step.

    Parameters
    ----------
    step : function
        ``step(x, *states, *weights, **settings) -> (*states, cache)``
    step_backward : function
        ``step_backward(*dstates, cache) -> (dx, *dstates, *dweights)``
    kinds : tuple of (str, int)
        For each weight array its name and how many gates stand in it side by side; 0 gates, less
        their number, for a bias.
    masked : bool
        Whether a symbol ``live`` says which rows take the step.
    dy_at_each_step : bool
        Whether every step has an upstream gradient of its own, ``dy``.
    training : bool
        Whether there is a way back, for which arrays are saved.

    Raises
    ------
    UntraceableError
        If the step does what no kernel with one thread for each element can do.
    """
    products: list[Product] = []
    weights = [_weight(products, name, gates) for name, gates in kinds]
    given = [Blocks([symbol(before(k))]) for k in range(states)]
    *new, cache = step(Rows(), *given, *weights, **dict(settings))
    forward = list(products)
    saved = _Saved([state.expression for state in new], states)
    back = None
    if training:
        back = way_back(step_backward, saved.kept(cache), products, states, masked, dy_at_each_step)
    outputs = {
        name: e for name, e in saved.named() if back is not None and name in _names_read(back)
    }
    within = [product for product in forward if isinstance(product.left, Blocks)]
    for e in (product.left.expression for product in within if isinstance(product.left, Blocks)):
        if e.operation != "symbol":
            outputs[saved.name_of(e)] = e
    extra = list(outputs)
    for k, state in enumerate(new):
        outputs[after(k)] = state.expression
        if masked:
            taken = (symbol("live", "bool"), state.expression, symbol(before(k)))
            outputs[after(k)] = operation("where", *taken)
    before_all = [product for product in forward if isinstance(product.left, Rows)]
    return Plan(before_all, in_stages(step.__name__, within, outputs, {}), extra, back)


def _weight(products: list[Product], name: str, gates: int) -> Matrix | Blocks:
    if gates > 0:
        return Matrix(products, name, name == "kernel", range(gates))
    return Blocks([symbol(f"{name}_{k}") for k in range(-gates)])


class _Saved:
    """What the forward step computes and the way back reads, under names of its own."""

    def __init__(self, new: Sequence[Expression], states: int) -> None:
        self._symbols = {id(symbol(before(k))): symbol(before(k)) for k in range(states)}
        self._symbols |= {id(e): symbol(after(k)) for k, e in enumerate(new)}
        self._own: dict[str, Expression] = {}

    def kept(self, cache: Any) -> Any:
        """Return the step's cache with symbols in the place of what it computed."""
        if isinstance(cache, tuple) and type(cache) is tuple:
            return tuple(map(self.kept, cache))
        if isinstance(cache, Blocks):
            return Blocks([self._symbol(e) for e in cache.blocks])
        return cache

    def _symbol(self, e: Expression) -> Expression:
        if e.operation == "number":
            return e
        if id(e) not in self._symbols:
            name = f"saved{len(self._own)}"
            self._own[name] = e
            self._symbols[id(e)] = symbol(name)
        return self._symbols[id(e)]

    def name_of(self, e: Expression) -> str:
        """Return the name under which an expression is saved, from now on if not before."""
        return str(self._symbol(e).value[0])

    def named(self) -> Iterable[tuple[str, Expression]]:
        """Return what was computed by name."""
        return self._own.items()


def _names_read(back: WayBack) -> set[str]:
    """Return the symbols that the way back reads."""
    kernels = [stage.kernel for stage in back.stages if stage.kernel is not None]
    read = {name for kernel in kernels for name in kernel.inputs}
    for dweight in back.dweights:
        if not isinstance(dweight, BiasGradient):
            lefts = [gradient.left for gradient in dweight]
            read |= {left.expression.value[0] for left in lefts if isinstance(left, Blocks)}
    return read
