"""A model as a file, and back: layers, weights, and what a training needs to go on.

Besides the weights that is the optimizer's state, the schedule's step and how far each layer's own
generator has got, so that a training that is stopped and resumed ends with the same bits as one
that never stopped.  The file itself is `scratchnet.archive`'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scratchnet import layers, losses, metrics, optimizers
from scratchnet.archive import one_line, read_archive, write_archive
from scratchnet.backend import Array
from scratchnet.errors import CheckpointError, InputError
from scratchnet.layers import Layer
from scratchnet.optimizers import Optimizer
from scratchnet.progress import Progress

if TYPE_CHECKING:
    from scratchnet.model import Sequential

    M = TypeVar("M", bound=Sequential)

Config = dict[str, Any]


def save_model(model: Sequential, path: str | Path) -> None:
    """Write a model; see `Sequential.save`."""
    config: Config = {
        "name": model.name,
        "dtype": model.given_dtype,
        "layers": [_layer_config(layer) for layer in model.layers],
    }
    arrays = {
        f"layers/{i}/{key}": array
        for i, layer in enumerate(model.layers)
        for key, array in layer.params.items()
    }
    if model.loss is not None:
        config["compile"] = {
            "optimizer": _described(model.optimizer, _optimizer),
            "loss": _described(model.loss, losses.get),
            "metrics": [_metric_config(metric) for metric in model.metrics],
            "weighted_metrics": [_metric_config(metric) for metric in model.weighted_metrics],
        }
        config["progress"] = None if model.progress is None else asdict(model.progress)
        arrays |= {f"optimizer/{name}": array for name, array in model.optimizer.state().items()}
    write_archive(path, config, arrays)


def load_model(kind: type[M], path: str | Path) -> M:
    """Read a model; see `Sequential.load`."""
    config, arrays = read_archive(path)
    try:
        model = _model(kind, config, arrays)
        if arrays:
            raise CheckpointError(f"it has arrays that nothing asks for: {', '.join(arrays)}")
    except Exception as error:  # whatever a hostile description leads to
        reason = str(error) if isinstance(error, (CheckpointError, InputError)) else repr(error)
        raise CheckpointError(
            f"{path}: expected the description of a model, got one that does not hold together "
            f"({one_line(reason)}). Use another copy, or the scratchnet that wrote it."
        ) from error
    return model


def _model(kind: type[M], config: Config, arrays: dict[str, Array]) -> M:
    """Make the model again, taking its arrays out of ``arrays``."""
    model = kind(name=config["name"], dtype=config["dtype"])
    for i, description in enumerate(config["layers"]):
        layer = _layer_class(description["class_name"]).from_config(description["config"])
        model.add(layer)
        if description["input_shape"] is not None:
            layer.restore(tuple(description["input_shape"]), _taken(arrays, f"layers/{i}/"))
        layer.set_state(description["state"])
    compiled = config.get("compile")
    if compiled is not None:
        with warnings.catch_warnings():  # they were given when the model was compiled first
            warnings.simplefilter("ignore")
            model.compile(
                _optimizer(compiled["optimizer"]),
                losses.get(compiled["loss"]),
                compiled["metrics"],
                compiled["weighted_metrics"],
            )
        state = _taken(arrays, "optimizer/")
        params = [array for layer in model.layers for array in layer.params.values()]
        _check_slots(model.optimizer, state, params)
        model.optimizer.set_state(state)
        if config.get("progress") is not None:
            model.progress = Progress.from_config(config["progress"])
    return model


def _taken(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    """Take the arrays below a name out of ``arrays``."""
    names = [name for name in arrays if name.startswith(prefix)]
    return {name.removeprefix(prefix): arrays.pop(name) for name in names}


def _check_slots(optimizer: Optimizer, state: Mapping[str, Array], params: Sequence[Array]) -> None:
    """Hold an optimizer's arrays, none or one of each name for each parameter, against those."""
    slots = state.keys() - optimizer.scalars().keys()
    likes = {f"{name}_{i}": p for name in optimizer.slot_values() for i, p in enumerate(params)}
    if slots and slots != likes.keys():
        raise CheckpointError(f"the optimizer's state is not for the {len(params)} parameters")
    for name in slots:
        array, like = state[name], likes[name]
        if (array.shape, array.dtype) != (like.shape, like.dtype):
            raise CheckpointError(
                f"the optimizer's {name} is {array.dtype} of shape {array.shape}, its parameter "
                f"{like.dtype} of shape {like.shape}"
            )


def _optimizer(description: Config) -> Optimizer:
    return type(optimizers.get(description["class_name"])).from_config(description["config"])


def _layer_class(name: str) -> type[Layer]:
    kind = getattr(layers, name, None) if name in layers.__all__ else None
    if kind is None or kind is Layer:
        raise InputError(
            f"Layer: expected one of {', '.join(layers.__all__)}, got {name!r}. "
            "Use the scratchnet that has it."
        )
    return kind


def _layer_config(layer: Layer) -> Config:
    name = type(layer).__name__
    if name not in layers.__all__ or getattr(layers, name) is not type(layer):
        raise _not_ours(layer)
    return {
        "class_name": name,
        "config": layer.get_config(),
        "input_shape": layer.input_shape,
        "state": layer.state(),
    }


def _metric_config(metric: Any) -> str | Config:
    if not isinstance(metric, metrics.Metric):
        return str(metric)
    return _described(metric, lambda config: metrics.get(config, [[0.0]], [[0.0]]))


def _described(thing: Any, get: Callable[[Config], Any]) -> Config:
    """Return a description from which ``get`` makes the thing again, having tried it."""
    config = {"class_name": type(thing).__name__, "config": thing.get_config()}
    try:
        again = get(config)
    except InputError:
        again = None
    if type(again) is not type(thing):
        raise _not_ours(thing)
    return config


def _not_ours(thing: Any) -> InputError:
    return InputError(
        f"save: expected the model to be made of scratchnet's own classes, got "
        f"{type(thing).__name__}, which a file cannot bring back. Keep get_weights() instead."
    )
