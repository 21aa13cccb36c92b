"""The pictures every introduction needs, drawn from the real functions.

Each function returns a `matplotlib.figure.Figure`; ``figure.savefig("name.png")`` writes it.
Matplotlib is imported inside, and only its figure objects are used: nothing here touches pyplot's
state or opens a window.
"""

from scratchnet.figures.activation_curves import (
    BOUNDED,
    TITLES,
    UNBOUNDED,
    X_LIMITS,
    activations,
)
from scratchnet.figures.boundaries import boundary, perceptron
from scratchnet.figures.cell_diagrams import diagrams, gru, lstm
from scratchnet.figures.curves import training_curves
from scratchnet.figures.gate_maps import gates
from scratchnet.figures.gradient_norms import gradients
from scratchnet.figures.histograms import histograms_by_class
from scratchnet.figures.network_diagrams import network, neuron, rnn
from scratchnet.figures.optimizer_paths import descent
from scratchnet.figures.slopes import slope
from scratchnet.figures.temperature import softmax

__all__ = [
    "BOUNDED",
    "TITLES",
    "UNBOUNDED",
    "X_LIMITS",
    "activations",
    "boundary",
    "descent",
    "diagrams",
    "gates",
    "gradients",
    "gru",
    "histograms_by_class",
    "lstm",
    "network",
    "neuron",
    "perceptron",
    "rnn",
    "slope",
    "softmax",
    "training_curves",
]
