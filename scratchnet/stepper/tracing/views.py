"""Where in its owner a view lies: ``a_f`` is ``a[:, 4:8]``."""

from __future__ import annotations

import itertools
from typing import Any

from scratchnet.backend import Array


def root(array: Any) -> Any:
    """Return the array whose memory this one shows; itself where it has its own."""
    while True:
        base = getattr(array, "base", None)
        if base is None or not hasattr(base, "strides"):
            return array
        array = base


def place(view: Array, owner: Array) -> str | None:
    """Return what to write behind the owner's name to get the view, or None if it is not simple.

    Integers, slices with positive steps, a changed order of axes, and a plain reshape are simple.
    """
    index = _index(view, owner)
    if index is not None:
        cut = owner[index]
        written = _written(index)
        if _same(cut, view):
            return written
        for order in itertools.permutations(range(cut.ndim)):
            if _same(cut.transpose(order), view):
                return written + _transposed(order)
    if view.size == owner.size and owner.flags.c_contiguous and view.flags.c_contiguous:
        return f".reshape{view.shape}"
    return None


def _index(view: Array, owner: Array) -> tuple[int | slice, ...] | None:
    """Return the index for which ``owner[index]`` has the view's numbers, axes in owner's order."""
    if view.size == 0 or owner.size == 0 or view.dtype != owner.dtype:
        return None
    distance = _address(view) - _address(owner)
    if distance < 0 or view.ndim > 4:
        return None
    starts = [0] * owner.ndim
    for k in sorted(range(owner.ndim), key=lambda k: -owner.strides[k]):
        stride = owner.strides[k]
        if stride > 0 and owner.shape[k] > 1:
            starts[k] = min(distance // stride, owner.shape[k] - 1)
            distance -= starts[k] * stride
    if distance:
        return None
    index: list[int | slice] = list(starts)
    free = list(range(owner.ndim))
    axis: int | None
    for length, stride in sorted(zip(view.shape, view.strides, strict=True), reverse=True):
        axis, step = _along(owner, free, starts, length, stride)
        if axis is None:
            return None
        free.remove(axis)
        index[axis] = slice(starts[axis], starts[axis] + (length - 1) * step + 1, step)
    return tuple(_shortened(part, n) for part, n in zip(index, owner.shape, strict=True))


def _along(
    owner: Array, free: list[int], starts: list[int], length: int, stride: int
) -> tuple[int | None, int]:
    """Return which of the owner's free axes an axis of the view runs along, and in what steps."""
    for axis in sorted(free, key=lambda k: owner.strides[k] != stride):
        own = owner.strides[axis]
        if own > 0 and (length == 1 or stride % own == 0):
            step = max(stride // own, 1) if length > 1 else 1
            if starts[axis] + (length - 1) * step < owner.shape[axis]:
                return axis, step
    return None, 1


def _shortened(part: int | slice, length: int) -> int | slice:
    if isinstance(part, slice) and part.start == 0 and part.step == 1 and part.stop == length:
        return slice(None)
    return part


def _written(index: tuple[int | slice, ...]) -> str:
    parts = list(index)
    while parts and parts[-1] == slice(None):
        parts.pop()
    return f"[{', '.join(_part(part) for part in parts)}]" if parts else ""


def _part(part: int | slice) -> str:
    if isinstance(part, int):
        return str(part)
    if part == slice(None):
        return ":"
    step = f":{part.step}" if part.step != 1 else ""
    return f"{part.start}:{part.stop}{step}"


def _transposed(order: tuple[int, ...]) -> str:
    if len(order) == 2:
        return ".T"
    moved = [axis for axis, k in enumerate(order) if axis != k]
    if len(moved) == 2:
        return f".swapaxes({moved[0]}, {moved[1]})"
    return f".transpose{order}"


def _same(cut: Array, view: Array) -> bool:
    return (
        cut.shape == view.shape
        and _address(cut) == _address(view)
        and all(
            a == b for a, b, n in zip(cut.strides, view.strides, view.shape, strict=True) if n > 1
        )
    )


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
