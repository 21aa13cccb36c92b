"""Every layer in every shape of use, for the promises that all of them keep."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from scratchnet.equations.activations import gelu
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten, Layer

approximate_gelu = functools.partial(gelu, approximate=True)


class Case(NamedTuple):
    """A layer, and the shape of an input for it."""

    name: str
    make: Callable[..., Layer]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}-{'x'.join(map(str, self.shape))}"

    @property
    def takes_ids(self) -> bool:
        return self.name.startswith("embedding")

    def layer(self, dtype: str = "float64", **arguments: Any) -> Layer:
        """Make the layer, built, with random distinct parameters."""
        return randomised(self.make(dtype=dtype, **arguments), self.shape)

    def x(self, dtype: str = "float64", seed: int = 0) -> np.ndarray:
        if self.takes_ids:
            return np.random.default_rng([seed, *self.shape]).integers(5, size=self.shape)
        return random_array(*self.shape, dtype=dtype, seed=seed)

    def dy(self, dtype: str = "float64", seed: int = 1) -> np.ndarray:
        shape = self.make().compute_output_shape(self.shape)
        return random_array(*shape, dtype=dtype, seed=seed)


def random_array(*shape: int, dtype: str = "float64", seed: int = 7) -> np.ndarray:
    """Distinct numbers, none within 0.01 of 0, where activations have their kinks."""
    x = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return np.where(abs(x) < 0.01, x + 0.02, x).astype(dtype)


def randomised(layer: Layer, shape: tuple[int, ...], seed: int = 20) -> Layer:
    """Build a layer and give it random distinct parameters, biases too."""
    layer.build(shape)
    weights = layer.get_weights()
    layer.set_weights([random_array(*w.shape, seed=seed + i) for i, w in enumerate(weights)])
    return layer


CASES = [
    Case("dense", functools.partial(Dense, 3), (4, 5)),
    Case("dense-tanh", functools.partial(Dense, 3, "tanh"), (4, 5)),
    Case("dense-tanh", functools.partial(Dense, 3, "tanh"), (2, 4, 5)),
    Case("dense-tanh", functools.partial(Dense, 3, "tanh"), (2, 3, 4, 5)),
    Case("dense-relu-no-bias", functools.partial(Dense, 3, "relu", use_bias=False), (4, 5)),
    Case("dense-softmax", functools.partial(Dense, 3, "softmax"), (2, 4, 5)),
    Case("dense-approximate-gelu", functools.partial(Dense, 3, approximate_gelu), (4, 5)),
    Case("dense-of-one", functools.partial(Dense, 1, "sigmoid"), (1, 1)),
    Case("activation-elu", functools.partial(Activation, "elu"), (4,)),
    Case("activation-elu", functools.partial(Activation, "elu"), (4, 5)),
    Case("activation-log-softmax", functools.partial(Activation, "log_softmax"), (2, 4, 5)),
    Case("dropout", functools.partial(Dropout, 0.4, seed=3), (4, 5)),
    Case("dropout-off", functools.partial(Dropout, 0), (4, 5)),
    Case("dropout-shared", functools.partial(Dropout, 0.4, (None, 1, None), 3), (2, 4, 5)),
    Case("flatten", Flatten, (4,)),
    Case("flatten", Flatten, (4, 5)),
    Case("flatten", Flatten, (2, 3, 4, 5)),
    Case("embedding", functools.partial(Embedding, 5, 3), (4,)),
    Case("embedding", functools.partial(Embedding, 5, 3), (4, 6)),
    Case("embedding-mask-zero", functools.partial(Embedding, 5, 3, mask_zero=True), (2, 3, 4)),
]

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def message(raised: pytest.ExceptionInfo) -> str:
    """The message of an error, which must be one line."""
    text = str(raised.value)
    assert "\n" not in text
    return text
