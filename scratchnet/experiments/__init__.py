"""The systems the project reproduces, one file each; here is only the list of them."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from types import ModuleType

from scratchnet.errors import InputError


@dataclass(frozen=True)
class Experiment:
    """One entry of the list; the file of the same name has the rest."""

    name: str
    title: str
    engines: tuple[str, ...]
    """The engines that train it: ``scratch``, ``keras``."""
    data: tuple[str, ...] = ()
    """Names of the data sets it reads, as in `scratchnet.datasets`."""

    @property
    def has_gradient(self) -> bool:
        """Whether there is a gradient, and so a Keras twin, to compare."""
        return "keras" in self.engines

    def module(self) -> ModuleType:
        """Import the experiment's file."""
        return importlib.import_module(f"scratchnet.experiments.{self.name}")


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="perceptron",
            title="Rosenblatt's rule learns AND and OR, and shows why not XOR",
            engines=("scratch",),
        ),
        Experiment(
            name="backprop",
            title="two networks small enough to check backpropagation by hand",
            engines=("scratch", "keras"),
        ),
        Experiment(
            name="wisconsin",
            title="benign or malignant, from nine features of a cell sample",
            engines=("scratch", "keras"),
            data=("wisconsin",),
        ),
    )
}


def get(name: str) -> Experiment:
    """Return the entry of an experiment.

    Raises
    ------
    InputError
        There is no experiment of that name.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    close = difflib.get_close_matches(name, EXPERIMENTS, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise InputError(
        f"experiment: expected one of {', '.join(EXPERIMENTS)}, got {str(name)[:40]!r}.{hint}"
    )
