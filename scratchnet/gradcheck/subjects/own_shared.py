"""Random arrays for our layers, the names of their states, copies of them in float64."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Arrays
from scratchnet.layers import Bidirectional, Embedding, Layer, TimeDistributed
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.wrapper import Wrapper


def rewound(state: Any, started: Any) -> Any:
    """Return a random state with the seed it has now and the count of draws it started from."""
    if isinstance(state, dict):
        return {
            key: started[key] if key == "draws" else rewound(value, started[key])
            for key, value in state.items()
        }
    return state


def copied(thing: Any) -> Any:
    """Return a deep copy of a layer or a model; what forward keeps refers to its array module."""
    return copy.deepcopy(thing, {id(np): np})


def parts(layer: Layer) -> Iterator[Layer]:
    """Yield a layer and those inside it."""
    yield layer
    if isinstance(layer, Wrapper):
        for inner in layer.inner.values():
            yield from parts(inner)


def innermost(layer: Layer) -> Layer:
    """Return what TimeDistributed is around."""
    while isinstance(layer, TimeDistributed):
        layer = layer.layer
    return layer


def forget(layer: Layer) -> None:
    """Let stateful layers start from zeros."""
    for part in parts(layer):
        if isinstance(part, Recurrent):
            part.states = None


def put_parameters(layer: Layer, arrays: Arrays) -> None:
    """Write into a layer's parameters, in its dtype."""
    for name, array in arrays.items():
        layer.params[name][...] = array


def in_float64(layer: Layer) -> Layer:
    """Return a copy of a built layer that computes in float64."""
    twin = copied(layer)
    for part in parts(twin):
        part._dtype = np.dtype("float64")
        part._seen = (object, ())
        if not isinstance(part, Wrapper):
            part.params = {key: array.astype(np.float64) for key, array in part.params.items()}
    for part in reversed(list(parts(twin))):
        if isinstance(part, Wrapper):
            part._gather_params()
    return twin


def random_numbers(shape: Sequence[int], rng: np.random.Generator, dtype: str = "float64") -> Array:
    """Return distinct numbers, none within 0.02 of 0; float64 numbers that the dtype holds."""
    x = rng.standard_normal(tuple(shape))
    return np.asarray(x + np.where(x < 0, -0.02, 0.02)).astype(dtype).astype(np.float64)


def random_parameters(layer: Layer, rng: np.random.Generator) -> dict[str, Array]:
    """Return a random array for each parameter, and write it there; biases are not zero."""
    arrays = {}
    for name, param in layer.params.items():
        fan_in = param.shape[0] if param.ndim > 1 and not name.endswith("bias") else 4
        scale = 1.2 / np.sqrt(max(fan_in, 4))
        arrays[name] = (scale * random_numbers(param.shape, rng)).astype(param.dtype)
        arrays[name] = arrays[name].astype(np.float64)
    put_parameters(layer, arrays)
    return arrays


def random_input(layer: Layer, shape: Sequence[int], rng: np.random.Generator) -> Array:
    """Return an input of a layer: numbers, or token ids, 0 and repetitions among them."""
    if isinstance(layer, Embedding):
        return rng.integers(layer.input_dim, size=tuple(shape))
    return random_numbers(shape, rng, layer.dtype)


def random_states(layer: Layer, batch: int, rng: np.random.Generator) -> dict[str, Array]:
    """Return random initial states by name; none for a layer without."""
    sizes = state_sizes(layer)
    return {
        name: (0.5 * random_numbers((batch, size), rng)).astype(layer.dtype).astype(np.float64)
        for name, size in zip(initial_state_names(layer), sizes, strict=True)
    }


def state_sizes(layer: Layer) -> list[int]:
    """Return the length of each of a layer's states."""
    if isinstance(layer, Bidirectional):
        return [size for inner in layer.inner.values() for size in state_sizes(inner)]
    return [layer.units] * len(layer.state_names) if isinstance(layer, Recurrent) else []


def final_state_names(layer: Layer) -> list[str]:
    """Return ``["h", "c"]``; ``["forward_h", …]`` for both directions."""
    if isinstance(layer, Bidirectional):
        return [
            f"{way}_{name}"
            for way, inner in layer.inner.items()
            for name in final_state_names(inner)
        ]
    return list(layer.state_names) if isinstance(layer, Recurrent) else []


def initial_state_names(layer: Layer) -> list[str]:
    """Return ``["h0", "c0"]``; ``["forward_h0", …]`` for both directions."""
    return [f"{name}0" for name in final_state_names(layer)]


def output_names(layer: Layer, count: int) -> list[str]:
    """Return the names of what a layer's forward returns."""
    y = ["y_forward", "y_backward"] if getattr(layer, "merge_mode", "") is None else ["y"]
    names = [*y, *final_state_names(layer)][:count]
    return [*names, *(f"y{i}" for i in range(len(names), count))]
