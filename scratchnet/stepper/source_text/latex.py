r"""A statement as LaTeX, where that is simple.

``dc_prev = dc * f`` is :math:`dc_{t-1} = dc \odot f`.
"""

from __future__ import annotations

import ast

_SUMS = {ast.Add: "+", ast.Sub: "-"}


class _NotSimpleError(Exception):
    """The statement has no short LaTeX."""


def derived(statement: str, local_derivative: str = "") -> str:
    """Return a statement's LaTeX, or "" where it is not simple.

    Parameters
    ----------
    statement
        One line of Python: an assignment of arithmetic to one name.
    local_derivative
        The expression that the line's comment gives for its only call, as in
        ``da_g = phi_backward(dg, a_g, g)  # (3')  dg * (1 - g * g)``.
    """
    try:
        (node,) = ast.parse(statement.strip()).body
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return ""
        target = node.targets[0]
        if not isinstance(target, ast.Name):
            return ""
        replacement = ast.parse(local_derivative, mode="eval").body if local_derivative else None
        value = _latex(node.value, replacement)
    except (SyntaxError, ValueError, _NotSimpleError):
        return ""
    again = any(isinstance(n, ast.Name) and n.id == target.id for n in ast.walk(node.value))
    arrow = r"\leftarrow" if again else "="
    return f"{symbol(target.id)} {arrow} {value}"


def symbol(name: str) -> str:
    r"""Return a variable's LaTeX: ``h_prev`` is :math:`h_{t-1}`, ``dWx`` is :math:`dW_x`."""
    head, _, tail = name.partition("_")
    if head in ("tanh", "dtanh"):
        head = ("d" if head[0] == "d" else "") + r"\tanh"
    elif len(head) > 1 and head[-2].isupper() and head[-1].islower():  # Wx, dWh
        tail, head = head[-1] + (f",{tail}" if tail else ""), head[:-1]
    elif len(head.removeprefix("d")) > 2:
        head = rf"\mathrm{{{head}}}"
    if not tail:
        return head
    tail = "t-1" if tail == "prev" else tail
    tail = tail.replace("_", ",")
    return f"{head}_{{{tail}}}" if len(tail) > 1 else f"{head}_{tail}"


def _latex(node: ast.expr, replacement: ast.expr | None) -> str:
    match node:
        case ast.Name():
            return symbol(node.id)
        case ast.Constant(value=int() | float() as number):
            return str(number)
        case ast.Attribute(value=inner, attr="T"):
            return f"{_inside(inner, replacement, ast.BinOp)}^T"
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return f"-{_inside(inner, replacement, ast.BinOp)}"
        case ast.Call(
            func=ast.Attribute(value=inner, attr="sum"),
            args=[],
            keywords=[ast.keyword(arg="axis", value=ast.Constant(value=0))],
        ):
            return rf"\sum_B {_inside(inner, replacement, ast.BinOp)}"
        case ast.Call():
            if replacement is None:
                raise _NotSimpleError
            return _latex(replacement, None)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            second = _latex(right, replacement)
            if isinstance(node.op, ast.Sub) and _is_sum(right):
                second = f"({second})"
            return f"{_latex(left, replacement)} {_SUMS[type(node.op)]} {second}"
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = [_factor(side, replacement) for side in (left, right)]
            constant = any(isinstance(side, ast.Constant) for side in (left, right))
            return (r" \cdot " if constant else r" \odot ").join(factors)
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            return r" \, ".join(_inside(side, replacement, ast.BinOp) for side in (left, right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return rf"\frac{{{_latex(left, replacement)}}}{{{_latex(right, replacement)}}}"
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)):
            return f"{_inside(left, replacement, ast.BinOp)}^{{{power}}}"
    raise _NotSimpleError


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _factor(node: ast.expr, replacement: ast.expr | None) -> str:
    text = _latex(node, replacement)
    shown = replacement if isinstance(node, ast.Call) and replacement is not None else node
    return f"({text})" if _is_sum(shown) else text


def _inside(node: ast.expr, replacement: ast.expr | None, needs: type[ast.expr]) -> str:
    text = _latex(node, replacement)
    return f"({text})" if isinstance(node, needs) else text
