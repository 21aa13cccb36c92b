"""The simple recurrent layer."""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array
from scratchnet.equations.simple_rnn import simple_rnn_step, simple_rnn_step_backward
from scratchnet.kernels import simple_rnn
from scratchnet.kernels.one_row import SimpleRNNOneRow
from scratchnet.kernels.sweep import SweepShape
from scratchnet.layers.page_sweep import PageCell
from scratchnet.layers.recurrent import Recurrent


class SimpleRNN(Recurrent):
    r"""A simple recurrent network, :math:`h_t = \varphi(x_t W_x + h_{t-1} W_h + b)`.

    The step is `scratchnet.equations.simple_rnn`; arguments as in `RecurrentOptions`.

    ====================  ==============  ========================
    array                 shape           key in ``params``
    ====================  ==============  ========================
    :math:`W_x`           (D, H)          ``kernel``
    :math:`W_h`           (H, H)          ``recurrent_kernel``
    :math:`b`             (H,)            ``bias``
    ====================  ==============  ========================
    """

    gates = 1

    def _has_kernel(self) -> bool:
        return self.activation.config() == "tanh"

    def _arranged(self) -> Any:
        return simple_rnn.arranged(self.params)

    def _kernel_sweep(self, shape: SweepShape) -> simple_rnn.SimpleRNNSweep:
        return simple_rnn.SimpleRNNSweep(shape)

    def _kernel_one_row(self) -> SimpleRNNOneRow:
        return SimpleRNNOneRow.of(self.params)

    def _page_cell(self, like: Array, masks: dict[str, Any]) -> PageCell:
        weights = {key: self.params[key] for key in ("kernel", "recurrent_kernel")}
        weights["bias"] = self._biases(like)
        settings = {"activation": self.activation.pair, **masks}
        return PageCell(simple_rnn_step, simple_rnn_step_backward, weights, settings)
