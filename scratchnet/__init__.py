"""Neural networks written out by hand: every derivative on the page, in NumPy (or CuPy)."""

from typing import TYPE_CHECKING, Any

from scratchnet import callbacks, initializers, layers, losses, metrics, optimizers, schedules
from scratchnet.device import device_of, to_device
from scratchnet.model import Sequential
from scratchnet.perceptron import Perceptron
from scratchnet.random import set_random_seed

if TYPE_CHECKING:
    from scratchnet.stepper import step

__version__ = "0.1.0"

__all__ = [
    "Perceptron",
    "Sequential",
    "__version__",
    "callbacks",
    "device_of",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
    "set_random_seed",
    "step",
    "to_device",
]


def __getattr__(name: str) -> Any:
    """Import `step` when it is asked for: half of the time that importing all this takes."""
    if name == "step":
        from scratchnet.stepper import step

        return step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
