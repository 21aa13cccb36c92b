"""A scratchnet model as something to check: its loss, as a function of all its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import losses
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.own_loss import targets
from scratchnet.gradcheck.subjects.own_shared import (
    copied,
    forget,
    in_float64,
    innermost,
    put_parameters,
    random_input,
    random_parameters,
    rewound,
)
from scratchnet.model import Sequential


class ModelSubject(Subject):
    """A model's loss, differentiated with respect to its parameters, ``dense/kernel`` and so on.

    The model is copied and gets random parameters.  In float32, differences are taken on a float64
    copy with the same parameters.

    Parameters
    ----------
    model : Sequential
    x : array, or tuple of int
        An input, or its shape, batch included.
    y : array, optional
        Targets; random ones that suit the loss unless given.
    loss : Loss or str, optional
        Unless the model is compiled, or for another loss.
    seed : int

    Raises
    ------
    InputError
        If there is no loss.
    """

    precision = "float64"

    def __init__(
        self,
        model: Sequential,
        x: Array | Sequence[int],
        y: Array | None = None,
        *,
        loss: Any = None,
        seed: int = 0,
    ) -> None:
        if loss is None and getattr(model, "loss", None) is None:
            raise InputError(
                "check_model: expected a compiled model, or a loss, got neither. Pass loss=, or "
                "call model.compile(optimizer='sgd', loss=...) first."
            )
        rng = np.random.default_rng(seed)
        self.model = copied(model)
        if not isinstance(x, np.ndarray):
            x = random_input(innermost(model.layers[0]), x, rng)
        self.model.build(x.shape)
        parameters: dict[str, Array] = {}
        for layer in self.model.layers:
            own = random_parameters(layer, rng)
            parameters |= {f"{layer.name}/{key}": array for key, array in own.items()}
        if loss is not None:
            self.model.compile(optimizer="sgd", loss=losses.get(loss))
        self._states = [layer.state() for layer in self.model.layers]
        y_pred = self.model.forward(x, training=True)
        self._states = [
            rewound(layer.state(), then)
            for layer, then in zip(self.model.layers, self._states, strict=True)
        ]
        if y is None:
            y = targets(self.model.loss, np.asarray(y_pred, np.float64), rng)
        arrays = {"x": np.array(x), "y_true": np.array(y)}
        super().__init__(
            name=model.name,
            arrays={**arrays, **parameters},
            wrt=tuple(parameters),
            parameters=tuple(parameters),
            dtype=self.model.dtype,
            axes={name: ("B",) + ("",) * (a.ndim - 1) for name, a in arrays.items() if a.ndim},
        )
        self.exact = copied(self.model)
        self.exact.layers = [in_float64(layer) for layer in self.exact.layers]

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return ``loss``."""
        loss, _ = self._gradients(self.exact, arrays)
        return {"loss": np.asarray(loss)}

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        """Return the loss and the model's gradients, times that of the loss itself."""
        model = copied(self.model)
        for _ in range(times):
            loss, gradients = self._gradients(model, arrays)
        scale = np.asarray(upstream.get("loss", 0.0), self.dtype)
        return Pulled(
            {"loss": np.asarray(loss)},
            {key: scale * gradient for key, gradient in gradients.items()},
        )

    def trained(self, arrays: Arrays) -> Sequential:
        """Return a copy of the model after a training forward on these arrays."""
        model = copied(self.model)
        self._gradients(model, arrays)
        return model

    def _gradients(self, model: Sequential, arrays: Arrays) -> tuple[float, dict[str, Array]]:
        for layer, state in zip(model.layers, self._states, strict=True):
            own = {key: arrays[f"{layer.name}/{key}"] for key in layer.params}
            put_parameters(layer, own)
            forget(layer)
            layer.set_state(state)
        loss, gradients = model.gradients(np.array(arrays["x"]), np.array(arrays["y_true"]))
        return loss, {
            f"{layer.name}/{key}": gradient
            for layer, own in zip(model.layers, gradients, strict=True)
            for key, gradient in own.items()
        }
