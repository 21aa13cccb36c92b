"""Neural networks written out by hand: every derivative on the page, in NumPy (or CuPy)."""

from scratchnet import callbacks, initializers, layers, losses, metrics, optimizers, schedules
from scratchnet.model import Sequential
from scratchnet.perceptron import Perceptron
from scratchnet.random import set_random_seed
from scratchnet.stepper import step

__version__ = "0.1.0"

__all__ = [
    "Perceptron",
    "Sequential",
    "__version__",
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
    "set_random_seed",
    "step",
]
