"""What can be checked, and how each becomes a subject: layers, losses, models, your code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import snake_case
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.check import check
from scratchnet.gradcheck.loading import load
from scratchnet.gradcheck.recognition import KINDS
from scratchnet.gradcheck.report import Report
from scratchnet.gradcheck.subjects.own_layer import LayerSubject
from scratchnet.gradcheck.subjects.own_loss import LossSubject
from scratchnet.gradcheck.subjects.own_model import ModelSubject
from scratchnet.gradcheck.subjects.user_class import ClassSubject
from scratchnet.gradcheck.subjects.user_function import FunctionSubject
from scratchnet.layers import Layer
from scratchnet.losses import Loss
from scratchnet.model import Sequential

DEFAULT_SHAPE = (3, 5, 4)
"""Batch, time and features, all different."""

Ids = Mapping[str, tuple[tuple[int, ...], int]]
"""Arrays of whole numbers: shape, and what they are below."""


def check_layer(
    layer: Layer,
    input_shape: Sequence[int],
    *,
    mask: Array | None = None,
    seed: int = 0,
    keras: bool | None = None,
) -> Report:
    """Check every gradient of a layer: of x, of the initial states, of each parameter.

    A copy of the layer is checked, with random parameters: constants hide mistakes.

    Parameters
    ----------
    layer : Layer
        Of scratchnet's, or derived from one.
    input_shape : tuple of int
        Batch included.
    mask : array of bool, shape (B, T), optional
    seed : int
        Decides every random number.
    keras : bool, optional
        Whether to ask TensorFlow's tape too; by default where it is installed and has a twin.
    """
    subject = LayerSubject(layer, tuple(input_shape), seed=seed, mask=mask)
    replay = f"check_layer({type(layer).__name__}(…), {tuple(input_shape)}, seed={seed})"
    return check(subject, seed=seed, keras=keras, replay=f"gradcheck.{replay}")


def check_loss(
    loss: Loss, shape: Sequence[int], *, seed: int = 0, keras: bool | None = None
) -> Report:
    """Check a loss's gradient with respect to predictions of this shape; see `check_layer`."""
    subject = LossSubject(loss, tuple(shape), seed=seed)
    replay = f"gradcheck.check_loss({loss!r}, {tuple(shape)}, seed={seed})"
    return check(subject, seed=seed, keras=keras, replay=replay)


def check_model(
    model: Sequential,
    x: Any,
    y: Any = None,
    *,
    loss: Any = None,
    seed: int = 0,
    keras: bool | None = None,
) -> Report:
    """Check the gradients of a model's loss with respect to every parameter.

    Parameters
    ----------
    model : Sequential
        Compiled, or give ``loss``.
    x : array, or tuple of int
        A batch, or the shape of a random one.
    y : array, optional
        Targets; random unless given.
    """
    subject = ModelSubject(model, x, y, loss=loss, seed=seed)
    replay = f"gradcheck.check_model(model, x, y, seed={seed})"
    return check(subject, seed=seed, keras=keras, replay=replay)


def check_function(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *arrays: Any,
    seed: int = 0,
    replay: str = "",
    **named: Any,
) -> Report:
    """Check a function pair: ``forward(*arrays) -> (y, cache)``, ``backward(dy, cache) -> grads``.

    Arrays of floats are differentiated; those of whole numbers (labels, ids) and booleans (masks)
    are not.  The gradients may come as a tuple in the order of the arrays, a dict or an object.

    Raises
    ------
    InputError
        If either function cannot be called so.
    """
    given = list(inspect.signature(forward).parameters)
    if len(arrays) > len(given):
        raise InputError(
            f"check_function: expected at most {len(given)} arrays ({', '.join(given)}), got "
            f"{len(arrays)}. Pass those that {forward.__name__} takes."
        )
    subject = FunctionSubject(
        forward, backward, {**dict(zip(given, arrays, strict=False)), **named}
    )
    call = f"gradcheck.check_function({subject.name.replace(',', ', ')}, …, seed={seed})"
    return check(subject, seed=seed, replay=replay or call)


def check_class(
    thing: Any,
    input_shape: Sequence[int] | None = None,
    *,
    like: str | None = None,
    ids: Any = None,
    mask: Array | None = None,
    seed: int = 0,
    replay: str = "",
) -> Report:
    """Check a class with ``forward(x)`` and ``backward(dy)``, an instance, or what returns one.

    Parameters
    ----------
    thing : object
        A class that is made without arguments, an instance, or a function of no arguments.
    input_shape : tuple of int, optional
        As the class takes x.
    like : str, optional
        The layer that it means to be: ``"LSTM"``.
    ids : int, or dict of str to (shape, int), optional
        x is then whole numbers below this; or, by name, labels of a loss.
    mask : array of bool, optional
        For a forward pass that takes one.
    """
    kind = kind_of(like)
    shape, below, labels = _input(input_shape, ids)
    if mask is None:
        mask = _mask_for(thing, shape, seed)
    subject = ClassSubject(
        thing, shape, ids_below=below, mask=mask, like=kind, labels_below=labels, seed=seed
    )
    name = getattr(thing, "__name__", type(thing).__name__)
    call = f"gradcheck.check_class({name}, {shape}" + (f", like={like!r}" if like else "")
    return check(subject, seed=seed, replay=replay or f"{call}, seed={seed})")


def check_file(
    target: str,
    *,
    like: str | None = None,
    input_shape: Sequence[int] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    ids: Any = None,
    seed: int = 0,
    replay: str = "",
) -> Report:
    """Check code in a file: ``"mine.py:MyLSTM"`` or ``"mine.py:forward,backward"``.

    Parameters
    ----------
    target : str
        A class as `check_class` takes it, or two functions as `check_function` does.
    like, input_shape, ids
        See `check_class`.
    shapes : dict of str to tuple of int
        Of a function pair's arrays, by the names of its arguments.
    """
    things = load(target)
    if len(things) == 1:
        return check_class(things[0], input_shape, like=like, ids=ids, seed=seed, replay=replay)
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        name: _random(name, tuple(shape), rng) for name, shape in (shapes or {}).items()
    }
    for name, (shape, below) in (ids or {}).items():
        arrays[name] = rng.integers(below, size=tuple(shape))
    arrays = {name: arrays[name] for name in _in_order(things[0], arrays)}
    forward, backward = things
    subject = FunctionSubject(forward, backward, arrays)
    subject.like = kind_of(like)
    return check(subject, seed=seed, replay=replay)


def kind_of(like: str | None) -> str:
    """Return the kind of layer that a name stands for (``"SimpleRNN"`` → ``"simple_rnn"``).

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if like is None or not like:
        return ""
    by_name = {kind.replace("_", ""): kind for kind in KINDS} | {"rnn": "simple_rnn"}
    kind = by_name.get(snake_case(like).replace("_", ""))
    if kind is None:
        raise InputError(
            f"like: expected one of {', '.join(KINDS)}, got {like!r}. Leave it out, and it is "
            "found."
        )
    return kind


def _input(shape: Sequence[int] | None, ids: Any) -> tuple[tuple[int, ...], int | None, int | None]:
    """Return x's shape, what its ids are below, and what a loss's labels are below."""
    if isinstance(ids, int):
        return tuple(shape or DEFAULT_SHAPE[:2]), ids, None
    named = dict(ids or {})
    if shape is None and named:  # the ids are the input
        found, below = next(iter(named.values()))
        return tuple(found), below, None
    labels = next((below for _, below in named.values()), None)
    return tuple(shape or DEFAULT_SHAPE), None, labels


def _mask_for(thing: Any, shape: tuple[int, ...], seed: int) -> Array | None:
    """Return a random mask if the forward pass takes one: without, that half goes unseen."""
    forward = getattr(thing, "forward", None)
    if len(shape) < 2 or forward is None or "mask" not in inspect.signature(forward).parameters:
        return None
    mask = np.random.default_rng([seed, 2]).random(shape[:2]) < 0.7
    mask[0, : shape[1] // 2] = False
    return mask


def _random(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return a mask for what is called one, else random numbers that saturate nothing."""
    if "mask" in name.lower():
        return rng.random(shape) < 0.7
    return rng.standard_normal(shape) * (0.5 if len(shape) < 3 else 1.0)


def _in_order(forward: Callable[..., Any], arrays: Mapping[str, Any]) -> list[str]:
    """Return the arrays' names in the order of the function's arguments, others last."""
    arguments = list(inspect.signature(forward).parameters)
    return sorted(arrays, key=lambda n: arguments.index(n) if n in arguments else len(arguments))
