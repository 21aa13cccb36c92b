"""The GRU layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.equations.gru import (
    gru_reset_before_step,
    gru_reset_before_step_backward,
    gru_step,
    gru_step_backward,
)
from scratchnet.kernels import gru
from scratchnet.kernels.one_row import GRUOneRow
from scratchnet.kernels.sweep import SweepShape
from scratchnet.layers.activation import Identifier, get_activation
from scratchnet.layers.page_sweep import PageCell
from scratchnet.layers.recurrent import Recurrent


class GRU(Recurrent):
    r"""A gated recurrent unit; the steps are in `scratchnet.equations.gru`.

    Arguments as in `RecurrentOptions`, and:

    Parameters
    ----------
    recurrent_activation : str or function
        Of the gates z, r.
    reset_after : bool
        Whether the reset gate comes after the product with the recurrent weights (cuDNN) or before
        (Cho et al. 2014).

    ====================  ==============  ========================
    array                 shape           key in ``params``
    ====================  ==============  ========================
    :math:`W_x`           (D, 3H)         ``kernel``, blocks z, r, n
    :math:`W_h`           (H, 3H)         ``recurrent_kernel``
    :math:`b_x, b_h`      (2, 3H)         ``bias``; (3H,) with the reset before
    ====================  ==============  ========================
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Identifier = "tanh",
        recurrent_activation: Identifier = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = bool(reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _has_kernel(self) -> bool:
        chosen = (self.activation.config(), self.recurrent_activation.config())
        return self.reset_after and chosen == ("tanh", "sigmoid")

    def _arranged(self) -> Any:
        return gru.arranged(self.params)

    def _kernel_sweep(self, shape: SweepShape) -> gru.GRUSweep:
        return gru.GRUSweep(shape)

    def _kernel_one_row(self) -> GRUOneRow:
        return GRUOneRow.of(self.params)

    def _page_cell(self, like: Array, masks: dict[str, Any]) -> PageCell:
        weights = {key: self.params[key] for key in ("kernel", "recurrent_kernel")}
        bias = self._biases(like)
        settings = {
            "activation": self.activation.pair,
            "recurrent_activation": self.recurrent_activation.pair,
            **masks,
        }
        if self.reset_after:
            weights |= {"bx": bias[0], "bh": bias[1]}
            return PageCell(gru_step, gru_step_backward, weights, settings)
        weights["bias"] = bias
        return PageCell(gru_reset_before_step, gru_reset_before_step_backward, weights, settings)

    def _named(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        if "bh" in gradients:
            both = [gradients["bx"], gradients["bh"]]
            gradients = {**gradients, "bias": array_module(both[0]).stack(both)}
        return super()._named(gradients)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "recurrent_activation": self.recurrent_activation.config(),
            "reset_after": self.reset_after,
        }
