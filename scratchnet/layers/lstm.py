"""The LSTM layer."""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array
from scratchnet.equations.lstm import lstm_step, lstm_step_backward
from scratchnet.kernels import lstm
from scratchnet.kernels.one_row import LSTMOneRow
from scratchnet.kernels.sweep import SweepShape
from scratchnet.layers.activation import Identifier, get_activation
from scratchnet.layers.page_sweep import PageCell
from scratchnet.layers.parameters import Shape
from scratchnet.layers.recurrent import Recurrent


class LSTM(Recurrent):
    r"""A long short-term memory; the step is `scratchnet.equations.lstm`.

    Arguments as in `RecurrentOptions`, and:

    Parameters
    ----------
    recurrent_activation : str or function
        Of the gates i, f, o.
    unit_forget_bias : bool
        Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).

    ====================  ==============  ========================
    array                 shape           key in ``params``
    ====================  ==============  ========================
    :math:`W_x`           (D, 4H)         ``kernel``, blocks i, f, g, o
    :math:`W_h`           (H, 4H)         ``recurrent_kernel``
    :math:`b`             (4H,)           ``bias``
    ====================  ==============  ========================
    """

    gates = 4
    state_names = ("h", "c")

    def __init__(
        self,
        units: int,
        activation: Identifier = "tanh",
        recurrent_activation: Identifier = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            dropout,
            recurrent_dropout,
            seed,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            zero_output_for_mask,
            page,
            name=name,
            dtype=dtype,
        )
        self.recurrent_activation = get_activation(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def _build(self, input_shape: Shape) -> None:
        super()._build(input_shape)
        if self.use_bias and self.unit_forget_bias and self._stored is None:
            self.params["bias"][self.units : 2 * self.units] = 1

    def _has_kernel(self) -> bool:
        chosen = (self.activation.config(), self.recurrent_activation.config())
        return chosen == ("tanh", "sigmoid")

    def _arranged(self) -> Any:
        return lstm.arranged(self.params)

    def _kernel_sweep(self, shape: SweepShape) -> lstm.LSTMSweep:
        return lstm.LSTMSweep(shape)

    def _kernel_one_row(self) -> LSTMOneRow:
        return LSTMOneRow.of(self.params)

    def _page_cell(self, like: Array, masks: dict[str, Any]) -> PageCell:
        weights = {key: self.params[key] for key in ("kernel", "recurrent_kernel")}
        weights["bias"] = self._biases(like)
        settings = {
            "activation": self.activation.pair,
            "recurrent_activation": self.recurrent_activation.pair,
            **masks,
        }
        return PageCell(lstm_step, lstm_step_backward, weights, settings)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "recurrent_activation": self.recurrent_activation.config(),
            "unit_forget_bias": self.unit_forget_bias,
        }
