"""Every layer in every shape of use, for the promises that all of them keep."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from scratchnet.equations.activations import gelu
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    Masking,
    SimpleRNN,
    TimeDistributed,
)

approximate_gelu = functools.partial(gelu, approximate=True)


class Case(NamedTuple):
    """A layer, and the shape of an input for it."""

    name: str
    make: Callable[..., Layer]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}-{'x'.join(map(str, self.shape))}"

    @property
    def draws(self) -> bool:
        """Whether a training forward differs from the one before it."""
        return "dropout" in self.name and not self.name.endswith("off")

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


def both_ways(inner: type[Layer], merge_mode: str, dtype: str | None = None, **own: Any) -> Layer:
    """Make a Bidirectional; the arguments are the inner layer's."""
    name = {"name": own.pop("name")} if "name" in own else {}
    return Bidirectional(inner(3, **own), merge_mode, dtype=dtype, **name)


def every_step(inner: Callable[[], Layer], **arguments: Any) -> Layer:
    """Make a TimeDistributed of a new inner layer."""
    return TimeDistributed(inner(), **arguments)


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

RECURRENT = {
    "SimpleRNN": SimpleRNN,
    "LSTM": LSTM,
    "GRU": GRU,
    "GRU-reset-before": functools.partial(GRU, reset_after=False),
}
"""The recurrent layers, GRU in both variants."""

SEQUENCES = {"return_sequences": True}
DROPOUTS = {"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 5}

for _name, _make in RECURRENT.items():
    CASES += [
        Case(f"{_name}", functools.partial(_make, 3), (2, 5, 4)),
        Case(f"{_name}-page", functools.partial(_make, 3, page=True, **SEQUENCES), (2, 5, 4)),
        Case(
            f"{_name}-backwards-no-bias",
            functools.partial(_make, 3, use_bias=False, go_backwards=True, **SEQUENCES),
            (4, 3, 2),
        ),
        Case(f"{_name}-dropout", functools.partial(_make, 3, dropout=0.3, seed=5), (2, 4, 5)),
        Case(f"{_name}-dropouts", functools.partial(_make, 3, **SEQUENCES, **DROPOUTS), (2, 4, 5)),
        Case(f"{_name}-of-one", functools.partial(_make, 1), (1, 2, 1)),
        Case(f"{_name}-elu", functools.partial(_make, 3, "elu", **SEQUENCES), (2, 4, 5)),
    ]

CASES += [
    Case("Masking", Masking, (2, 4, 5)),
    Case("TimeDistributed", functools.partial(every_step, lambda: Dense(3, "tanh")), (2, 4, 5)),
    Case("TimeDistributed-LSTM", functools.partial(every_step, lambda: LSTM(3)), (2, 3, 4, 5)),
    Case(
        "TimeDistributed-weightless-dropout",
        functools.partial(every_step, lambda: Dropout(0.4, seed=2)),
        (2, 4, 5),
    ),
    Case("Bidirectional", functools.partial(both_ways, LSTM, "concat", **SEQUENCES), (2, 4, 5)),
    Case("Bidirectional-sum", functools.partial(both_ways, GRU, "sum"), (2, 4, 5)),
    Case("Bidirectional-page", functools.partial(both_ways, GRU, "ave", page=True), (2, 4, 5)),
    Case("Bidirectional-mul", functools.partial(both_ways, SimpleRNN, "mul"), (2, 4, 5)),
    Case(
        "Bidirectional-dropouts",
        functools.partial(both_ways, LSTM, "mul", **SEQUENCES, **DROPOUTS),
        (2, 4, 5),
    ),
]

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def message(raised: pytest.ExceptionInfo) -> str:
    """The message of an error, which must be one line."""
    text = str(raised.value)
    assert "\n" not in text
    return text
