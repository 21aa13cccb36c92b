"""What a work is: something that takes time in every engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras

from keras_impl.bench.floor import Product
from keras_impl.bench.race import Candidate
from keras_impl.bench.works.engines import KERAS_STEP
from keras_impl.parity.compare import Agreement
from scratchnet import Sequential
from scratchnet.backend import Array

DTYPE = "float32"
REAL = "the experiment's data"


@dataclass(frozen=True)
class Training:
    """A network and what it is trained on, for every engine."""

    build_model: Callable[[], Sequential]
    """Returns the built and compiled network, the same weights every time."""
    build_twin: Callable[..., keras.Model]
    """Returns the compiled Keras twin; its keywords go to ``compile``."""
    batches: list[tuple[Array, Array]]
    """Of one size."""


@dataclass(frozen=True)
class Work:
    """One thing to measure."""

    name: str
    title: str
    unit: str
    required: float | None
    """The ratio over the baseline that the project has to reach."""
    aimed: float | None
    products: list[Product]
    """Of one unit, in scratchnet."""
    candidates: Callable[[int, bool], list[Candidate]]
    """Takes the number of threads, and whether PyTorch and JAX take part where installed."""
    agreement: Callable[[int, bool], list[Agreement]]
    """Takes the same; how the engines agree, which is checked before the clock starts."""
    baseline: str = KERAS_STEP
    data: str = REAL
    training: Training | None = field(default=None, repr=False)
    """Where the work is a training step."""
