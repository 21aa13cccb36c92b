"""A stack of layers: forward through them in order, backward in reverse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from scratchnet.arguments import checked_dtype
from scratchnet.backend import Array
from scratchnet.captured import Steps
from scratchnet.checkpoint import load_model, save_model
from scratchnet.device import checked_device, gpu_module
from scratchnet.errors import DeviceError, InputError
from scratchnet.layers import Bidirectional, Embedding, Layer
from scratchnet.layers.activation import ActivatedLayer
from scratchnet.layers.parameters import Shape, write_weights
from scratchnet.layers.recurrent import Recurrent
from scratchnet.training import Trainer


class Sequential(Trainer):
    """Layers one after the other.

    Parameters
    ----------
    layers : sequence of Layer, optional
        More can be added with `add`.
    name : str, optional
    dtype : {"float32", "float64"}, optional
        Dtype of every layer; where it is not given, each keeps its own.

    Examples
    --------
    >>> model = Sequential([Dense(9, activation="relu"), Dense(1, activation="sigmoid")])
    >>> model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    >>> history = model.fit(x, y, batch_size=10, epochs=3)
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        *,
        name: str = "sequential",
        dtype: str | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise InputError(
                f"Sequential: expected name to be a text, got {name!r}. Leave it out for one."
            )
        self.name = name
        self.given_dtype = None if dtype is None else checked_dtype("Sequential", dtype)
        self._given_device: str | None = None
        self.layers: list[Layer] = []
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Put a layer on top; its name is made unique in this model.

        Raises
        ------
        InputError
            If it is not a layer, or is in the model already.
        """
        if not isinstance(layer, Layer):
            raise InputError(
                f"Sequential: expected layers of scratchnet.layers, got {layer!r}. "
                "Make one, for instance Dense(9)."
            )
        if any(layer is other for other in self.layers):
            raise InputError(
                f"Sequential: expected each layer once, got {layer.name!r} again. A layer "
                "remembers one forward pass: make a second one."
            )
        if self.given_dtype is not None:
            layer.set_dtype(self.given_dtype)
        if self._given_device is not None:
            layer.to(self._given_device)
        taken = {other.name for other in self.layers}
        base, count = layer.name, 0
        while layer.name in taken:
            count += 1
            layer.name = f"{base}_{count}"
        self.layers.append(layer)

    @property
    def dtype(self) -> str:
        """Dtype of the output."""
        return self.layers[-1].dtype if self.layers else self.given_dtype or "float32"

    @property
    def built(self) -> bool:
        """Whether every layer has its parameters."""
        return bool(self.layers) and all(layer.built for layer in self.layers)

    def build(self, input_shape: Shape) -> None:
        """Create the parameters for inputs of this full shape, batch included."""
        shape = input_shape
        for layer in self._layers():
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    # Where it is

    @property
    def device(self) -> str:
        """Where the model is, or will be: ``"cpu"`` or ``"gpu"``."""
        return self.layers[0].device if self.layers else self._given_device or "cpu"

    def to(self, device: str) -> Self:
        """Take the model, and its optimizer's memory, to ``"cpu"`` or ``"gpu"``; return it.

        What it is given must be there too: `scratchnet.to_device`.  Without this call the first
        input's device is the model's.

        Raises
        ------
        InputError
            If there is no such device.
        DeviceError
            If there is no GPU to use, or too little memory on it; the model stays where it was.
        """
        before = self.device
        if checked_device(f"{type(self).__name__}.to", device) == "gpu":
            gpu_module()
        self._given_device = device
        movable = [*self.layers, *([self.optimizer] if self.optimizer is not None else [])]
        try:
            for one in movable:
                one.to(device)
        except DeviceError:
            self._given_device = before
            for one in movable:
                one.to(before)
            raise
        finally:
            self._steps = Steps()  # recordings hold the arrays that they were made with
        return self

    # Forward and backward

    def __call__(self, x: Array, training: bool = False) -> Array:
        """Run `forward`."""
        return self.forward(x, training)

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the output of the last layer."""
        return self.forward_with_mask(x, training)[0]

    def forward_with_mask(self, x: Array, training: bool = False) -> tuple[Array, Array | None]:
        """Return the output and the mask of its time steps."""
        return _through(self._layers(), x, training)

    def forward_with_logits(
        self, x: Array, training: bool = False
    ) -> tuple[Array, Array, Array | None]:
        """Return the last layer's pre-activations, the output, and its mask."""
        *first, last = self._layers()
        assert isinstance(last, ActivatedLayer)
        x, mask = _through(first, x, training)
        logits, y = last.forward_with_logits(x, training, mask)
        return logits, y, last.compute_mask(x, mask)

    def forward_to_logits(self, x: Array) -> tuple[Array, Array | None]:
        """Return the last layer's pre-activations alone, and its mask, in training."""
        *first, last = self._layers()
        assert isinstance(last, ActivatedLayer)
        x, mask = _through(first, x, training=True)
        return last.forward_to_logits(x, mask), last.compute_mask(x, mask)

    def backward(
        self, dy: Array, from_logits: bool = False, *, needs_dx: bool = True
    ) -> Array | None:
        """Set every layer's ``grads`` and return the gradient with respect to x.

        ``dy`` is the gradient with respect to the output, or, ``from_logits``, with respect to the
        last layer's pre-activations.  Without ``needs_dx`` the way ends at the lowest layer that
        has parameters, and None comes back.

        Raises
        ------
        BackwardError
            Without a training forward to go back through, or twice after one.
        InputError
            If ``dy`` has another shape than the output, or a layer of token ids is not the first.
        """
        layers = self._layers()
        last, lowest = layers[-1], layers[0] if needs_dx else self._lowest_with_params()
        dx: Array | None = dy
        for i, layer in reversed(list(enumerate(layers))):
            if dx is None:
                raise InputError(
                    f"{layer.name}: expected a gradient from the layer above, got none, since that "
                    "one's inputs are token ids. Put it first."
                )
            wanted = needs_dx or layer is not lowest
            if from_logits and layer is last:
                assert isinstance(layer, ActivatedLayer)
                dx = layer.backward_from_logits(dx, needs_dx=wanted)
            elif isinstance(layer, (Recurrent, Bidirectional)):
                sum_alike = not wanted or (i > 0 and isinstance(layers[i - 1], Embedding))
                dx = layer.backward(dx, needs_dx=wanted, sum_alike=sum_alike)
            else:
                # a layer of the user's own may not know the argument
                dx = layer.backward(dx) if wanted else layer.backward(dx, needs_dx=False)
            if layer is lowest:
                break
        for below in layers[: layers.index(lowest)]:
            below.forget()
        return dx

    # Weights

    def get_weights(self) -> list[Array]:
        """Return copies of all parameters, layer by layer, in Keras's order."""
        return [array for layer in self.layers for array in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all parameters, or none if one does not fit."""
        params = [
            (f"{layer.name}/{key}", array)
            for layer in self.layers
            for key, array in layer.params.items()
        ]
        write_weights("Sequential.set_weights", params, weights)

    def count_params(self) -> int:
        """Return the number of parameters."""
        return sum(layer.count_params() for layer in self.layers)

    def summary(self) -> None:
        """Print each layer with its output's shape and its number of parameters."""
        print(self.describe())

    def describe(self) -> str:
        """Return what `summary` prints."""
        rows = [("layer", "output shape", "parameters")]
        for layer in self.layers:
            shape, count = "not built", "?"
            if layer.input_shape is not None:
                shape = str(layer.compute_output_shape(layer.input_shape))
                count = f"{layer.count_params():,}"
            rows.append((f"{layer.name} ({type(layer).__name__})", shape, count))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        lines.insert(1, "-" * len(lines[0]))
        total = f"{self.count_params():,} parameters" if self.built else "not built"
        return "\n".join([*lines, f"{total}, {self.dtype}"])

    def __repr__(self) -> str:
        names = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in self.layers)
        return f"<{type(self).__name__} {self.name!r}: {names or 'no layers'}>"

    # Saving

    def save(self, path: str | Path) -> None:
        """Write layers, weights and, if compiled, loss, metrics and the optimizer with its state.

        The file is an ``.npz`` without pickle.  It is written whole or not at all: a failure, or a
        kill, leaves what was there before.

        Raises
        ------
        InputError
            If a layer, loss, metric or optimizer is not one of scratchnet's own.
        OSError
            If the file cannot be written.
        """
        save_model(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote: no pickle, nothing executed.

        Training goes on from there with the same bits as if it had not stopped: see `fit`.

        Raises
        ------
        CheckpointError
            If the file is missing, truncated, foreign, or does not describe a model.
        """
        return load_model(cls, path)

    def _lowest_with_params(self) -> Layer:
        for layer in self.layers:
            if layer.params:
                return layer
        return self.layers[-1]

    def _layers(self) -> list[Layer]:
        if not self.layers:
            raise InputError(
                "Sequential: expected a model with layers, got none. Give it some, or call add."
            )
        return self.layers


def _through(layers: list[Layer], x: Array, training: bool) -> tuple[Array, Array | None]:
    mask = None
    for layer in layers:
        y = layer.forward(x, training=training, mask=mask)
        if isinstance(y, tuple):
            raise InputError(
                f"Sequential: expected {layer.name} to return one array, got {len(y)}. Leave out "
                "return_state, and give a Bidirectional a merge_mode."
            )
        mask = layer.compute_mask(x, mask)
        x = y
    return x, mask
