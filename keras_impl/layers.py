"""Layers that Keras does not have and the twins need."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("scratchnet")
class OneHot(keras.layers.Layer):
    """Replace each token id by a row of zeros with a 1 at the id: (B, …) integer to (B, …, V).

    Parameters
    ----------
    num_tokens : int
        V: ids run from 0 to V - 1.
    """

    def __init__(self, num_tokens: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.num_tokens = num_tokens

    def call(self, ids: Any) -> Any:
        """Return the rows."""
        ids = keras.ops.cast(ids, "int32")
        return keras.ops.one_hot(ids, self.num_tokens, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the ids' shape with V behind it."""
        return (*input_shape, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "num_tokens": self.num_tokens}
