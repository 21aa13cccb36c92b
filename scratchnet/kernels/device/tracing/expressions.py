"""Symbols that the page's functions can be run with, in the place of arrays.

What they do to them is kept as expressions::

    x = symbol("x")
    y = sigmoid(x)              # the page's own function
    str(y)                      # 'where(x >= 0, 1, exp(-abs(x))) / (1 + exp(-abs(x)))', as nodes

Equal expressions are one object, so that what is needed twice is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

BOOLEAN = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"} | {
    *("logical_and", "logical_or", "logical_not", "isfinite"),
}
"""Operations whose results are true or false."""

UNARY = {
    *("exp", "expm1", "log", "log1p", "sqrt", "tanh", "abs", "negative", "sign", "erfc"),
    *("isfinite", "logical_not"),
}
BINARY = {
    *("add", "subtract", "multiply", "divide", "power", "maximum", "minimum"),
    *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
    *("logical_and", "logical_or"),
}


class UntraceableError(Exception):
    """A function does with its arguments what cannot be written as one kernel."""


class Operators:
    """Arithmetic on whatever has an ``expression``."""

    __array_ufunc__ = None
    __array_priority__ = 1000
    __hash__ = object.__hash__

    @property
    def expression(self) -> Expression:
        """What it stands for now."""
        raise NotImplementedError

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return NAMESPACE

    def __bool__(self) -> bool:
        raise UntraceableError("a branch that depends on an element's value")

    def astype(self, dtype: Any, copy: bool = True) -> Expression:
        """Return the same: kernels know numbers, and true or false, which are 1 and 0."""
        return self.expression

    @property
    def dtype(self) -> str:
        """A word that only ``astype`` looks at."""
        return "T"


class Expression(Operators):
    """An operation on other expressions, a symbol, or a number.

    Attributes
    ----------
    among_numbers : bool
        Whether it is an operation on symbols of kind float64, and no array has a part in it.
    """

    def __init__(self, operation: str, arguments: tuple[Expression, ...], value: Any) -> None:
        self.operation, self.arguments, self.value = operation, arguments, value
        self.among_numbers = any(a.is_number for a in arguments) and all(
            a.is_number or a.operation == "number" for a in arguments
        )

    @property
    def expression(self) -> Expression:
        """Itself."""
        return self

    @property
    def boolean(self) -> bool:
        """Whether it is true or false."""
        return self.operation in BOOLEAN or (self.operation == "symbol" and self.value[1] == "bool")

    @property
    def is_number(self) -> bool:
        """Whether it is a double, which is cast where it meets an array, as in NumPy."""
        if self.operation == "symbol":
            return bool(self.value[1] == "float64")
        return self.among_numbers and not self.boolean

    def __repr__(self) -> str:
        if self.operation == "symbol":
            return str(self.value[0])
        if self.operation == "number":
            return repr(self.value)
        return f"{self.operation}({', '.join(map(repr, self.arguments))})"


class Place(Operators):
    """An array that is written in place: its expression is the latest."""

    def __init__(self, expression: Expression) -> None:
        self._expression = expression

    @property
    def expression(self) -> Expression:
        """What was written last."""
        return self._expression

    def __setitem__(self, index: Any, value: Any) -> None:
        if index is not Ellipsis and index != slice(None):
            raise UntraceableError("writing into a part of an array")
        self._expression = expressed(value)


_known: WeakValueDictionary[Any, Expression] = WeakValueDictionary()


def _made(operation: str, arguments: tuple[Expression, ...], value: Any = None) -> Expression:
    key = (operation, tuple(map(id, arguments)), value, type(value))
    found = _known.get(key)
    if found is None:
        found = _known[key] = Expression(operation, arguments, value)
    return found


def symbol(name: str, kind: str = "T") -> Expression:
    """Return what stands for an argument; ``kind`` is its type in a kernel, T the arrays'."""
    return _made("symbol", (), (name, kind))


def expressed(value: Any) -> Expression:
    """Return the expression of a symbol or a Python number."""
    if isinstance(value, Operators):
        return value.expression
    if isinstance(value, bool | int | float):
        return _made("number", (), float(value))
    raise UntraceableError(f"{type(value).__name__} in the place of an array or a number")


def operation(name: str, *arguments: Any) -> Expression:
    """Return ``name`` applied to expressions and numbers."""
    nodes = tuple(map(expressed, arguments))
    if name == "multiply" and any(_is_number(node, 1.0) for node in nodes):
        return nodes[_is_number(nodes[0], 1.0)]
    return _made(name, nodes)


def _is_number(node: Expression, number: float) -> bool:
    return node.operation == "number" and node.value == number


def everything_in(outputs: Iterable[Expression], given: Iterable[int] = ()) -> Iterator[Expression]:
    """Yield what the outputs are made of, operands first, down to the identities ``given``."""
    done = set(given)
    stack: list[tuple[Expression, bool]] = [(node, False) for node in reversed(list(outputs))]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            yield node
        else:
            stack.append((node, True))
            stack.extend((argument, False) for argument in reversed(node.arguments))


def substituted(e: Expression, replacements: Mapping[int, Expression]) -> Expression:
    """Return an expression with others in the place of those of these identities."""
    made: dict[int, Expression] = dict(replacements)
    for node in everything_in([e], given=replacements):
        arguments = tuple(made[id(argument)] for argument in node.arguments)
        made[id(node)] = _made(node.operation, arguments, node.value) if arguments else node
    return made[id(e)]


class Functions:
    """The functions of an array module, for symbols: each returns an expression."""

    pi = math.pi

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in UNARY | BINARY:
            raise UntraceableError(f"the function {name}")

        def apply(*arguments: Any, out: Any = None) -> Any:
            result = operation(name, *arguments)
            if out is None:
                return result
            out[...] = result
            return out

        return apply

    def where(self, condition: Any, x: Any, y: Any) -> Expression:
        """Return x where the condition holds, else y."""
        return operation("where", condition, x, y)

    def clip(self, x: Any, low: Any, high: Any) -> Expression:
        """Return x, no lower and no higher than the bounds."""
        return operation("minimum", operation("maximum", x, low), high)

    def square(self, x: Any) -> Expression:
        """Return x times x."""
        return operation("multiply", x, x)

    @property
    def special(self) -> Functions:
        """Where the array API's extensions keep erfc."""
        return self


NAMESPACE = Functions()


def _give_operators() -> None:
    binary = {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
        "and": "logical_and", "or": "logical_or",
    }  # fmt: skip

    def plain(name: str) -> Callable[[Any, Any], Expression]:
        return lambda a, b: operation(name, a, b)

    def reflected(name: str) -> Callable[[Any, Any], Expression]:
        return lambda a, b: operation(name, b, a)

    def in_place(name: str) -> Callable[[Any, Any], Any]:
        def write(self: Place, other: Any) -> Place:
            self[...] = operation(name, self, other)
            return self

        return write

    for python, name in binary.items():
        setattr(Operators, f"__{python}__", plain(name))
        setattr(Operators, f"__r{python}__", reflected(name))
        setattr(Place, f"__i{python}__", in_place(name))
    comparisons = {
        "gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal", "eq": "equal",
        "ne": "not_equal",
    }  # fmt: skip
    for python, name in comparisons.items():
        setattr(Operators, f"__{python}__", plain(name))
    for python, name in {"neg": "negative", "abs": "abs", "invert": "logical_not"}.items():
        setattr(Operators, f"__{python}__", lambda a, name=name: operation(name, a))


_give_operators()
