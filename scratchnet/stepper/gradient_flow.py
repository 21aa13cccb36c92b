r"""How the gradient travels: through time in a recurrent layer, through depth in a stack of layers.

Two questions that learners ask.  Where does :math:`\partial L / \partial h_t` come from?

.. math::

    \frac{\partial L}{\partial h_t}
        = \underbrace{\frac{\partial L}{\partial y_t}}_{\text{from this step's output}}
        + \underbrace{\frac{\partial L}{\partial h_{t+1}}
          \frac{\partial h_{t+1}}{\partial h_t}}_{\text{from step } t+1}

And why do gradients vanish?  Every step back, and every layer down, multiplies by one more factor.
"""

from __future__ import annotations

from dataclasses import dataclass

from scratchnet.backend import Array, array_module, random_generator
from scratchnet.errors import InputError
from scratchnet.initializers import GlorotUniform
from scratchnet.layers import Dense
from scratchnet.layers.recurrent import Recurrent
from scratchnet.model import Sequential


@dataclass(frozen=True)
class HiddenGradients:
    """The gradient of the loss with respect to the hidden state after each step.

    All arrays are (B, T, H), in the order in which the layer takes the steps.
    """

    from_output: Array
    """The part that arrives at :math:`h_t` from the output of step t."""
    from_later: Array
    """The part that arrives from step t + 1; what was given for the final state, at the last."""
    cell_from_later: Array | None
    """LSTM: what arrives at :math:`c_t` from step t + 1; None for layers without a cell state."""

    @property
    def total(self) -> Array:
        r""":math:`\partial L / \partial h_t`."""
        return self.from_output + self.from_later

    def norms(self) -> dict[str, Array]:
        """Return the Euclidean norm of each array over batch and units, for every t, (T,)."""
        arrays = {
            "total": self.total,
            "from_output": self.from_output,
            "from_later": self.from_later,
        }
        if self.cell_from_later is not None:
            arrays["cell_from_later"] = self.cell_from_later
        return {name: (array**2).sum(axis=(0, 2)) ** 0.5 for name, array in arrays.items()}


def hidden_gradients(
    layer: Recurrent,
    x: Array,
    dy: Array,
    d_state: tuple[Array | None, ...] | None = None,
) -> HiddenGradients:
    r"""Run a recurrent layer on the page's own steps, back too, and keep what arrives at each.

    Parameters
    ----------
    layer
        SimpleRNN, LSTM or GRU, without dropout.  It is built if it is not yet.
    x
        Inputs, shape (B, T, D).
    dy
        Gradient with respect to each step's output, shape (B, T, H), or (B, H) of the last alone.
    d_state
        Gradient with respect to the final states, each (B, H) or None, as in `Recurrent.backward`.

    Raises
    ------
    InputError
        If the layer is another one or has dropout, or a shape is wrong.
    """
    if not isinstance(layer, Recurrent):
        raise InputError(
            f"hidden_gradients: expected a SimpleRNN, LSTM or GRU, got {type(layer).__name__}. "
            "Give the recurrent layer itself."
        )
    if layer.dropout or layer.recurrent_dropout:
        raise InputError(
            f"hidden_gradients: expected a layer without dropout, got {layer.name} with dropout "
            f"{layer.dropout:g} and recurrent_dropout {layer.recurrent_dropout:g}. Set both to 0."
        )
    x = layer._ready(x)
    xp = array_module(x)
    if layer.go_backwards:
        x = x[:, ::-1]
    B, T, _ = x.shape
    dys = _every_step(layer, xp.asarray(dy, dtype=x.dtype), (B, T, layer.units))
    sweep = layer._page_sweep(x, layer._first_states(x, None), {})
    for t in range(T):
        sweep.step(t)

    dstates = tuple(d.copy() for d in layer._checked_d_state(dys[:, 0], d_state))
    from_later = tuple(xp.empty_like(dys) for _ in dstates)
    sweep.begin_backward()
    for t in reversed(range(T)):
        for kept, dstate in zip(from_later, dstates, strict=True):
            kept[:, t] = dstate
        dh = dstates[0]
        dh += dys[:, t]
        sweep.step_backward(t, dstates)
    return HiddenGradients(dys, from_later[0], from_later[1] if len(from_later) > 1 else None)


def _every_step(layer: Recurrent, dy: Array, shape: tuple[int, int, int]) -> Array:
    """Return ``dy`` with one entry a step, zeros before the last if it is of the last alone."""
    B, T, H = shape
    if dy.shape == (B, T, H):
        return dy
    if dy.shape != (B, H):
        raise InputError(
            f"hidden_gradients: expected dy of shape {(B, T, H)}, or {(B, H)} of the last step "
            f"alone, got {dy.shape}. It is the gradient with respect to {layer.name}'s output."
        )
    dys = array_module(dy).zeros(shape, dtype=dy.dtype)
    dys[:, -1] = dy
    return dys


@dataclass(frozen=True)
class DepthGradients:
    """The gradient in each layer of a deep network, the first layer first."""

    activation: str
    norms: Array
    """Euclidean norm of the gradient of each layer's kernel, (layers,)."""

    @property
    def shares(self) -> Array:
        """Each layer's share of the sum of the norms."""
        return self.norms / self.norms.sum()


def depth_gradients(
    activation: str, layers: int = 10, units: int = 16, batch: int = 32, seed: int = 0
) -> DepthGradients:
    """Return each layer's gradient in a stack of Dense layers with one activation.

    Data and initial weights (Glorot & Bengio 2010, uniform) depend on the seed alone, so that
    activations can be compared; the loss is the mean squared error to random targets.

    Raises
    ------
    InputError
        If the activation is unknown or a count is not positive.
    """
    for name, count in {"layers": layers, "units": units, "batch": batch}.items():
        if not isinstance(count, int) or count < 1:
            raise InputError(
                f"depth_gradients: expected {name} of at least 1, got {count!r}. Try 10."
            )
    generator = random_generator(seed)
    x = generator.standard_normal((batch, units))
    y = generator.standard_normal((batch, units))
    model = Sequential(
        [
            Dense(units, activation=activation, kernel_initializer=GlorotUniform(seed=seed + i))
            for i in range(layers)
        ],
        dtype="float64",
    )
    model.compile(optimizer="sgd", loss="mean_squared_error")
    _, gradients = model.gradients(x, y)
    norms = [float((each["kernel"] ** 2).sum() ** 0.5) for each in gradients]
    return DepthGradients(activation, array_module(x).asarray(norms))
