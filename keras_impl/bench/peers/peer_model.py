"""Which scratchnet models PyTorch's and JAX's twins are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratchnet import Sequential
from scratchnet.errors import InputError
from scratchnet.layers import GRU, LSTM, Dense, Embedding, OneHot, SimpleRNN
from scratchnet.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from scratchnet.optimizers import Adam, RMSprop

RECURRENT = (LSTM, GRU, SimpleRNN)
LAYERS = (OneHot, Embedding, Dense, *RECURRENT)
INSIDE = ("linear", "relu", "sigmoid")
"""Activations of a Dense layer that is not the last."""
LOSSES = {"sigmoid": BinaryCrossentropy, "softmax": SparseCategoricalCrossentropy}
"""By the last layer's activation: the loss that is computed through its logits."""
USUAL: dict[str, Any] = {
    "use_bias": True,
    "mask_zero": False,
    "reset_after": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "momentum": 0.0,
    "centered": False,
    "amsgrad": False,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "label_smoothing": 0.0,
    "ignore_class": None,
    "reduction": "sum_over_batch_size",
}
"""What has to be at its usual value wherever there is such a setting."""
GATES = {"activation": "tanh", "recurrent_activation": "sigmoid"}
"""What else has to be, in a recurrent layer."""


def check(peer: str, model: Sequential) -> None:
    """Return if a peer's twin trains as the model does.

    Raises
    ------
    InputError
        If the model is not built and compiled, is not float32, or has a layer, a setting, a loss
        or an optimizer that the twins do not have.
    """
    if not model.built or model.loss is None:
        raise _unlike(peer, "a built and compiled model", "one that is not yet")
    for layer in model.layers:
        if type(layer) not in LAYERS:
            known = ", ".join(one.__name__ for one in LAYERS)
            raise _unlike(peer, f"layers among {known}", type(layer).__name__)
        usual = USUAL | {"dtype": "float32"}
        usual |= GATES if isinstance(layer, RECURRENT) else {}
        _check_settings(peer, layer.name, layer.get_config(), usual)
    *inner, last = model.layers
    for layer in inner:
        if isinstance(layer, Dense) and layer.activation.config() not in INSIDE:
            raise _unlike(peer, f"{layer.name} with {', '.join(INSIDE)}", layer.activation.name)
    loss = LOSSES.get(last.activation.name) if isinstance(last, Dense) else None
    if type(model.loss) is not loss:
        wanted = " or ".join(
            f"a Dense {name} before {one.__name__}" for name, one in LOSSES.items()
        )
        raise _unlike(peer, wanted, f"{last.name} before {type(model.loss).__name__}")
    if type(model.optimizer) not in (RMSprop, Adam):
        raise _unlike(peer, "RMSprop or Adam", type(model.optimizer).__name__)
    parts: tuple[Any, ...] = (model.loss, model.optimizer)
    for part in parts:
        _check_settings(peer, type(part).__name__, part.get_config(), USUAL)
    if not isinstance(model.optimizer.get_config()["learning_rate"], float):
        raise _unlike(peer, "a learning_rate that is a number", "a schedule")


def _check_settings(
    peer: str, owner: str, config: Mapping[str, Any], usual: Mapping[str, Any]
) -> None:
    for name in config.keys() & usual.keys():
        if config[name] != usual[name]:
            wanted, got = f"{owner} with {name}={usual[name]!r}", f"{config[name]!r}"
            raise _unlike(peer, wanted, got)


def _unlike(peer: str, expected: str, got: str) -> InputError:
    return InputError(f"{peer}: expected {expected}, got {got}. Race it without {peer}.")
