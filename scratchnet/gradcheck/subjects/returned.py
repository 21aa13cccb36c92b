"""Which array a gradient belongs to, by its name, its place or its shape."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.naming import elements, main_name, target_of
from scratchnet.gradcheck.subjects.nested import children, flatten, is_array, steps_of

Item = tuple[str | None, Any, bool]
"""A gradient's name, if it has one; the gradient; whether the code itself gives the name."""


def gradient_items(
    value: Any, shapes: set[tuple[int, ...]], expression: ast.expr | None, outermost: bool = True
) -> list[Item]:
    """Return the gradients within what a backward pass returned."""
    if value is None or is_array(value) or isinstance(value, float | int | np.generic):
        return [(main_name(expression), value, False)]
    steps = None if isinstance(value, tuple) else steps_of(value)
    if steps is not None and len(stacked := flatten(value)) == 1:
        whole = not outermost or (stacked[0].shape in shapes and len(value) != len(shapes))
        if whole or isinstance(value, Mapping):
            return [(main_name(expression), stacked[0], False)]
    if isinstance(value, list | tuple):
        return [
            item
            for part, one in zip(value, elements(expression, len(value)), strict=True)
            for item in gradient_items(part, shapes, one, outermost=False)
        ]
    found: list[Item] = []
    for (_, key), part in children(value):
        if isinstance(part, Mapping) and steps_of(part) is None:
            found += gradient_items(part, shapes, None)
        else:
            inner = gradient_items(part, shapes, None, outermost=False)
            found += [(str(key), inner[0][1], True)] if len(inner) == 1 else []
    return found


def match_gradients(
    value: Any,
    shapes: Mapping[str, tuple[int, ...]],
    order: Sequence[str],
    expression: ast.expr | None,
    who: str,
    *,
    by_place: bool = True,
) -> dict[str, Array]:
    """Return the gradients in what a backward pass returned by the arrays they belong to.

    Parameters
    ----------
    value : object
        Array, tuple, list, dict, or object with attributes.
    shapes : mapping of str to tuple
        The arrays that are differentiated.
    order : sequence of str
        Their order, should the gradients have no names.
    expression : ast.expr or None
        The ``return`` statement's.
    who : str
        The function's name, for messages.
    by_place : bool
        Whether as many gradients as arrays are in their order, even where a shape differs.

    Raises
    ------
    InputError
        If a gradient could belong to several arrays.
    """
    items = gradient_items(value, set(shapes.values()), expression)
    result: dict[str, Array] = {}
    for label, gradient, own in items:
        if own and (target := target_of(str(label), set(shapes) - set(result))):
            result[target] = gradient
    if any(own for *_, own in items) and not result:
        raise InputError(
            f"{who}: none of the keys {', '.join(str(k) for k, _, own in items if own)} names a "
            f"gradient of {', '.join(order)}; call them d{order[0]} and so on"
        )
    loose = [(label, gradient) for label, gradient, own in items if not own]
    places = [name for name in order if name not in result]
    labels = [target_of(label, places) if label else None for label, _ in loose]
    if None in labels or len(set(labels)) < len(labels):
        fits = [
            gradient is None or np.shape(gradient) == shapes[name]
            for name, (_, gradient) in zip(places, loose, strict=False)
        ]
        in_order = len(loose) == len(places) and (by_place or all(fits))
        labels = list(places) if in_order else _by_shape(loose, labels, shapes, places)
    if any(label is None for label, (_, gradient) in zip(labels, loose, strict=True)
           if gradient is not None):  # fmt: skip
        raise InputError(
            f"{who} gives {len(loose)} gradients for {len(places)} arrays ({', '.join(places)}) "
            "and which is whose cannot be told: return a dict {'d"
            f"{places[0] if places else order[0]}': ...}}, or call the returned variables so"
        )
    result |= {name: gradient for name, (_, gradient) in zip(labels, loose, strict=True) if name}
    return {name: np.array(result[name]) for name in order if result.get(name) is not None}


def _by_shape(
    loose: Sequence[tuple[str | None, Any]],
    labels: list[str | None],
    shapes: Mapping[str, tuple[int, ...]],
    places: list[str],
) -> list[str | None]:
    """Return the names that were found once, and the others by a shape that only one has."""
    found = [label if label and labels.count(label) == 1 else None for label in labels]
    for index, (_, gradient) in enumerate(loose):
        if found[index] is None and gradient is not None:
            shape = np.shape(gradient)
            free = [name for name in places if name not in found and shapes[name] == shape]
            rivals = [
                other for place, (_, other) in enumerate(loose)
                if found[place] is None and other is not None and np.shape(other) == shape
            ]  # fmt: skip
            found[index] = free[0] if len(free) == len(rivals) == 1 else None
    return found


def returned_gradients(
    value: Any,
    shapes: Mapping[str, tuple[int, ...]],
    order: Sequence[str],
    expression: ast.expr | None,
    who: str,
) -> dict[str, Array]:
    """Return those of the returned gradients whose array is certain; the first may be x's.

    Unlike a function's, a method's return need not be complete: parameters' gradients are often
    attributes, and a zero initial state's gradient belongs to no array.
    """
    if value is None or not order:
        return {}
    items = [item for item in gradient_items(value, set(shapes.values()), expression) if item]
    labels = [target_of(label, order) if label else None for label, _, _ in items]
    first = items[0] if items else None
    if len(items) == 1 and first is not None and not first[2]:
        own = labels[0] or (order[0] if order[0] == "x" else None)
        shape = np.shape(first[1])
        if order[0] == "x" and own and shapes[own] != shape == shapes["x"]:
            own = "x"  # the name is that of something in the expression
        return {own: np.asarray(first[1])} if own and first[1] is not None else {}
    try:
        return match_gradients(value, shapes, order, expression, who, by_place=False)
    except InputError:
        found = {
            str(label): np.asarray(gradient)
            for label, (_, gradient, _) in zip(labels, items, strict=True)
            if label and labels.count(label) == 1 and gradient is not None
        }
        if "x" in order and "x" not in found and first is not None and not first[2]:
            found |= {"x": np.asarray(first[1])} if np.shape(first[1]) == shapes["x"] else {}
        return found
