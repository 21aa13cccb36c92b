"""A scratchnet layer as something to check: its forward pass, and the backward pass it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.own_shared import (
    copied,
    forget,
    in_float64,
    innermost,
    output_names,
    put_parameters,
    random_input,
    random_parameters,
    random_states,
    rewound,
)
from scratchnet.layers import Layer

X_AXES = {1: ("B",), 2: ("B", "D"), 3: ("B", "T", "D"), 4: ("B", "T", "", "D")}


class LayerSubject(Subject):
    """A scratchnet layer, or one that a user derived from `Layer`, with random parameters.

    The layer is copied.  Where it computes in float32, `run` is that of a float64 copy with the
    same parameters, so that differences are exact, and `pull` is the layer's own.

    Parameters
    ----------
    layer : Layer
    input_shape : tuple of int
        Batch included.
    seed : int
    mask : array of bool, shape (B, T), optional
        For the layers that take one.
    initial_state : bool
        Whether a recurrent layer gets random initial states, which are differentiated too.
    keep : bool
        Whether the layer keeps its weights instead of random ones.

    Attributes
    ----------
    precision : str
        What `run` computes in: float64 unless the layer cannot be had in it.
    """

    def __init__(
        self,
        layer: Layer,
        input_shape: Sequence[int],
        *,
        seed: int = 0,
        mask: Array | None = None,
        initial_state: bool = True,
        keep: bool = False,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.layer = copied(layer)
        self.layer.build(tuple(input_shape))
        parameters = (
            {name: array.astype(np.float64) for name, array in self.layer.params.items()}
            if keep
            else random_parameters(self.layer, rng)
        )
        states = random_states(self.layer, input_shape[0], rng) if initial_state else {}
        takes_ids = innermost(layer)
        arrays = {"x": random_input(takes_ids, input_shape, rng), **states}
        if mask is not None:
            arrays["mask"] = np.asarray(mask, bool)
        arrays |= parameters
        ids = arrays["x"].dtype.kind in "iu"
        super().__init__(
            name=type(layer).__name__,
            arrays=arrays,
            wrt=(*([] if ids else ["x"]), *states, *parameters),
            parameters=tuple(parameters),
            dtype=layer.dtype,
            like=type(layer).__name__.lower() if type(layer).__module__.startswith("scratchnet.")
            else "",
        )  # fmt: skip
        self.state_names = tuple(states)
        self._settle()
        self.exact, self.precision = self._in_float64()
        self.axes = self._axes(len(input_shape), ids)

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return ``y`` (``y_forward`` and ``y_backward`` where nothing merges them) and states."""
        return self._forward(self.exact, arrays)[0]

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        """Run the layer forward and backward; see `Subject.pull`."""
        layer = copied(self.layer)
        for _ in range(times):
            outputs, given = self._forward(layer, arrays)
            before = {name: array.copy() for name, array in given.items()}
            d = {
                name: np.asarray(upstream[name], layer.dtype).copy()
                if name in upstream
                else np.zeros_like(outputs[name])
                for name in outputs
            }
            sent = {name: array.copy() for name, array in d.items()}
            dx = self._backward(layer, d)
        gradients = {} if dx is None else {"x": dx}
        gradients |= dict(
            zip(self.state_names, getattr(layer, "d_initial_state", ()), strict=False)
        )
        gradients |= {name: layer.grads[name] for name in self.parameters if name in layer.grads}
        changed = [name for name, a in given.items() if not np.array_equal(a, before[name])]
        if any(not np.array_equal(d[name], sent[name]) for name in d):
            changed.append("upstream")
        copies = {name: np.array(gradient) for name, gradient in gradients.items()}
        after = {name: np.array(given[name]) for name in changed if name in given}
        return Pulled(outputs, copies, tuple(changed), after)

    def trained(self, arrays: Arrays) -> Layer:
        """Return a copy of the layer after a training forward on these arrays."""
        layer = copied(self.layer)
        self._forward(layer, arrays)
        return layer

    def upstream_of(self, upstream: Arrays) -> tuple[Any, tuple[Array, ...] | None]:
        """Return ``dy`` and ``d_state`` as the layer's ``backward`` takes them."""
        names = list(self.outputs)
        count = 2 if names[0] == "y_forward" else 1
        dy = tuple(upstream[name] for name in names[:count])
        return dy if count == 2 else dy[0], tuple(upstream[n] for n in names[count:]) or None

    def _forward(self, layer: Layer, arrays: Arrays) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the outputs by name, and the arrays that were passed."""
        put_parameters(layer, {name: arrays[name] for name in self.parameters})
        forget(layer)
        layer.set_state(self._random_state)
        x = np.array(arrays["x"])
        given = {"x": x if x.dtype.kind in "iu" else x.astype(layer.dtype)}
        options: dict[str, Any] = {}
        if "mask" in arrays:
            given["mask"] = np.array(arrays["mask"])
            options["mask"] = given["mask"]
        if self.state_names:
            given |= {name: np.array(arrays[name], layer.dtype) for name in self.state_names}
            options["initial_state"] = tuple(given[name] for name in self.state_names)
        y = layer.forward(given["x"], training=True, **options)
        results = list(y) if isinstance(y, tuple) else [y]
        names = output_names(layer, len(results))
        self.outputs = tuple(names)
        outputs = {n: np.array(result) for n, result in zip(names, results, strict=True)}
        return outputs, {**given, **{name: layer.params[name] for name in self.parameters}}

    def _backward(self, layer: Any, d: dict[str, Array]) -> Array | None:
        dy, d_state = self.upstream_of(d)
        return layer.backward(dy, d_state=d_state) if d_state else layer.backward(dy)

    def _settle(self) -> None:
        """Let dropout choose its seed, which every run then starts from."""
        self._random_state: dict[str, Any] = {}
        layer = self.layer
        started = layer.state()
        self._random_state = started
        self._forward(layer, self.arrays)
        self._random_state = rewound(layer.state(), started)

    def _in_float64(self) -> tuple[Layer, str]:
        """Return the layer in float64, and ``"float64"``; itself where that cannot be had."""
        if self.layer.dtype == "float64":
            return copied(self.layer), "float64"
        try:
            twin = in_float64(self.layer)
            ours = self._forward(copied(self.layer), self.arrays)[0]
            theirs = self._forward(twin, self.arrays)[0]
        except (TypeError, ValueError, AttributeError):
            return copied(self.layer), "float32"
        values = list(theirs.values())
        exact = all(y.dtype == np.float64 for y in values) and not all(
            np.array_equal(y, y.astype(np.float32)) for y in values if y.any()
        )
        alike = all(np.allclose(ours[name], theirs[name], 1e-3, 1e-4) for name in ours)
        if exact and alike:
            return twin, "float64"
        return copied(self.layer), "float32"

    def _axes(self, rank: int, ids: bool) -> dict[str, tuple[str, ...]]:
        axes: dict[str, tuple[str, ...]] = {"x": ("B", "T", "")[:rank] if ids else X_AXES[rank]}
        axes |= dict.fromkeys(self.state_names, ("B", "H")) | {"mask": ("B", "T")}
        for name in self.parameters:
            axes[name] = _parameter_axes(name, self.arrays[name].ndim)
        shapes = {name: y.shape for name, y in self.run(self.arrays).items()}
        for name, shape in shapes.items():
            time = len(shape) > 2 and shape[1] == self.arrays["x"].shape[1]
            rest = ("",) * (len(shape) - 2 - time)
            axes[name] = ("B", *(["T"] if time else []), *rest, "H")[: len(shape)]
        return {
            name: names for name, names in axes.items() if name in shapes or name in self.arrays
        }


def _parameter_axes(name: str, ndim: int) -> tuple[str, ...]:
    key = name.rpartition("/")[2]
    first = {"kernel": "D", "recurrent_kernel": "H", "embeddings": "V"}.get(key, "")
    return (first, "gates")[-ndim:] if ndim < 3 else ("",) * ndim
