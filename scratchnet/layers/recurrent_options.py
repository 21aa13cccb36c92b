"""The arguments that the recurrent layers share, their parameters, states and dropout masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from scratchnet import initializers
from scratchnet.arguments import FRACTION, positive_integer, real
from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.kernels.sweep import Sweep
from scratchnet.layers.activation import Identifier, get_activation
from scratchnet.layers.base import Layer
from scratchnet.layers.masks import MaskSource
from scratchnet.layers.parameters import Shape


class RecurrentOptions(Layer):
    """Arguments, parameters, states and masks; `Recurrent` adds the passes over time.

    Parameters
    ----------
    units : int
        H, the length of a state.
    activation : str or function
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str, dict or initializer
    dropout, recurrent_dropout : float
        Share of the inputs, of the previous state, that is dropped in training, the same at every
        time step.  With ``recurrent_dropout`` each gate has masks of its own, as in Keras.
    seed : int, optional
        Seed of the masks.
    return_sequences : bool
        Whether to return the output of every time step, not of the last alone.
    return_state : bool
        Whether to return the final states too.
    go_backwards : bool
        Whether time runs backwards; outputs come in processing order.
    stateful : bool
        Whether the next forward starts from where this one stopped; see `reset_state`.
    zero_output_for_mask : bool
        Whether a masked step's output is zero, not the previous output.
    page : bool, optional
        Run the page's equations, not the kernel; unless given, the environment variable
        ``SCRATCHNET_PAGE`` decides.
    """

    left = (*Layer.left, "dropout_masks", "_d_initial_state")
    min_rank = max_rank = 3
    input_axes = "(batch, time, features)"

    gates: ClassVar[int]
    """How many blocks of H columns the weights have."""
    state_names: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        units: int,
        activation: Identifier = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        page: bool | None = None,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        self.units = positive_integer(owner, "units", units)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.dropout = real(owner, "dropout", dropout, FRACTION)
        self.recurrent_dropout = real(owner, "recurrent_dropout", recurrent_dropout, FRACTION)
        self._masks = MaskSource(owner, seed)
        self.seed = self._masks.seed
        self.dropout_masks: tuple[Array | None, Array | None] = (None, None)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.page = page
        self.states: tuple[Array, ...] | None = None
        self._sweeps: dict[
            tuple[int, int], Sweep
        ] = {}  # by part and stage; training uses them again
        self._takes_alike = True  # until a backward pass wants each row's own gradient
        self._d_initial_state: tuple[Array, ...] | None = None

    def _build(self, input_shape: Shape) -> None:
        owner, H = type(self).__name__, self.units
        features = positive_integer(owner, "the last axis of x", input_shape[-1])
        self.add_weight("kernel", (features, self.gates * H), self.kernel_initializer)
        self.add_weight("recurrent_kernel", (H, self.gates * H), self.recurrent_initializer)
        if self.use_bias:
            self.add_weight("bias", self._bias_shape(), self.bias_initializer)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _biases(self, like: Array) -> Array:
        """Return the bias, zeros where the layer has none."""
        if self.use_bias:
            return self.params["bias"]
        return array_module(like).zeros(self._bias_shape(), dtype=like.dtype)

    def _named(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        """Return the gradients of the parameters that there are, in their order."""
        return {key: gradients[key] for key in self.params}

    # States

    def _first_states(self, x: Array, given: Sequence[Any] | None) -> tuple[Array, ...]:
        if given is None:
            given = self.states or [None] * len(self.state_names)
        return self._checked_states("initial_state", given, x)

    def _checked_states(self, argument: str, given: Any, like: Array) -> tuple[Array, ...]:
        shape, count = (*like.shape[:1], self.units), len(self.state_names)
        if not isinstance(given, (tuple, list)) or len(given) != count:
            got = f"{len(given)}" if isinstance(given, (tuple, list)) else type(given).__name__
            raise InputError(
                f"{self.name}: expected {argument} to be a tuple of {count} "
                f"({', '.join(self.state_names)}), got {got}. Write it as a tuple, also for one."
            )
        zeros = array_module(like).zeros(shape, dtype=like.dtype)
        states = tuple(zeros if s is None else self._floats(argument, s) for s in given)
        for state_name, state in zip(self.state_names, states, strict=True):
            if state.shape != shape:
                remedy = "One row a sample, one column a unit."
                if self.states is not None and argument == "initial_state":
                    remedy = "A stateful layer needs the same batch size until reset_state."
                raise InputError(
                    f"{self.name}: expected {argument} {state_name} of shape {shape}, got "
                    f"{state.shape}. {remedy}"
                )
        return states

    def _checked_d_state(self, dy: Array, d_state: Any) -> tuple[Array, ...]:
        given = [None] * len(self.state_names) if d_state is None else d_state
        return self._checked_states("d_state", given, dy)

    # Masks

    def _checked_mask(self, x: Array, mask: Any) -> Array | None:
        if mask is None:
            return None
        self._expect_here("mask", mask)
        mask = array_module(x).asarray(mask)
        if mask.shape != x.shape[:2] or mask.dtype.kind != "b":
            raise InputError(
                f"{self.name}: expected mask to be boolean of shape {x.shape[:2]}, got "
                f"{mask.dtype} of shape {mask.shape}. True marks a step that counts."
            )
        return mask

    def _draw_masks(self, x: Array) -> tuple[Array | None, Array | None]:
        """Return masks for x and for h: (B, D) for all gates, or (G, B, D) and (G, B, H)."""
        xp, (B, _, D) = array_module(x), x.shape
        x_masks = h_masks = None
        if self.recurrent_dropout:
            h_masks = xp.stack(
                [
                    self._masks.draw((B, self.units), self.recurrent_dropout, x)
                    for _ in range(self.gates)
                ]
            )
        if self.dropout:
            count = self.gates if self.recurrent_dropout else 1
            x_masks = xp.stack([self._masks.draw((B, D), self.dropout, x) for _ in range(count)])
            x_masks = x_masks if self.recurrent_dropout else x_masks[0]
        self.dropout_masks = (x_masks, h_masks)
        return x_masks, h_masks

    # Shapes and settings

    def compute_mask(self, x: Array, mask: Array | None = None) -> Array | None:
        """Return the mask, if there is a sequence for it."""
        return mask if self.return_sequences else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (B, T, H) or (B, H)."""
        steps = input_shape[1:2] if self.return_sequences else ()
        return (input_shape[0], *steps, self.units)

    def state(self) -> dict[str, Any]:
        """Return what the masks go on from."""
        return self._masks.state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._masks.set_state(state)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again; ``page`` is not one of them."""
        options = ("use_bias", "dropout", "recurrent_dropout", "seed", "return_sequences",
                   "return_state", "go_backwards", "stateful", "zero_output_for_mask")  # fmt: skip
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation.config(),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            **{option: getattr(self, option) for option in options},
        }
