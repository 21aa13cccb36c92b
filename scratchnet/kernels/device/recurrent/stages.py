"""Kernels and products of a time step in an order in which each finds what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scratchnet.kernels.device.recurrent.blocks import Blocks, Product
from scratchnet.kernels.device.recurrent.plan import Multiplication, Stage
from scratchnet.kernels.device.tracing.expressions import (
    Expression,
    everything_in,
    substituted,
    symbol,
)
from scratchnet.kernels.device.tracing.pointwise import PointwiseKernel


def in_stages(
    name: str,
    products: Sequence[Product],
    outputs: Mapping[str, Expression],
    groups: Mapping[str, Blocks],
) -> list[Stage]:
    """Divide what there is to compute into kernels, each after the products that it reads.

    What an earlier kernel has written, a later one reads.
    """
    levels: dict[str, int] = {}

    def level(e: Expression) -> int:
        symbols = (node.value[0] for node in everything_in([e]) if node.operation == "symbol")
        return max((levels.get(symbol, 0) for symbol in symbols), default=0)

    of_product: list[int] = []
    for product in products:
        assert isinstance(product.left, Blocks)
        waits = any(e.operation != "symbol" for e in product.left.blocks)
        of_product.append(waits + max(map(level, product.left.blocks)))
        levels |= dict.fromkeys(product.names, of_product[-1])
    of_output = {key: level(e) for key, e in outputs.items()}
    stages = []
    for number in range(max([*of_product, *of_output.values()]) + 1):
        written = {id(outputs[key]): symbol(key) for key, at in of_output.items() if at < number}
        own = {
            key: substituted(outputs[key], written) for key, at in of_output.items() if at == number
        }
        ready = [
            Multiplication(_left_of(product, written, groups), product.matrix, product.names)
            for product, at in zip(products, of_product, strict=True)
            if at == number
        ]
        kernel = PointwiseKernel(f"{name}_{number}" if number else name, own) if own else None
        stages.append(Stage(ready, kernel))
    return stages


def _left_of(
    product: Product, written: Mapping[int, Expression], groups: Mapping[str, Blocks]
) -> str:
    """Return the name of what a product starts from."""
    assert isinstance(product.left, Blocks)
    for name, group in groups.items():
        if group.same_as(product.left):
            return name
    return str(substituted(product.left.expression, written).value[0])
