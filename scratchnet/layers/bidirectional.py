"""Both directions of a recurrent layer."""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.layers.parameters import Shape
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.wrapper import Wrapper, described, made

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Wrapper):
    r"""Run a recurrent layer over time in both directions (Schuster & Paliwal 1997).

    ============  ===========================================  =============================
    merge_mode    y                                            dy's way back
    ============  ===========================================  =============================
    ``concat``    :math:`[y_f, y_b]`                           each half to its direction
    ``sum``       :math:`y_f + y_b`                            dy to both
    ``ave``       :math:`\frac12 (y_f + y_b)`                  half of dy to both
    ``mul``       :math:`y_f \odot y_b`                        dy times the other direction
    None          :math:`(y_f, y_b)`                           a tuple comes back too
    ============  ===========================================  =============================

    Sequences of both directions are in input order.  As in Keras, a masked step of a sequence gives
    zero here, where the layer alone would repeat its output.

    Parameters
    ----------
    layer : Recurrent
        Its configuration makes both directions; states are those of forward, then of backward.
    merge_mode : {"concat", "sum", "mul", "ave", None}
    backward_layer : Recurrent, optional
        For the way back, with ``go_backwards``, where it is to differ.
    """

    min_rank = max_rank = 3
    input_axes = "(batch, time, features)"

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        backward_layer: Any = None,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        layer = made(layer)
        if not isinstance(layer, Recurrent) or layer.go_backwards:
            raise InputError(
                "Bidirectional: expected layer to be a recurrent layer that goes forwards, got "
                f"{layer!r}. Pass for instance LSTM(8)."
            )
        if merge_mode not in MERGE_MODES:
            raise InputError(
                "Bidirectional: expected merge_mode to be one of "
                f"{', '.join(map(str, MERGE_MODES))}, got {merge_mode!r}. Leave it out for concat."
            )
        config = layer.get_config()
        base = layer.name.removeprefix("forward_")
        twin = {**config, "name": f"backward_{base}", "go_backwards": True}
        way_back = type(layer)(**twin) if backward_layer is None else made(backward_layer)
        self.forward_layer = type(layer)(**{**config, "name": f"forward_{base}"})
        self.backward_layer = self._checked_pair(layer, way_back)
        for direction in (self.forward_layer, self.backward_layer):
            direction.page = layer.page
            direction.zero_output_for_mask = layer.return_sequences
        self._own_backward = backward_layer is not None
        self.merge_mode = merge_mode
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful
        inner = {"forward": self.forward_layer, "backward": self.backward_layer}
        super().__init__(inner, name, dtype)

    def forward(
        self,
        x: Array,
        training: bool = False,
        mask: Array | None = None,
        initial_state: tuple[Array, ...] | None = None,
    ) -> Any:
        """Return ``y``, or ``(y, *states)`` with ``return_state``; see `Recurrent.forward`."""
        x = self._ready(x)
        n = len(self.forward_layer.state_names)
        halves = (None, None) if initial_state is None else (initial_state[:n], initial_state[n:])
        y_f = self.forward_layer.forward(x, training, mask, halves[0])
        y_b = self.backward_layer.forward(x, training, mask, halves[1])
        states: tuple[Array, ...] = ()
        if self.return_state:
            (y_f, *states_f), (y_b, *states_b) = y_f, y_b
            states = (*states_f, *states_b)
        if self.return_sequences:
            y_b = y_b[:, ::-1]
        y = self._merge(y_f, y_b)
        if training:
            self._remember((y_f, y_b), y if self.merge_mode else y_f)
        if self.return_state:
            return (*y, *states) if self.merge_mode is None else (y, *states)
        return y

    def backward(
        self,
        dy: Any,
        d_state: tuple[Array | None, ...] | None = None,
        *,
        needs_dx: bool = True,
        sum_alike: bool = False,
    ) -> Array | None:
        """Return ``dx``; see `Recurrent.backward`.  ``dy`` is a tuple where y is one."""
        n = len(self.forward_layer.state_names)
        halves = (None, None) if d_state is None else (d_state[:n], d_state[n:])
        first = self._floats("dy", dy[0] if self.merge_mode is None else dy)
        both = (self.forward_layer, self.backward_layer)
        for layer, half in zip(both, halves, strict=True):
            layer._checked_d_state(first, half)  # before the forward pass is used up
        if self.merge_mode is None:
            (y_f, y_b), dy_f = self._recall(dy[0])
            dy_b = self._floats("dy", dy[1])
        else:
            (y_f, y_b), dy = self._recall(dy)
            dy_f, dy_b = self._split(dy, y_f, y_b)
        if self.return_sequences:
            dy_b = dy_b[:, ::-1]
        how = {"needs_dx": needs_dx, "sum_alike": sum_alike}
        dx_f = self.forward_layer.backward(dy_f, halves[0], **how)
        dx_b = self.backward_layer.backward(dy_b, halves[1], **how)
        self._gather_grads()
        return None if dx_f is None or dx_b is None else dx_f + dx_b

    @property
    def d_initial_state(self) -> tuple[Array, ...]:
        """Gradients of the initial states of both directions, forward first."""
        both = (self.forward_layer, self.backward_layer)
        return tuple(d for layer in both for d in layer.d_initial_state)

    def reset_state(self) -> None:
        """Let stateful layers start from zeros again."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def compute_mask(self, x: Array, mask: Array | None = None) -> Array | None:
        """Return the mask, if there is a sequence for it."""
        return mask if self.return_sequences else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of y; of one direction's where y is a tuple."""
        shape = self.forward_layer.compute_output_shape(input_shape)
        if self.merge_mode != "concat":
            return shape
        return (*shape[:-1], self.forward_layer.units + self.backward_layer.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        layer = described(self.forward_layer)
        layer["config"]["name"] = self.forward_layer.name.removeprefix("forward_")
        layer["config"]["zero_output_for_mask"] = False
        backward = {"backward_layer": described(self.backward_layer)} if self._own_backward else {}
        return {**super().get_config(), "layer": layer, "merge_mode": self.merge_mode, **backward}

    def _merge(self, y_f: Array, y_b: Array) -> Any:
        if self.merge_mode == "concat":
            return array_module(y_f).concatenate((y_f, y_b), axis=-1)
        if self.merge_mode == "sum":
            return y_f + y_b
        if self.merge_mode == "ave":
            return (y_f + y_b) / 2
        if self.merge_mode == "mul":
            return y_f * y_b
        return y_f, y_b

    def _split(self, dy: Array, y_f: Array, y_b: Array) -> tuple[Array, Array]:
        if self.merge_mode == "concat":
            H = self.forward_layer.units
            return dy[..., :H], dy[..., H:]
        if self.merge_mode == "sum":
            return dy, dy
        if self.merge_mode == "ave":
            return dy / 2, dy / 2
        return dy * y_b, dy * y_f

    @staticmethod
    def _checked_pair(forward: Recurrent, backward: Any) -> Recurrent:
        alike = ("return_sequences", "return_state", "stateful")
        if (
            isinstance(backward, Recurrent)
            and backward.go_backwards
            and all(getattr(forward, name) == getattr(backward, name) for name in alike)
        ):
            return backward
        raise InputError(
            "Bidirectional: expected backward_layer to be a recurrent layer with go_backwards "
            f"and layer's {', '.join(alike)}, got {backward!r}. Leave it out for layer's twin."
        )
