"""Symbols for functions of the page that look along the last axis: softmax, losses.

Next to what is computed for each element there is what belongs to a row: maxima and sums along it,
labels, weights.  A `Row` knows which it is, as the shape of an array would say::

    x = Row(symbol("x"), WIDE)                  # (…, K)
    log_softmax(x)                              # the page's own function: (…, K)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scratchnet.kernels.device.tracing.expressions import (
    NAMESPACE,
    Expression,
    Functions,
    Operators,
    UntraceableError,
    expressed,
    operation,
    symbol,
)

NUMBER, ONE, COLUMN, WIDE = "()", "(…)", "(…, 1)", "(…, K)"

K = symbol("K", "columns")
"""The length of a row."""
INDEX = symbol("k", "column")
"""Where in its row an element is."""

REDUCTIONS = {"row_max", "row_sum"}
"""Operations from the elements of a row to one number."""


class Row(Operators):
    """An expression, and the shape of the array that it stands for.

    Parameters
    ----------
    expression : Expression
    axes : {NUMBER, ONE, COLUMN, WIDE}
    single : bool
        Whether rows have one element, which the page asks for.
    """

    def __init__(self, expression: Expression, axes: str, single: bool = False) -> None:
        self._expression, self.axes, self.single = expression, axes, single

    @property
    def expression(self) -> Expression:
        """What it stands for."""
        return self._expression

    @property
    def shape(self) -> tuple[Any, ...]:
        """No more than the last length is known, where a row's is the last."""
        if self.axes == WIDE:
            return None, 1 if self.single else Length(K, NUMBER)
        return (None, 1) if self.axes == COLUMN else (None,)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """Return the same: kernels know numbers, and true or false, which are 1 and 0."""
        return self

    def __getitem__(self, index: Any) -> Row:
        if index == (Ellipsis, None) and self.axes in (ONE, NUMBER):
            return Row(self.expression, COLUMN if self.axes == ONE else NUMBER, self.single)
        if index == (Ellipsis, 0) and (self.axes == COLUMN or (self.axes == WIDE and self.single)):
            return Row(_one_of(self), ONE, self.single)
        raise UntraceableError(f"[{index!r}] of an array of shape {self.axes}")

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Row:
        """Return the sum of each row."""
        return _reduced("row_sum", self, axis, keepdims)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Row:
        """Return the largest element of each row."""
        return _reduced("row_max", self, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the mean of each row."""
        return self.sum(axis, keepdims) / self.shape[-1]

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return ROWWISE


class Length(Row):
    """The number of columns, of which there are two or more."""

    __hash__ = Row.__hash__

    def __eq__(self, other: object) -> bool:
        if other == 1:
            return False
        raise UntraceableError("a branch that depends on the number of columns")


def _one_of(row: Row) -> Expression:
    """Return the only element of each row."""
    return operation("row_sum", row.expression) if row.axes == WIDE else row.expression


def _reduced(name: str, x: Row, axis: int | None, keepdims: bool) -> Row:
    if axis != -1 or x.axes != WIDE:
        raise UntraceableError(f"{name} along axis {axis} of an array of shape {x.axes}")
    return Row(operation(name, x.expression), COLUMN if keepdims else ONE, x.single)


class _Rowwise(Functions):
    """`Functions` for rows, and those that look along them."""

    def __getattr__(self, name: str) -> Callable[..., Row]:
        function = getattr(NAMESPACE, name)
        return lambda *arguments, out=None: _each(function, arguments, out)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds, else y."""
        return _each(NAMESPACE.where, (condition, x, y))

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """Return x, no lower and no higher than the bounds."""
        return _each(NAMESPACE.clip, (x, low, high))

    def square(self, x: Any) -> Any:
        """Return x times x."""
        return _each(NAMESPACE.square, (x,))

    def sum(self, x: Row, axis: int | None = None, keepdims: bool = False) -> Row:
        """Return the sum of each row."""
        return x.sum(axis, keepdims)

    def max(self, x: Row, axis: int | None = None, keepdims: bool = False) -> Row:
        """Return the largest element of each row."""
        return x.max(axis, keepdims)

    def mean(self, x: Row, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the mean of each row."""
        return x.mean(axis, keepdims)

    def arange(self, length: Any) -> Row:
        """Return where in its row each element is."""
        if not isinstance(length, Length) and length != 1:
            raise UntraceableError(f"arange({length!r})")
        return Row(INDEX, WIDE, not isinstance(length, Length))

    def ones_like(self, x: Row) -> Row:
        """Return 1 for each element."""
        return Row(expressed(1), x.axes, x.single)

    def zeros_like(self, x: Row) -> Row:
        """Return 0 for each element."""
        return Row(expressed(0), x.axes, x.single)

    def take_along_axis(self, x: Row, indices: Row, axis: int) -> Row:
        """Return the element of each row that its index names; NaN where it names none."""
        if axis != -1 or (x.axes, indices.axes) != (WIDE, COLUMN):
            raise UntraceableError("elements other than one of each row")
        return Row(operation("pick", x.expression, indices.expression), COLUMN, x.single)


ROWWISE = _Rowwise()


def _each(function: Callable[..., Expression], arguments: Sequence[Any], out: Any = None) -> Row:
    """Apply a function element by element to what has the axes for it."""
    if out is not None:
        raise UntraceableError("a function that writes into an array")
    rows = [argument for argument in arguments if isinstance(argument, Row)]
    found = {row.axes for row in rows} - {NUMBER}
    if ONE in found and len(found) > 1:
        raise UntraceableError("a number for each row beside the elements of rows")
    axes = next((axes for axes in (WIDE, COLUMN, ONE) if axes in found), NUMBER)
    return Row(function(*map(expressed, arguments)), axes, any(row.single for row in rows))


def _give_operators() -> None:
    binary = ("add", "sub", "mul", "truediv", "pow", "and", "or")
    compared = ("gt", "ge", "lt", "le", "eq", "ne")
    names = [*binary, *(f"r{name}" for name in binary), *compared, "neg", "abs", "invert"]
    for name in names:
        function = getattr(Operators, f"__{name}__")
        setattr(Row, f"__{name}__", lambda *arguments, f=function: _each(f, arguments))
    Row.__hash__ = Operators.__hash__  # type: ignore[method-assign]


_give_operators()
