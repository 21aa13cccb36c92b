"""Arithmetic on StrictArrays: ``+``, ``-``, … , their reflections and their in-place forms."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tests.strict_array.array import StrictArray, call, refuse_name, unwrap
from tests.strict_array.memory import arrays_in
from tests.strict_array.performing import compute


def _operator(name: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operate(a: Any, b: Any) -> Any:
        refuse_lists(name, (a, b))
        refuse_name(name, ())
        return call(name, function, (a, b), {})

    return operate


def refuse_lists(name: str, args: Sequence[Any]) -> None:
    for value in args:
        if isinstance(value, list | tuple | str):
            raise TypeError(f"cupy's {name} takes arrays and numbers, not {value!r}")


def _in_place(name: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operate(self: StrictArray, other: Any) -> StrictArray:
        refuse_lists(name, (other,))
        refuse_name(name, ())
        given = unwrap(other)
        reads = [self._array, *arrays_in([given])]
        compute(f"i{name}", function, (self._array, given), {}, reads, [self._array])
        return self

    return operate


def _give_operators() -> None:
    binary = (
        *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "divmod"),
        *("and", "or", "xor", "lshift", "rshift"),
    )
    for name in binary:
        function = divmod if name == "divmod" else getattr(operator, f"__{name}__")
        operate = _operator(name, function)
        setattr(StrictArray, f"__{name}__", operate)
        setattr(StrictArray, f"__r{name}__", lambda a, b, f=operate: f(b, a))
        if name != "divmod":
            in_place = _in_place(name, getattr(operator, f"__i{name}__"))
            setattr(StrictArray, f"__i{name}__", in_place)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(StrictArray, f"__{name}__", _operator(name, getattr(operator, name)))
    for name in ("neg", "pos", "abs", "invert"):
        function = getattr(operator, f"__{name}__")
        setattr(StrictArray, f"__{name}__", lambda a, n=name, f=function: call(n, f, (a,), {}))


_give_operators()
