"""What an array of a recurrent layer can be, by its shape: which gates, which halves, which way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scratchnet.backend import Array
from scratchnet.gradcheck.recognition.arrangement import Block, View


class Sizes(NamedTuple):
    """The sizes of one interpretation, and how many gates a layer of this kind has."""

    B: int
    T: int
    D: int
    H: int
    O: int  # noqa: E741 - outputs of a projection, 0 where there is none
    G: int


class Layout(NamedTuple):
    """What the arrays of one person's code have in common.

    Attributes
    ----------
    out_in : bool
        Weights are (out, in), so ``W @ x``.
    h_first : bool
        A joint matrix stands for [h, x], not [x, h].
    """

    out_in: bool
    h_first: bool

    def words(self, joint: bool) -> list[str]:
        """Return this layout in words."""
        order = "[h, x]" if self.h_first else "[x, h]"
        return [
            f"weights are ({'out, in' if self.out_in else 'in, out'})",
            *([f"one matrix over {order}"] if joint else []),
        ]


class Role(NamedTuple):
    """One thing that an array can be.

    ``kind`` is ``"Wx"``, ``"Wh"``, ``"W"`` (both), ``"b"``, ``"bb"`` (two rows of biases),
    ``"Wy"``, ``"by"`` or ``"state"``; ``gates`` says how many gates it holds.
    """

    kind: str
    gates: int
    flipped: bool = False

    def blocks(
        self, order: tuple[str, ...], sizes: Sizes, layout: Layout, bias: str
    ) -> list[Block]:
        """Return the blocks, for gates in this order."""
        if self.kind in ("Wy", "by"):
            return [Block(self.kind, lambda a: self._upright(a))]
        if self.kind == "bb":
            return [
                Block(f"{name}.{gate}", _row(row, slice(k * sizes.H, (k + 1) * sizes.H)))
                for row, name in enumerate(("bx", "bh"))
                for k, gate in enumerate(order)
            ]
        found = []
        for k, gate in enumerate(order):
            for name, rows in self._halves(sizes, layout):
                slot = f"{bias if name == 'b' else name}.{gate}"
                found.append(Block(slot, lambda a, k=k, r=rows: self._part(a, k, r, sizes.H)))  # type: ignore[misc]
        return found

    def _halves(self, sizes: Sizes, layout: Layout) -> list[tuple[str, slice]]:
        if self.kind != "W":
            return [(self.kind, slice(None))]
        if layout.h_first:
            return [("Wh", slice(sizes.H)), ("Wx", slice(sizes.H, None))]
        return [("Wx", slice(sizes.D)), ("Wh", slice(sizes.D, None))]

    def _part(self, array: Array, k: int, rows: slice, H: int) -> Array:
        if array.ndim == 3:  # gates stacked on the first axis
            array, k = array[k], 0
        upright = self._upright(array)
        return (
            upright[..., k * H : (k + 1) * H]
            if upright.ndim == 1
            else upright[rows, k * H : (k + 1) * H]
        )

    def _upright(self, array: Array) -> Array:
        """Return an array as (in, out), a bias as (out,)."""
        if self.kind in ("b", "by"):
            if array.ndim == 2:
                return array[:, 0] if array.shape[1] == 1 and array.shape[0] != 1 else array[0]
            return array
        return array.T if self.flipped else array


def _row(row: int, columns: slice) -> View:
    return lambda a: a[row, columns]


def roles(shape: tuple[int, ...], s: Sizes, layout: Layout, parameter: bool) -> Iterator[Role]:
    """Yield what an array of this shape can be."""
    out_in = layout.out_in
    counts = range(1, s.G + 1)
    if len(shape) == 3 and shape[0] == s.G > 1:
        for role in roles(shape[1:], s._replace(G=1), layout, parameter):
            if role.kind in ("Wx", "Wh", "W", "b"):
                yield Role(role.kind, s.G, role.flipped)
        return
    if len(shape) == 2:
        rows, columns = shape[::-1] if out_in else shape
        for kind, size in (("Wx", s.D), ("Wh", s.H), ("W", s.D + s.H)):
            for n in counts:
                if (rows, columns) == (size, n * s.H):
                    yield Role(kind, n, out_in)
        if s.G > 1 and shape == (2, s.G * s.H):
            yield Role("bb", 2 * s.G)
        if s.O and (rows, columns) == (s.H, s.O):
            yield Role("Wy", 0, out_in)
    if len(shape) in (1, 2):
        flat = max(shape) if 1 in shape or len(shape) == 1 else 0
        for n in counts:
            if flat == n * s.H:
                yield Role("b", n)
        if s.O and flat == s.O:
            yield Role("by", 0)
    if not parameter and tuple(n for n in shape if n != 1) in {
        tuple(n for n in size if n != 1) for size in ((s.B, s.H), (s.H, s.B))
    }:
        yield Role("state", 0)
