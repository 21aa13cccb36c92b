"""The layer that turns ids into rows with a single 1."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import numeric, positive_integer
from scratchnet.backend import Array
from scratchnet.kernels.embedding import one_hot_rows
from scratchnet.layers.base import Layer
from scratchnet.layers.parameters import Shape
from scratchnet.layers.tokens import checked_ids


class OneHot(Layer):
    r"""Replace each token id by a row of zeros with a 1 at the id: :math:`y_{btv} = [x_{bt} = v]`.

    A batch at a time is all that is ever made of it: a text's windows stay ids.  There are no
    parameters and ids have no gradient: ``backward`` returns None.

    =========  ==============
    array      shape
    =========  ==============
    x          (B, …) integer
    y          (B, …, V)
    =========  ==============

    Parameters
    ----------
    num_tokens : int
        V: ids run from 0 to V - 1.

    Raises
    ------
    InputError
        If an id is outside the vocabulary or not a whole number.
    """

    min_rank = 1
    input_axes = "(batch, …)"

    def __init__(
        self, num_tokens: int, *, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_tokens = positive_integer("OneHot", "num_tokens", num_tokens)

    def _cast(self, x: Any) -> Array:
        return checked_ids("OneHot", numeric("OneHot", "x", x), self.num_tokens, "num_tokens")

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        return one_hot_rows(x, self.num_tokens, self.dtype), None

    def _backward(self, dy: Array, cache: Any) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the ids' shape with V behind it."""
        return (*input_shape, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "num_tokens": self.num_tokens}
