"""Dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scratchnet.arguments import FRACTION, positive_integer, real
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.layers.base import Layer
from scratchnet.layers.masks import MaskSource
from scratchnet.layers.parameters import Shape


class Dropout(Layer):
    r"""Inverted dropout (Srivastava et al. 2014): :math:`y = m \odot x` in training, else x.

    Each element of the mask m is 0 with probability ``rate`` and :math:`1/(1 - \mathrm{rate})`
    otherwise, so that the mean of y is x; :math:`dx = m \odot dy`.

    Parameters
    ----------
    rate : float
        Probability, 0 to 1, that an element is dropped.
    noise_shape : tuple of int or None, optional
        Shape of m where it is shared along axes (1 there); None stands for x's own size.
    seed : int, optional
        Seed of this layer's own generator.

    Attributes
    ----------
    dropout_mask : array or None
        m of the latest training forward, with its scale.

    Raises
    ------
    InputError
        If ``rate`` is outside 0 to 1, or ``noise_shape`` does not fit x.
    """

    min_rank = 1
    input_axes = "(batch, …)"
    left = (*Layer.left, "dropout_mask")

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rate = real("Dropout", "rate", rate, FRACTION)
        self.noise_shape = None if noise_shape is None else _checked_noise_shape(noise_shape)
        self._masks = MaskSource("Dropout", seed)
        self.seed = self._masks.seed
        self.dropout_mask: Array | None = None

    def _check_rank(self, shape: Shape) -> None:
        super()._check_rank(shape)
        noise = self.noise_shape
        if noise is None:
            return
        fits = len(noise) == len(shape) and all(
            n in (None, 1, size) or size is None for n, size in zip(noise, shape, strict=True)
        )
        if not fits:
            raise InputError(
                f"Dropout: expected noise_shape to have an entry of 1, None or the size for each "
                f"axis of x, whose shape is {shape}, got {noise}. Use None for an axis that is not "
                "shared."
            )

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        if not training or self.rate == 0:
            return x, None
        m = self.dropout_mask = self._draw(x)
        return m * x, m

    def _backward(self, dy: Array, cache: Array | None) -> Array:
        return dy if cache is None else cache * dy

    def _draw(self, x: Array) -> Array:
        noise = self.noise_shape or (None,) * x.ndim
        shape = tuple(size if n is None else n for n, size in zip(noise, x.shape, strict=True))
        return self._masks.draw(shape, self.rate, like=x)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": None if self.noise_shape is None else list(self.noise_shape),
            "seed": self.seed,
        }

    def state(self) -> dict[str, Any]:
        """Return what the masks go on from."""
        return self._masks.state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._masks.set_state(state)


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...]:
    """Return a tuple of None and positive integers."""
    if isinstance(noise_shape, str) or not isinstance(noise_shape, Sequence):
        raise InputError(
            f"Dropout: expected noise_shape to be a tuple, got {noise_shape!r}. "
            "Pass for instance (None, 1, 8)."
        )
    return tuple(
        None if n is None else positive_integer("Dropout", f"noise_shape[{i}]", n)
        for i, n in enumerate(noise_shape)
    )
