"""What names mean: of gradients, of states, of what a ``return`` statement gives."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scratchnet.gradcheck.subjects.nested import children, flatten, is_differentiable, steps_of

AFFIXES = (
    r"d[lj]_?d(.+)",
    r"d_?(.+)",
    r"grad(?:ient)?s?_?(?:of_)?(.+)",
    r"g_(.+)",
    r"g([A-Z].*)",
    r"delta_?(.+)",
    r"(.+?)_?grad(?:ient)?s?",
    r"(.+)_d",
)
WORDS = {
    "weights": "w", "weight": "w", "kernel": "w", "bias": "b", "biases": "b",
    "inputs": "x", "input": "x", "xs": "x", "xt": "x",
}  # fmt: skip
INITIAL = re.compile(r"^(?:prev|initial|init|start)(.+)$|^(.+?)(?:prev|initial|init|start|0)$")
PARAMETER = re.compile(
    r"^([WUVRbB](?![a-z]{4})|weight|kernel|bias|recurrent|gamma|beta|theta|embed|w[xhaioufcgzry]?\d*$)"
)


def looks_like_parameter(name: str) -> bool:
    """Return whether a name is one that people give to a weight or a bias."""
    return PARAMETER.match(name) is not None


def bare(name: str) -> str:
    """Return a name in lower case without underscores: ``W_xh`` is ``Wxh``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def meaning(name: str) -> str:
    """Return what a name means: ``h_prev``, ``prev_h`` and ``h0`` are one thing."""
    name = bare(name)
    if match := INITIAL.match(name):
        name = (match[1] or match[2]) + "0"
    return WORDS.get(name, name)


LEVELS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    bare,
    meaning,
    lambda name: meaning(name).removesuffix("0"),
)


def without_affix(name: str) -> list[str]:
    """Return what ``dW``, ``W_grad`` or ``grad_W`` may be the gradient of."""
    matches = (
        re.fullmatch(pattern, name) or re.fullmatch(pattern, name, re.I)
        for pattern in AFFIXES
        if "A-Z" not in pattern
    )
    found = [match[1] for match in matches if match]
    found += [match[1] for match in [re.fullmatch(r"g([A-Z].*)", name)] if match]
    return found


def target_of(label: str, targets: Iterable[str], plain: bool = True) -> str | None:
    """Return the one array that a gradient of this name belongs to, or None.

    ``plain`` says whether the array's own name is a name for its gradient, as in a dict of them.
    """
    targets = list(targets)
    names = [label] * plain + without_affix(label)
    for level in LEVELS:
        for name in names:
            hits = [target for target in targets if level(target) == level(name)]
            if len(hits) == 1:
                return hits[0]
    return None


def return_expression(function: Callable[..., Any]) -> ast.expr | None:
    """Return what a function's last ``return`` gives back, read from its source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    root = tree.body[0]
    if not isinstance(root, ast.FunctionDef):
        return None
    returned: ast.expr | None = None
    assigned: dict[str, ast.expr] = {}
    pending: list[ast.AST] = list(reversed(root.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Return):
            returned = node.value
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
        pending += reversed(list(ast.iter_child_nodes(node)))
    if isinstance(returned, ast.Name):
        value = assigned.get(returned.id)
        return value if isinstance(value, ast.Tuple | ast.List) else returned
    return returned


def simple_name(expression: ast.expr | None) -> str | None:
    """Return the name in ``y`` or ``self.y``."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        return expression.attr if expression.value.id == "self" else None
    return None


def main_name(expression: ast.expr | None) -> str | None:
    """Return the name that an expression is about: ``dx`` in ``dx.reshape(shape) / n``."""
    if (name := simple_name(expression)) is not None:
        return name
    match expression:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=inner) | ast.BinOp(left=inner) | ast.UnaryOp(operand=inner):
            return main_name(inner)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy")), args=[first, *_]):
            return main_name(first)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Attribute(value=inner):
            return main_name(inner)
    return None


def elements(expression: ast.expr | None, count: int) -> list[ast.expr | None]:
    """Return the expressions of a tuple's parts, where there are that many."""
    if isinstance(expression, ast.Tuple | ast.List) and len(expression.elts) == count:
        return list(expression.elts)
    return [None] * count


def output_names(value: Any, expression: ast.expr | None) -> list[str]:
    """Return names for `flatten`'s arrays: ``y``, or those of the return statement."""
    labels = _labels(value, expression)
    if len(labels) == 1:
        return ["y"]
    return [
        label if label and labels.count(label) == 1 else f"y{index}"
        for index, label in enumerate(labels)
    ]


def _labels(value: Any, expression: ast.expr | None) -> list[str | None]:
    count = len(flatten(value))
    if is_differentiable(value) or steps_of(value) is not None:
        return [simple_name(expression)] if count == 1 else [None] * count
    if isinstance(value, Mapping):
        return [
            str(key) if len(flatten(part)) == 1 else None
            for key, part in value.items()
            for _ in flatten(part)
        ]
    parts = [part for _, part in children(value)] if count else []
    inner = zip(parts, elements(expression, len(parts)), strict=True)
    return [label for part, one in inner for label in _labels(part, one)]
