"""A scratchnet model with its own weights as something to check: forward through all layers, back.

Unlike `own_model`, no loss is needed: the gradient that arrives at the output is random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.own_shared import copied, forget, put_parameters, rewound
from scratchnet.layers import Layer, Masking
from scratchnet.model import Sequential

Twin = Callable[[Sequential, Array, Array], Mapping[str, Array]]
"""What another engine says: of a model after a training forward on x, and dy; by our names."""


class StackSubject(Subject):
    """A built model's output as a function of its input and of all its parameters.

    The model is copied and keeps its weights.

    Parameters
    ----------
    model : Sequential
        In float64.
    x : array
    twin : function, optional
        Returns another engine's gradients.
    """

    precision = "float64"

    def __init__(self, model: Sequential, x: Array, twin: Twin | None = None) -> None:
        self.model, self.twin = copied(model), twin
        parameters = {
            f"{layer.name}/{key}": np.array(array)
            for layer in self.model.layers
            for key, array in layer.params.items()
        }
        # a step that is masked for its value has a neighbourhood in which it is not
        fixed = x.dtype.kind in "iu" or any(isinstance(one, Masking) for one in self.model.layers)
        super().__init__(
            name=model.name,
            arrays={"x": x, **parameters},
            wrt=(*([] if fixed else ["x"]), *parameters),
            parameters=tuple(parameters),
            dtype=model.dtype,
            axes={"x": ("B",) + ("",) * (x.ndim - 1)},
        )
        started = [layer.state() for layer in self.model.layers]
        self._states = started
        self._forward(self.model, self.arrays)
        self._states = [
            rewound(layer.state(), then)
            for layer, then in zip(self.model.layers, started, strict=True)
        ]

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return ``y``."""
        return {"y": self._forward(copied(self.model), arrays)}

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        """Run the model forward and backward; see `Subject.pull`."""
        model = copied(self.model)
        for _ in range(times):
            y = self._forward(model, arrays)
            dx = model.backward(np.asarray(upstream.get("y", np.zeros_like(y)), model.dtype))
        gradients = {} if dx is None or "x" not in self.wrt else {"x": dx}
        gradients |= {
            f"{layer.name}/{key}": np.array(gradient)
            for layer in model.layers
            for key, gradient in layer.grads.items()
        }
        return Pulled({"y": y}, gradients)

    def asked(self, arrays: Arrays, upstream: Arrays) -> dict[str, Array] | None:
        """Return what the twin says of what is differentiated here."""
        if self.twin is None:
            return None
        model = copied(self.model)
        self._forward(model, arrays)
        found = self.twin(model, arrays["x"], upstream["y"])
        return {name: found[name] for name in self.wrt if name in found}

    def _forward(self, model: Sequential, arrays: Arrays) -> Array:
        for layer, state in zip(model.layers, self._states, strict=True):
            put_parameters(layer, {key: arrays[f"{layer.name}/{key}"] for key in layer.params})
            forget(layer)
            layer.set_state(state)
        return np.array(model.forward(np.array(arrays["x"]), training=True))


def inputs_of(model: Sequential, x: Array) -> Iterator[tuple[Layer, tuple[int, ...], Array | None]]:
    """Yield each layer with the shape and the mask of what comes into it."""
    mask = None
    for layer in model.layers:
        yield layer, x.shape, mask
        y = layer.forward(x, mask=mask)
        forget(layer)
        mask = layer.compute_mask(x, mask)
        x = y
