"""Rules that turn gradients into updates, one a file, under Keras's names and with its arguments.

>>> from scratchnet import optimizers
>>> optimizers.get("rmsprop").get_config()["rho"]
0.9
"""

from __future__ import annotations

from scratchnet import schedules
from scratchnet.arguments import look_up
from scratchnet.optimizers.adadelta import Adadelta
from scratchnet.optimizers.adagrad import Adagrad
from scratchnet.optimizers.adam import Adam
from scratchnet.optimizers.adamax import Adamax
from scratchnet.optimizers.adamw import AdamW
from scratchnet.optimizers.base import Optimizer
from scratchnet.optimizers.nadam import Nadam
from scratchnet.optimizers.rmsprop import RMSprop
from scratchnet.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
    "schedules",
]

_MEMBERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind
    for kind in (SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam)
}


def get(identifier: object) -> Optimizer:
    """Return the optimizer that ``"rmsprop"`` or ``{"class_name": …, "config": …}`` stands for.

    An instance passes through.

    Raises
    ------
    InputError
        If there is no such optimizer (near matches are named) or the config does not fit it.
    """
    return look_up(identifier, Optimizer, _MEMBERS)
