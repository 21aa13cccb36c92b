"""The systems the project reproduces, one file each; here is only the list of them."""

from __future__ import annotations

import difflib
import importlib
import inspect
from dataclasses import dataclass, fields
from types import ModuleType

from scratchnet.errors import InputError

BOTH = ("scratch", "keras")


@dataclass(frozen=True)
class Experiment:
    """One entry of the list; the file of the same name has the rest."""

    name: str
    title: str
    kind: str = "table"
    """What it reads: a ``table``, a ``text``, ``reviews``; or a ``chain``, which only counts."""
    engines: tuple[str, ...] = BOTH
    """The engines that train it: ``scratch``, ``keras``."""
    data: tuple[str, ...] = ()
    """Names of the data sets it reads, as in `scratchnet.datasets`."""

    @property
    def has_gradient(self) -> bool:
        """Whether there is a gradient, and so a Keras twin, to compare."""
        return "keras" in self.engines and self.kind != "chain"

    def module(self) -> ModuleType:
        """Import the experiment's file."""
        return importlib.import_module(f"scratchnet.experiments.{self.name}")

    def options(self) -> dict[str, str]:
        """Return what can be chosen, by name, each with its annotation."""
        module = self.module()
        function = module.fit if self.kind == "chain" else module.problem
        parameters = inspect.signature(function).parameters.values()
        named = {one.name: one.annotation for one in parameters if one.kind != one.VAR_KEYWORD}
        if self.kind == "text":
            named |= {field.name: str(field.type) for field in fields(module.PUBLISHED)}
        return named


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
        ),
        Experiment(
            name="wisconsin",
            title="benign or malignant, from nine features of a cell sample",
            data=("wisconsin",),
        ),
        Experiment(
            name="markov",
            title="what follows what in a text, counted",
            kind="chain",
            data=("nietzsche",),
        ),
        Experiment(
            name="nietzsche",
            title="an LSTM writes like Nietzsche, character by character",
            kind="text",
            data=("nietzsche",),
        ),
        Experiment(
            name="text",
            title="the same on your own files",
            kind="text",
        ),
        Experiment(
            name="json",
            title="the same on nested JSON: how much of what it writes can be parsed",
            kind="text",
        ),
        Experiment(
            name="shakespeare",
            title="two LSTMs go on with Shakespeare, word by word",
            kind="text",
            data=("shakespeare",),
        ),
        Experiment(
            name="imdb",
            title="good or bad, from the words of a film review",
            kind="reviews",
            data=("imdb", "imdb-words"),
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
