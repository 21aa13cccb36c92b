r"""First values of weights, under Keras's names and with its arguments.

An initializer is called with a shape and a dtype and returns a NumPy array::

    GlorotUniform(seed=1)((3, 4), dtype="float64")

With a ``seed`` every call gives the same numbers, as in Keras; without one they come from the
process-wide generator of `scratchnet.random`. They are drawn in float64 and then rounded.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from scratchnet.arguments import NOT_NEGATIVE, POSITIVE, construct, look_up, real, whole_number
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.random import generator, set_random_seed

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "get",
    "serialize",
    "set_random_seed",
]

TRUNCATED_STDDEV = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
r"""Standard deviation of what is left of a standard normal between -2 and 2: :math:`1 - 4
\varphi(2) / (2 \Phi(2) - 1)`, then the root."""


class Initializer:
    """A function from a shape to an array, with a configuration."""

    def __call__(self, shape: Sequence[int], dtype: Any = "float32") -> Array:
        """Return a new array.

        Raises
        ------
        InputError
            If a dimension is not a whole number of 0 or more, or the rank does not fit.
        """
        try:
            lengths = tuple(operator.index(n) for n in shape)
        except TypeError:
            lengths = (-1,)
        if min(lengths, default=0) < 0:
            raise InputError(
                f"{type(self).__name__}: expected shape to be a tuple of whole numbers of 0 or "
                f"more, got {shape!r}. Pass for instance (3, 4)."
            )
        return self.values(lengths).astype(dtype)

    def values(self, shape: tuple[int, ...]) -> Array:
        """Return float64 values of this shape."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, ready for JSON; Keras's twin takes them too."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the initializer that gave this configuration."""
        return construct(cls, config)


class Zeros(Initializer):
    """0 everywhere."""

    def values(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """1 everywhere."""

    def values(self, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)


class Constant(Initializer):
    """``value`` everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = real("Constant", "value", value)

    def values(self, shape: tuple[int, ...]) -> Array:
        return np.full(shape, self.value)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class Identity(Initializer):
    """``gain`` on the main diagonal of a matrix, 0 elsewhere."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = real("Identity", "gain", gain)

    def values(self, shape: tuple[int, ...]) -> Array:
        if len(shape) != 2:
            raise InputError(
                f"Identity: expected a shape of two dimensions, got {shape}. "
                "Use Orthogonal for more than two."
            )
        return self.gain * np.eye(*shape)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of the random ones; ``seed`` is a whole number, or None for the process's generator."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else whole_number(type(self).__name__, "seed", seed)

    def rng(self) -> np.random.Generator:
        """Return the process's generator, or one that starts at the seed."""
        return generator() if self.seed is None else np.random.default_rng(self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    r""":math:`\mathcal N(\mu, \sigma^2)`, with ``mean`` and ``stddev``."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = real(type(self).__name__, "mean", mean)
        self.stddev = real(type(self).__name__, "stddev", stddev, NOT_NEGATIVE)

    def values(self, shape: tuple[int, ...]) -> Array:
        return self.mean + self.stddev * self.rng().standard_normal(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    r""":math:`\mathcal N(\mu, \sigma^2)`; what falls beyond :math:`\mu \pm 2 \sigma` is redrawn."""

    def values(self, shape: tuple[int, ...]) -> Array:
        return self.mean + self.stddev * truncated_standard_normal(self.rng(), shape)


class RandomUniform(RandomInitializer):
    """Uniform from ``minval`` to below ``maxval``."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = real("RandomUniform", "minval", minval)
        self.maxval = real("RandomUniform", "maxval", maxval)
        if self.minval > self.maxval:
            raise InputError(
                f"RandomUniform: expected minval to be at most maxval, got {minval} and {maxval}. "
                "Exchange them."
            )

    def values(self, shape: tuple[int, ...]) -> Array:
        return self.rng().uniform(self.minval, self.maxval, shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """``gain`` times orthonormal columns, or rows where there are fewer (Saxe et al. 2014).

    All axes but the last are taken together as rows.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = real("Orthogonal", "gain", gain)

    def values(self, shape: tuple[int, ...]) -> Array:
        if len(shape) < 2:
            raise InputError(
                f"Orthogonal: expected a shape of two or more dimensions, got {shape}. "
                "Use another initializer for vectors."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        Q, R = np.linalg.qr(self.rng().standard_normal(tall))
        Q = Q * np.copysign(1, np.diagonal(R))  # else Q would not be uniform over all rotations
        return self.gain * (Q if rows >= columns else Q.T).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}


class VarianceScaling(RandomInitializer):
    r"""Random values of variance :math:`\text{scale} / n`, where :math:`n` is a fan of the shape.

    Parameters
    ----------
    scale : float
        Above 0.
    mode : {"fan_in", "fan_out", "fan_avg"}
        Whether :math:`n` is the inputs of a unit, the outputs, or their mean.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        ``"normal"`` is the truncated one.
    seed : int, optional
        None draws from the process's generator.
    input_axes, output_axes : sequence of int, optional
        Axes to count the fans from, both or neither; see `compute_fans`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        name = type(self).__name__
        self.scale = real(name, "scale", scale, POSITIVE)
        self.mode = _one_of(name, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        self.distribution = _one_of(
            name,
            "distribution",
            "truncated_normal" if distribution == "normal" else distribution,
            ("truncated_normal", "untruncated_normal", "uniform"),
        )
        self.input_axes = input_axes
        self.output_axes = output_axes

    def values(self, shape: tuple[int, ...]) -> Array:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return self.rng().uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return stddev * self.rng().standard_normal(shape)
        return stddev / TRUNCATED_STDDEV * truncated_standard_normal(self.rng(), shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Scaled(VarianceScaling):
    """A named choice of `VarianceScaling`'s first three arguments."""

    choice: tuple[float, str, str]

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.choice, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class GlorotUniform(_Scaled):
    r"""Uniform within :math:`\pm\sqrt{6 / (n_{in} + n_{out})}` (Glorot & Bengio 2010)."""

    choice = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    r"""Truncated normal of variance :math:`2 / (n_{in} + n_{out})` (Glorot & Bengio 2010)."""

    choice = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    r"""Uniform within :math:`\pm\sqrt{6 / n_{in}}` (He et al. 2015)."""

    choice = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    r"""Truncated normal of variance :math:`2 / n_{in}` (He et al. 2015)."""

    choice = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    r"""Uniform within :math:`\pm\sqrt{3 / n_{in}}` (LeCun et al. 1998)."""

    choice = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    r"""Truncated normal of variance :math:`1 / n_{in}` (LeCun et al. 1998)."""

    choice = (1.0, "fan_in", "truncated_normal")


def truncated_standard_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal values, each drawn again until it lies within -2 and 2."""
    values = rng.standard_normal(math.prod(shape))
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
    return values.reshape(shape)


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs a unit has and how many outputs an input has, as Keras counts them.

    ============  ==========================
    ``shape``     fans
    ============  ==========================
    ``()``        1, 1
    ``(n,)``      n, n
    ``(n, m)``    n, m
    ``(…, n, m)`` n and m times the product of the leading axes, a kernel's receptive field
    ============  ==========================

    With both ``input_axes`` and ``output_axes`` the fans are the products over those.
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[i] for i in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return ``{"class_name": …, "config": …}``, which `get` here and in Keras takes."""
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


_MEMBERS: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "random_uniform": RandomUniform,
    "orthogonal": Orthogonal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
}


def get(identifier: object) -> Initializer:
    """Return the initializer that ``"glorot_uniform"`` or a dict as of `serialize` stands for.

    An instance passes through.

    Raises
    ------
    InputError
        If there is no such initializer (near matches are named) or the config does not fit it.
    """
    return look_up(identifier, Initializer, _MEMBERS)


def _one_of(owner: str, name: str, value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(
            f"{owner}: expected {name} to be one of {', '.join(allowed)}, got {value!r}. "
            "Use one of those."
        )
    return str(value)
