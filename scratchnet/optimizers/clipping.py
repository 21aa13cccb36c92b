"""Three ways of keeping gradients small; each returns new arrays and leaves its input alone."""

from __future__ import annotations

from collections.abc import Sequence

from scratchnet.backend import Array, array_module


def by_value(gradients: Sequence[Array], clipvalue: float) -> list[Array]:
    r"""Return :math:`\min(\max(g, -c), c)`, element by element."""
    return [array_module(g).clip(g, -clipvalue, clipvalue) for g in gradients]


def by_norm(gradients: Sequence[Array], clipnorm: float) -> list[Array]:
    r"""Return :math:`g\,c / \max(\lVert g \rVert_2, c)`, each array by its own norm."""
    return [_shrunk(g, _sum_of_squares(g), clipnorm) for g in gradients]


def by_global_norm(gradients: Sequence[Array], clipnorm: float) -> list[Array]:
    r"""Return :math:`g\,c / \max(n, c)` with :math:`n = \sqrt{\sum \lVert g \rVert_2^2}` over all.

    One element that is not finite makes every array NaN, as in Keras (Pascanu et al. 2013).
    """
    squares = [_sum_of_squares(g) for g in gradients]
    square = sum(squares[1:], squares[0])
    poison = square - square  # 0, or NaN where the norm is infinite
    return [_shrunk(g, square, clipnorm) + poison for g in gradients]


def _sum_of_squares(gradient: Array) -> Array:
    return array_module(gradient).sum(gradient * gradient)


def _shrunk(gradient: Array, square: Array, clipnorm: float) -> Array:
    xp = array_module(gradient)
    return gradient * (clipnorm / xp.maximum(xp.sqrt(square), clipnorm))
