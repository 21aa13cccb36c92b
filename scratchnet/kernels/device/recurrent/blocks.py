"""What a recurrent step of the page is run with: gates side by side, products kept for cuBLAS.

A `Blocks` is an array (B, n·H) of n expressions, as wide as a state each.  Elementwise operations
go block by block; ``a @ W`` becomes a `Product`, whose result is symbols; what the way back makes
of a batch, ``x.T @ da`` and ``da.sum(axis=0)``, becomes a `WeightGradient` and a `BiasGradient`, to
be computed for all time steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from scratchnet.kernels.device.tracing.expressions import (
    NAMESPACE,
    Expression,
    Functions,
    Operators,
    UntraceableError,
    expressed,
    symbol,
)


class Blocks(Operators):
    """Expressions side by side."""

    def __init__(self, blocks: Sequence[Expression]) -> None:
        self.blocks = tuple(blocks)

    def same_as(self, other: Blocks) -> bool:
        """Whether these are the other's expressions."""
        return tuple(map(id, self.blocks)) == tuple(map(id, other.blocks))

    @property
    def expression(self) -> Expression:
        """The one there is."""
        if len(self.blocks) != 1:
            raise UntraceableError("gates side by side in the place of one")
        return self.blocks[0]

    @property
    def shape(self) -> tuple[None, int]:
        """Batch and width, as if a state were one wide: slices of weights then count gates."""
        return None, len(self.blocks)

    @property
    def T(self) -> Transposed:  # noqa: N802
        """What ``x.T @ da`` begins with."""
        return Transposed(self)

    def sum(self, axis: int) -> BiasGradient:
        """Return the sum over the batch."""
        return BiasGradient(self)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return BLOCKWISE


class Rows:
    """The input of a step or its gradient, (B, D): only products know what is in it."""

    @property
    def T(self) -> Transposed:  # noqa: N802
        """What ``x.T @ da`` begins with."""
        return Transposed(self)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return BLOCKWISE


class Product(NamedTuple):
    """``left @ matrix``, and the symbols of its result."""

    left: Blocks | Rows
    matrix: Matrix
    names: tuple[str, ...]


class InputGradient(NamedTuple):
    """``da @ Wx.T``: (B, D), which no step waits for."""

    da: Blocks
    matrix: Matrix


class WeightGradient(NamedTuple):
    """``left.T @ da``."""

    left: Blocks | Rows
    da: Blocks


class BiasGradient(NamedTuple):
    """``da.sum(axis=0)``."""

    da: Blocks


class Transposed:
    """The left operand of a weight's gradient."""

    def __init__(self, of: Blocks | Rows) -> None:
        self._of = of

    def __matmul__(self, da: Blocks) -> WeightGradient:
        return WeightGradient(self._of, da)


class Matrix:
    """Weights of gates side by side, or some of them.

    Parameters
    ----------
    products : list of Product
        Where products with it are noted down.
    name : str
        Key of the weights.
    of_input : bool
        Whether its rows are those of the input, D, not of a state.
    gates : range
        The blocks of columns.
    transposed : bool
    """

    __array_ufunc__ = None

    def __init__(
        self,
        products: list[Product],
        name: str,
        of_input: bool,
        gates: range,
        transposed: bool = False,
    ) -> None:
        self._products = products
        self.name, self.of_input, self.gates, self.transposed = name, of_input, gates, transposed

    @property
    def T(self) -> Matrix:  # noqa: N802
        """The way back."""
        return Matrix(self._products, self.name, self.of_input, self.gates, not self.transposed)

    def __getitem__(self, index: tuple[slice, slice]) -> Matrix:
        rows, columns = index
        if rows != slice(None):
            raise UntraceableError("some rows of the weights")
        return Matrix(self._products, self.name, self.of_input, self.gates[columns])

    def __rmatmul__(self, left: Blocks | Rows) -> Blocks | InputGradient:
        if self.transposed and self.of_input:
            assert isinstance(left, Blocks)
            return InputGradient(left, self)
        count = 1 if self.transposed else len(self.gates)
        names = tuple(f"product{len(self._products)}_{k}" for k in range(count))
        self._products.append(Product(left, self, names))
        return Blocks([symbol(name) for name in names])


class _Blockwise(Functions):
    """`Functions` for blocks, each for itself."""

    def __getattr__(self, name: str) -> Callable[..., Blocks]:
        function = getattr(NAMESPACE, name)
        return lambda *arguments: _each(function, arguments)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds, else y."""
        return _each(NAMESPACE.where, (condition, x, y))

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """Return x, no lower and no higher than the bounds."""
        return _each(NAMESPACE.clip, (x, low, high))

    def split(self, blocks: Blocks, count: int, axis: int) -> list[Blocks]:
        """Return the gates that stand side by side."""
        size = len(blocks.blocks) // count
        return [Blocks(blocks.blocks[k * size : (k + 1) * size]) for k in range(count)]

    def concatenate(self, parts: Sequence[Any], axis: int) -> Any:
        """Put gates, or the gradients of their weights, side by side."""
        if all(isinstance(part, Blocks) for part in parts):
            return Blocks([block for part in parts for block in part.blocks])
        return tuple(parts)


BLOCKWISE = _Blockwise()


def _each(function: Callable[..., Expression], arguments: Sequence[Any]) -> Blocks:
    """Apply a function block by block; one block, or a number, serves all."""
    columns = [a.blocks if isinstance(a, Blocks) else (expressed(a),) for a in arguments]
    count = max(map(len, columns))
    if any(len(column) not in (1, count) for column in columns):
        raise UntraceableError("different numbers of gates side by side")
    rows = zip(*(column * (count // len(column)) for column in columns), strict=True)
    return Blocks([function(*row) for row in rows])


def _give_operators() -> None:
    binary = ("add", "sub", "mul", "truediv", "pow", "and", "or")
    compared = ("gt", "ge", "lt", "le", "eq", "ne")
    names = [*binary, *(f"r{name}" for name in binary), *compared]
    for name in (*names, "neg", "abs", "invert"):
        function = getattr(Operators, f"__{name}__")
        setattr(
            Blocks, f"__{name}__", lambda *arguments, f=function: _each(f, arguments)
        )  # a lambda that knows its own function


_give_operators()
