"""The embedding layer."""

from __future__ import annotations

from typing import Any

from scratchnet import initializers
from scratchnet.arguments import numeric, positive_integer
from scratchnet.backend import Array, array_module
from scratchnet.kernels.embedding import sum_rows, take_rows
from scratchnet.layers.base import Layer
from scratchnet.layers.parameters import Shape
from scratchnet.layers.tokens import checked_ids


class Embedding(Layer):
    r"""Replace each token id by its row of a table: :math:`y_{bt} = E_{x_{bt}}`.

    The gradient of a row is the sum of the upstream gradients of every place it was used:
    :math:`dE_v = \sum_{b,t:\,x_{bt} = v} dy_{bt}`.  Ids have none: ``backward`` returns None.

    ================  ==============  =======================
    array             shape           key in ``params``
    ================  ==============  =======================
    x                 (B, …) integer
    E                 (V, D)          ``embeddings``
    y                 (B, …, D)
    ================  ==============  =======================

    Parameters
    ----------
    input_dim : int
        V, the size of the vocabulary: ids run from 0 to V - 1.
    output_dim : int
        D, the length of a row.
    embeddings_initializer : str, dict or initializer
        Keras's name and default.
    mask_zero : bool
        Whether id 0 is padding, to be masked in the layers that follow.

    Raises
    ------
    InputError
        If an id is outside the vocabulary or not a whole number.
    """

    min_rank = 1
    input_axes = "(batch, …)"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        mask_zero: bool = False,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.mask_zero = bool(mask_zero)

    def _build(self, input_shape: Shape) -> None:
        shape = (self.input_dim, self.output_dim)
        self.add_weight("embeddings", shape, self.embeddings_initializer)

    def _cast(self, x: Any) -> Array:
        return checked_ids("Embedding", numeric("Embedding", "x", x), self.input_dim, "input_dim")

    def _check_features(self, shape: Shape) -> None:
        """Accept any shape: ids have no features."""

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        return take_rows(self.params["embeddings"], x), x

    def _backward(self, dy: Array, cache: Array) -> None:
        rows = dy.reshape(-1, self.output_dim)
        self.grads["embeddings"] = sum_rows(rows, cache.reshape(-1), self.input_dim)

    def compute_mask(self, x: Array, mask: Array | None = None) -> Array | None:
        """Return True where an id is not 0, if ``mask_zero``."""
        return array_module(x).asarray(x) != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the ids' shape with D behind it."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "mask_zero": self.mask_zero,
        }
