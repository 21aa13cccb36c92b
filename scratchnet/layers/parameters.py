"""What a layer holds: its name, its dtype and its parameters, in Keras's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from scratchnet import initializers
from scratchnet.arguments import checked_dtype, numeric, snake_case
from scratchnet.backend import Array, to_host, to_like
from scratchnet.device import checked_device, device_of, expect_beside, gpu_module, moved, to_device
from scratchnet.errors import CheckpointError, InputError

Shape = tuple[int | None, ...]
"""A shape with the batch axis, None where a size is not known."""


class Parameters:
    """Arrays by name, created by `build` and from then on only written into.

    Attributes
    ----------
    params : dict of str to array
        In Keras's weight order.  They live on the host until `to` is told where, or the first
        input comes and takes them to where it is; after that optimizers and `set_weights` write
        into the same arrays.
    grads : dict of str to array
        Same keys, same shapes; ``backward`` puts new arrays here.
    input_shape : tuple or None
        What the layer was built for.
    """

    def __init__(self, name: str | None, dtype: str | None) -> None:
        self.name = snake_case(type(self).__name__) if name is None else name
        if not isinstance(self.name, str) or not self.name or "/" in self.name:
            raise InputError(
                f"{type(self).__name__}: expected name to be a text without '/', got {name!r}. "
                "Leave it out for one made from the class."
            )
        self._dtype = np.dtype("float32" if dtype is None else self._checked_dtype(dtype))
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.input_shape: Shape | None = None
        self._device: str | None = None  # until `to` or the first input says
        self._stored: dict[str, Array] | None = None

    @property
    def dtype(self) -> str:
        """The dtype of parameters, outputs and gradients."""
        return self._dtype.name

    def set_dtype(self, dtype: str) -> None:
        """Compute in another dtype from now on; only before the parameters exist."""
        wanted = self._checked_dtype(dtype)
        if self.built and wanted != self.dtype:
            raise InputError(
                f"{self.name}: expected to stay {self.dtype}, which its parameters are, got "
                f"{wanted}. Make a new layer with dtype={wanted!r}."
            )
        self._dtype = np.dtype(wanted)

    @property
    def built(self) -> bool:
        """Whether the parameters exist."""
        return self.input_shape is not None

    @property
    def device(self) -> str:
        """Where the parameters are, or will be: ``"cpu"`` or ``"gpu"``."""
        return self._device or "cpu"

    def to(self, device: str) -> Self:
        """Take every array that is kept here to ``"cpu"`` or ``"gpu"``; return the layer.

        They are new arrays, unless they are there already.  A training forward made before is
        forgotten.

        Raises
        ------
        InputError
            If there is no such device.
        DeviceError
            If there is no GPU to use, or too little memory on it.
        """
        if checked_device(f"{self.name}.to", device) == "gpu":
            gpu_module()  # says what is missing before anything is moved, or is there to be moved
        self._take(lambda value: moved(value, device))
        self._device = device
        return self

    def build(self, input_shape: Shape) -> None:
        """Create the parameters for inputs of this full shape."""
        raise NotImplementedError(f"{type(self).__name__} has no build")

    def add_weight(self, key: str, shape: tuple[int, ...], initializer: Any) -> None:
        """Create the parameter ``key``, from its initializer or from what `restore` was given."""
        if self._stored is None:
            array = initializers.get(initializer)(shape, self.dtype)
        else:
            array = self._stored_weight(key, shape)
        self.params[key] = to_device(array, self.device)

    def _stored_weight(self, key: str, shape: tuple[int, ...]) -> Array:
        assert self._stored is not None
        array = self._stored.pop(key, None)
        if array is None or array.shape != shape:
            found = "none" if array is None else f"shape {array.shape}"
            raise CheckpointError(f"{self.name}: expected {key} of shape {shape}, found {found}")
        return array.astype(self.dtype)

    def restore(self, input_shape: Shape, arrays: Mapping[str, Array]) -> None:
        """Build from stored parameters; nothing is drawn, and nothing sized by a file's word.

        Raises
        ------
        CheckpointError
            If an array is missing, left over, or of the wrong shape.
        """
        self._stored = dict(arrays)
        try:
            self.build(input_shape)
            if self._stored:
                raise CheckpointError(f"{self.name}: unexpected arrays {', '.join(self._stored)}")
        finally:
            self._stored = None

    def get_weights(self) -> list[Array]:
        """Return copies of the parameters, in Keras's order."""
        return [array.copy() for array in self.params.values()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write ``weights`` into the parameters, in Keras's order; all of them or none."""
        write_weights(f"{self.name}.set_weights", list(self.params.items()), weights)

    def count_params(self) -> int:
        """Return the number of parameters."""
        return sum(array.size for array in self.params.values())

    def _checked_dtype(self, dtype: Any) -> str:
        return checked_dtype(type(self).__name__, dtype)

    def _place(self, x: Array) -> None:
        """Take the parameters to where the first input is; refuse one from elsewhere later."""
        if self._device is None:
            if self.params:
                self.params.update({key: to_like(array, x) for key, array in self.params.items()})
            self._device = device_of(x)
        else:
            expect_beside(type(self).__name__, "x", x, self._device, f"{self.name} is")

    def _take(self, move: Callable[[Any], Any]) -> None:
        """Replace everything that is kept here by ``move(it)``, which knows what is an array."""
        for name, value in list(vars(self).items()):
            setattr(self, name, move(value))


def write_weights(caller: str, params: list[tuple[str, Array]], weights: Sequence[Any]) -> None:
    """Write arrays into parameters after checking all of them, so that none is half-written.

    Raises
    ------
    InputError
        If there are more or fewer, or one has another shape or does not hold numbers.
    """
    weights = list(weights)
    if len(weights) != len(params):
        names = ", ".join(key for key, _ in params) or "there are none before the layer is built"
        raise InputError(
            f"{caller}: expected {len(params)} arrays ({names}), got {len(weights)}. "
            "Pass them in the order of get_weights."
        )
    arrays = []
    for (key, param), weight in zip(params, weights, strict=True):
        array = numeric(caller, key, weight)
        if array.shape != param.shape:
            raise InputError(
                f"{caller}: expected {key} of shape {param.shape}, got {array.shape}. "
                "Pass them in the order of get_weights."
            )
        arrays.append(array)
    for (_, param), array in zip(params, arrays, strict=True):
        here = device_of(array) == device_of(param)
        param[...] = array if here else to_like(to_host(array), param)
