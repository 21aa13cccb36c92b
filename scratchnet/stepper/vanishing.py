"""Why gradients vanish: three recurrent layers on the same data, the loss far from the input."""

from __future__ import annotations

import numpy as np

from scratchnet.initializers import GlorotUniform, Orthogonal
from scratchnet.layers import GRU, LSTM, SimpleRNN
from scratchnet.layers.recurrent import Recurrent
from scratchnet.stepper.gradient_flow import HiddenGradients, hidden_gradients

B, D, H = 8, 4, 16
LONG, SHORT = 40, 8
"""Time steps: for the norms, and for the two parts side by side."""
DEPTH = 10
OPEN = 2.0
"""Added to the bias of the LSTM's f and the GRU's z, to open them."""
SEED = 0


def recurrent_layers() -> dict[str, Recurrent]:
    """Return the three layers, float64, with seeded initial weights of the default kind."""
    return {
        kind.__name__: kind(
            H,
            return_sequences=True,
            dtype="float64",
            kernel_initializer=GlorotUniform(seed=SEED),
            recurrent_initializer=Orthogonal(seed=SEED),
        )
        for kind in (SimpleRNN, LSTM, GRU)
    }


def opened(layer: Recurrent) -> Recurrent:
    """Return the layer, built, with `OPEN` added to the bias of the gate that keeps the state."""
    layer.build((B, LONG, D))
    kept = slice(H, 2 * H) if isinstance(layer, LSTM) else slice(0, H)  # f; z
    layer.params["bias"][..., kept] += OPEN
    return layer


def through_time(T: int, every_step: bool) -> dict[str, HiddenGradients]:
    """Send one gradient back through each layer: of every step's output, or of the last alone.

    Of the last alone, also through an LSTM and a GRU whose f or z is open.
    """
    generator = np.random.default_rng(SEED)
    x = generator.standard_normal((B, T, D))
    dy = generator.standard_normal((B, T, H))
    if not every_step:
        dy[:, :-1] = 0
    layers = recurrent_layers()
    if not every_step:
        again = recurrent_layers()
        layers |= {"LSTM, f open": opened(again["LSTM"]), "GRU, z open": opened(again["GRU"])}
    return {name: hidden_gradients(layer, x, dy) for name, layer in layers.items()}
