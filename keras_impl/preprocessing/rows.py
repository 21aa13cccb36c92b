"""Rows of a table as they come: missing values filled, then scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("scratchnet")
class FillMissing(keras.layers.Layer):
    """Replace NaN by a value of its column: (B, D) to (B, D).

    Parameters
    ----------
    values : sequence of float or None
        One for each of the D columns; None leaves NaN where it is.
    """

    def __init__(self, values: Sequence[float | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.values = list(values)

    def call(self, x: Any) -> Any:
        """Return the rows without the gaps."""
        filled = [float("nan") if value is None else value for value in self.values]
        return keras.ops.where(
            keras.ops.isnan(x), keras.ops.convert_to_tensor(filled, self.compute_dtype), x
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the rows' shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "values": self.values}
