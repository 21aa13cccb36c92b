"""A recurrent layer's step back, divided into kernels and products."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from scratchnet.kernels.device.recurrent.blocks import (
    BiasGradient,
    Blocks,
    InputGradient,
    Product,
    WeightGradient,
)
from scratchnet.kernels.device.recurrent.plan import Step, WayBack, rest_of
from scratchnet.kernels.device.recurrent.stages import in_stages
from scratchnet.kernels.device.tracing.expressions import Expression, expressed, operation, symbol


def way_back(
    step_backward: Step,
    cache: Any,
    products: list[Product],
    states: int,
    masked: bool,
    dy_at_each_step: bool,
) -> WayBack:
    """Return what a step back takes, of a cache with symbols in it; see `cell.planned`.

    The gradient of a state is the sum of what arrives from the step after: results of products and
    a rest.  Which of them there are, the step run with one symbol for the gradient shows; then it
    is run with the sum.
    """

    def taken(dstates: Sequence[Expression]) -> tuple[InputGradient, list[Expression], list[Any]]:
        products.clear()
        dx, *others = step_backward(*(Blocks([d]) for d in dstates), cache)
        return dx, [d.expression for d in others[:states]], others[states:]

    _, probed, _ = taken([symbol(f"d{k}") for k in range(states)])
    arriving = [_products_in_sum(d, products) for d in probed]
    resting = [
        masked or not names or _rest(d, names) is not None
        for d, names in zip(probed, arriving, strict=True)
    ]
    totals = [
        _arrived(k, arriving[k], resting[k], dy_at_each_step and k == 0) for k in range(states)
    ]
    live = symbol("live", "bool")
    given = [operation("where", live, total, 0.0) for total in totals] if masked else totals
    dx, dstates, dweights = taken(given)
    parts = [(g,) if isinstance(g, WeightGradient) else g for g in dweights]
    groups = _groups(products, dx, parts)
    outputs = {f"{name}_{k}": e for name, da in groups.items() for k, e in enumerate(da.blocks)}
    for k in range(states):
        if resting[k]:
            own = _rest(dstates[k], arriving[k])
            held = operation("where", live, 0.0, totals[k]) if masked else None
            outputs[rest_of(k)] = _sum([e for e in (own, held) if e is not None])
    stages = in_stages(step_backward.__name__, products, outputs, groups)
    return WayBack(stages, groups, arriving, resting, dx, parts)


def _arrived(state: int, products: Sequence[str], rests: bool, has_dy: bool) -> Expression:
    """Return a state's gradient, of what arrives from the step after and from above."""
    addends = [symbol(f"arrived_{name}") for name in products]
    addends += [symbol(f"arrived_{rest_of(state)}")] * rests
    return _sum(addends + [symbol("dy")] * has_dy)


def _groups(
    products: Iterable[Product],
    dx: InputGradient,
    dweights: Iterable[tuple[WeightGradient, ...] | BiasGradient],
) -> dict[str, Blocks]:
    """Return, by name, the gradients of gates that products and sums start from."""
    wanted = [product.left for product in products] + [dx.da]
    for dweight in dweights:
        wanted += [dweight.da] if isinstance(dweight, BiasGradient) else [g.da for g in dweight]
    groups: dict[str, Blocks] = {}
    for da in wanted:
        assert isinstance(da, Blocks)
        if not any(da.same_as(other) for other in groups.values()):
            groups[f"da{len(groups)}"] = da
    return groups


def _terms(e: Expression) -> list[Expression]:
    if e.operation == "add":
        return [term for argument in e.arguments for term in _terms(argument)]
    return [e]


def _products_in_sum(e: Expression, products: Sequence[Product]) -> list[str]:
    """Return which of a sum's terms are results of products."""
    results = {name for product in products for name in product.names}
    terms = [term.value[0] for term in _terms(e) if term.operation == "symbol"]
    return [name for name in terms if name in results]


def _rest(e: Expression, products: Sequence[str]) -> Expression | None:
    """Return the sum of the terms that are no results of products."""
    rest = [t for t in _terms(e) if not (t.operation == "symbol" and t.value[0] in products)]
    return _sum(rest) if rest else None


def _sum(terms: Sequence[Expression]) -> Expression:
    if not terms:
        return expressed(0.0)
    return functools.reduce(lambda a, b: operation("add", a, b), terms)
