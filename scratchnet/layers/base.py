"""What every layer does: shapes, dtype, and the pairing of forward with backward."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from scratchnet.arguments import construct, numeric
from scratchnet.backend import Array
from scratchnet.device import expect_beside
from scratchnet.errors import BackwardError, InputError
from scratchnet.layers.parameters import Parameters, Shape


class Layer(Parameters):
    """A function of one array with parameters, and the gradient of that function.

    Subclasses implement three methods; none of them may write into the arrays it is given:

    - ``_build(input_shape)`` creates ``params`` with `add_weight`;
    - ``_forward(x, training, mask) -> (y, cache)``;
    - ``_backward(dy, cache) -> dx`` sets ``grads``.

    Where ``dx`` costs something, ``_backward_to_params(dy, cache)`` may set ``grads`` without it.

    Parameters
    ----------
    name : str, optional
        Defaults to the class name in snake case; a model makes the names of its layers unique.
    dtype : {"float32", "float64"}, optional
        Inputs are cast to it; outputs and gradients have it.  float32 unless given here or by
        ``Sequential(..., dtype=)``.
    """

    min_rank: int = 2
    max_rank: float = math.inf
    """Ranks that ``x`` may have, batch axis included."""

    input_axes = "(batch, …, features)"

    def __init__(self, *, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(name, dtype)
        self._remembered: tuple[Any, tuple[int, ...]] | None = None
        self._seen: tuple[Any, tuple[int, ...]] = (object, ())

    def build(self, input_shape: Shape) -> None:
        """Create the parameters for inputs of this full shape, batch included.

        Optional: the first `forward` does it.  Building again for as many features changes
        nothing; for others it is an error.
        """
        try:
            shape = tuple(None if n is None else operator.index(n) for n in input_shape)
        except TypeError:
            raise InputError(
                f"{self.name}.build: expected input_shape to be a tuple of whole numbers or None, "
                f"got {input_shape!r}. Pass the full shape, for instance (None, 9)."
            ) from None
        self._check_rank(shape)
        self._check_features(shape)
        if not self.built:
            self._build(shape)
            self.input_shape = (None, *shape[1:])

    def __call__(self, x: Array, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`."""
        return self.forward(x, *args, **kwargs)

    def forward(self, x: Array, training: bool = False, mask: Array | None = None) -> Array:
        """Return the layer's output.

        With ``training=True`` what `backward` needs is kept, which may be ``x`` and the output
        themselves: write into neither before.  An inference forward disturbs nothing.

        Parameters
        ----------
        x : array
            Batch first.
        training : bool
            Whether a backward pass may follow (and whether dropout drops).
        mask : array of bool, shape (batch, time), optional
            False where a time step is padding.

        Raises
        ------
        InputError
            If ``x`` does not hold numbers or has the wrong rank or number of features.
        """
        x = self._ready(x)
        y, cache = self._forward(x, training, mask)
        if training:
            self._remember(cache, y)
        return y

    def backward(self, dy: Array, *, needs_dx: bool = True) -> Array | None:
        """Return the gradient of the loss with respect to ``x`` and set ``grads``.

        Goes back through the latest training forward, once.

        Parameters
        ----------
        dy : array
            Gradient of the loss with respect to the output; never written to.
        needs_dx : bool
            Whether the gradient with respect to ``x`` is wanted.  Without it the answer is None and
            only ``grads`` are set: training asks for none below the first parameters.

        Raises
        ------
        BackwardError
            Without a training forward to go back through, or twice after one.
        InputError
            If ``dy`` has another shape than the output.
        """
        cache, dy = self._recall(dy)
        if needs_dx:
            return self._backward(dy, cache)
        self._backward_to_params(dy, cache)
        return None

    left: ClassVar[tuple[str, ...]] = ("grads", "_remembered")
    """Attributes that hold something of a training step after it."""

    def left_by_a_step(self) -> dict[str, Any]:
        """Return what the latest training step has left here, by attribute name."""
        return {name: _own(vars(self)[name]) for name in self.left}

    def put_back(self, left: Mapping[str, Any]) -> None:
        """Hold what a step had left."""
        vars(self).update({name: _own(value) for name, value in left.items()})

    @property
    def is_recordable(self) -> bool:
        """Whether a training step on a device can be recorded with this layer in it.

        What a recording would miss is whatever the host does beside queueing work.
        """
        return True

    def compute_mask(self, x: Array, mask: Array | None = None) -> Array | None:
        """Return the mask that the next layer gets: the one given, unless a layer makes its own."""
        return mask

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's, batch included."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again, as JSON can hold them."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a layer from `get_config`'s answer."""
        return construct(cls, config)

    def state(self) -> dict[str, Any]:
        """Return what training changes beside the parameters, as JSON can hold it."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        if state:
            raise InputError(
                f"{type(self).__name__}: expected an empty state, since it keeps none, got one "
                f"with {', '.join(state)}. Restore the state that was saved with this layer."
            )

    # For subclasses

    def _build(self, input_shape: Shape) -> None:
        pass

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no _forward")

    def _backward(self, dy: Array, cache: Any) -> Array | None:
        raise NotImplementedError(f"{type(self).__name__} has no _backward")

    def _backward_to_params(self, dy: Array, cache: Any) -> None:
        self._backward(dy, cache)

    def _ready(self, x: Any) -> Array:
        """Cast and check an input; build on first use, where the input lives.

        Inputs like the last one, in module, dtype and features, need no second look.
        """
        if type(x) is self._seen[0] and x.dtype is self._dtype and x.shape[1:] == self._seen[1]:
            return x
        x = self._cast(x)
        if not self.built:
            self.build(x.shape)
        else:
            self._check_rank(x.shape)
            self._check_features(x.shape)
        self._place(x)
        if x.dtype is self._dtype:
            self._seen = (type(x), x.shape[1:])
        return x

    def _cast(self, x: Any) -> Array:
        return self._floats("x", x)

    def _floats(self, argument: str, value: Any) -> Array:
        """Return an array in the layer's dtype: the one given where it has it."""
        array = numeric(type(self).__name__, argument, value)
        self._expect_here(argument, array)
        return array if array.dtype == self._dtype else array.astype(self._dtype)

    def to(self, device: str) -> Self:
        """Take every array that is kept here to ``"cpu"`` or ``"gpu"``; see `Parameters.to`."""
        self.forget()
        self._seen = (object, ())
        return super().to(device)

    def forget(self) -> None:
        """Let go of what the latest training forward kept for `backward`."""
        self._remembered = None

    def _remember(self, cache: Any, y: Array) -> None:
        self._remembered = (cache, y.shape)

    def _recall(self, dy: Any) -> tuple[Any, Array]:
        if self._remembered is None:
            raise BackwardError(
                f"{self.name}.backward: there is no training forward to go back through. Call "
                "forward(x, training=True) first, and backward once after each."
            )
        cache, shape = self._remembered
        if getattr(dy, "dtype", None) is not self._dtype:
            dy = self._floats("dy", dy)
        elif type(dy) is not self._seen[0]:
            self._expect_here("dy", dy)
        if dy.shape != shape:
            raise InputError(
                f"{self.name}.backward: expected dy with the shape of the output, {shape}, "
                f"got {dy.shape}. Pass the gradient of the loss with respect to the output."
            )
        self._remembered = None
        return cache, dy

    def _expect_here(self, argument: str, array: Array) -> None:
        if self._device is not None:
            owner = type(self).__name__
            expect_beside(owner, argument, array, self._device, f"{self.name} is")

    def _check_rank(self, shape: Shape) -> None:
        rank = len(shape)
        if self.min_rank <= rank <= self.max_rank:
            return
        remedy = "Reshape it."
        if rank == self.min_rank - 1:
            remedy = "Add a features axis: x[..., np.newaxis]."
            if rank == 1:
                remedy = "Add a batch axis, x[np.newaxis], or a features axis, x[..., np.newaxis]."
        raise InputError(
            f"{type(self).__name__}: expected x of shape {self.input_axes}, got {shape}. {remedy}"
        )

    def _check_features(self, shape: Shape) -> None:
        if self.input_shape and self.params and shape[-1] != self.input_shape[-1]:
            raise InputError(
                f"{type(self).__name__}: expected x with {self.input_shape[-1]} features, which "
                f"the layer was built for, got {shape[-1]} in shape {shape}. Pass arrays of the "
                "same width, or make a new layer."
            )


def _own(value: Any) -> Any:
    """Return a dict that the next step can write into, and anything else as it is."""
    return dict(value) if isinstance(value, dict) else value
