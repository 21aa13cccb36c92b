"""Expressions as CUDA C: the body of a kernel, one line for each operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from scratchnet.kernels.device.tracing.expressions import Expression, everything_in

OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "greater": ">",
    "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!=",
    "logical_and": "&&", "logical_or": "||",
}  # fmt: skip
FUNCTIONS = {"exp", "expm1", "log", "log1p", "sqrt", "tanh", "erfc", "isfinite"}
FORMS: dict[str, Callable[..., str]] = {
    "abs": lambda a: f"fabs({a})",
    "negative": lambda a: f"-{a}",
    "logical_not": lambda a: f"!{a}",
    "maximum": lambda a, b: f"({a} > {b} || {a} != {a}) ? {a} : {b}",  # NaN stays, as in NumPy
    "minimum": lambda a, b: f"({a} < {b} || {a} != {a}) ? {a} : {b}",
    "sign": lambda a: f"{a} != {a} ? {a} : T(({a} > 0) - ({a} < 0))",
    "power": lambda a, b: f"pow({a}, {b})",
    "where": lambda c, a, b: f"{c} ? {a} : {b}",
}


def body(outputs: Mapping[str, Expression]) -> str:
    """Return the statements that write ``outputs`` from the symbols they are made of.

    Every operand is read before anything is written: an output may be an input's own array.
    """
    names: dict[int, str] = {}
    lines = statements(everything_in(outputs.values()), names)
    lines += [f"{name} = {names[id(node)]};" for name, node in outputs.items()]
    return "\n".join(lines)


def statements(nodes: Iterable[Expression], names: dict[int, str]) -> list[str]:
    """Return a line for each node, whose operands have names, and name it."""
    lines = []
    for node in nodes:
        if node.operation == "number":
            names[id(node)] = _number(node.value)
            continue
        name = f"v{len(names)}"
        kind = "bool" if node.boolean else "double" if node.is_number else "T"
        lines.append(f"const {kind} {name} = {_statement(node, names)};")
        names[id(node)] = name
    return lines


def _statement(node: Expression, names: Mapping[int, str]) -> str:
    if node.operation == "symbol":
        name, kind = node.value
        return str(name) if node.is_number or kind in ("T", "bool") else f"T({name})"
    operands = [_operand(node, argument, names) for argument in node.arguments]
    if node.operation == "power" and node.arguments[1].value == 2:
        return f"{operands[0]} * {operands[0]}"
    if node.operation in OPERATORS:
        return f" {OPERATORS[node.operation]} ".join(operands)
    if node.operation in FUNCTIONS:
        return f"{node.operation}({operands[0]})"
    return FORMS[node.operation](*operands)


def _operand(node: Expression, argument: Expression, names: Mapping[int, str]) -> str:
    """Return an operand's name; one that is true or false counts as 1 or 0 in arithmetic."""
    name = names[id(argument)]
    if node.among_numbers:  # Python would have computed it before an array came in
        return _number(argument.value, "double") if argument.operation == "number" else name
    logical = node.operation.startswith("logical") or node.operation == "where"
    return f"T({name})" if argument.is_number or (argument.boolean and not logical) else name


def _number(value: float, kind: str = "T") -> str:
    if math.isnan(value):
        return f'{kind}(nan(""))'  # CUDA's compiler at run time knows no NAN and no INFINITY
    if math.isinf(value):
        return f"({kind}({math.copysign(1, value)}) / {kind}(0))"
    return f"{kind}({value!r})"
