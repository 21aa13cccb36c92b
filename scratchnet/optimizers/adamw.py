"""AdamW: Adam with weight decay."""

from __future__ import annotations

from scratchnet.errors import InputError
from scratchnet.optimizers.adam import Adam
from scratchnet.schedules import LearningRateSchedule


class AdamW(Adam):
    r"""Adam after :math:`w \leftarrow w - \eta \lambda w` (Loshchilov & Hutter 2019, algorithm 2).

    The decay does not pass through the running means, which is what tells it from a penalty on the
    loss.

    Parameters
    ----------
    weight_decay : float
        :math:`\lambda`.
    beta_1, beta_2, epsilon, amsgrad
        See `Adam`.
    learning_rate, clipnorm, clipvalue, global_clipnorm
        See `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        if weight_decay is None:
            raise InputError(
                "AdamW: expected weight_decay to be a number, got None. "
                "Use Adam where the weights are not to decay."
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
        )
