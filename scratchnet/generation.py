"""Writing on: a network that was trained to say what comes next is asked again and again.

What writes is an object with two methods: ``reset()`` forgets, ``feed(ids)`` reads ids and returns
the logits of what follows.  `OneStep` carries the states from id to id, so that each costs one time
step; `SlidingWindow` shows the network the last ids afresh, as the published scripts do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from scratchnet.arguments import numeric, positive_integer
from scratchnet.backend import Array, to_host
from scratchnet.device import to_device
from scratchnet.errors import InputError
from scratchnet.kernels.one_row import OneRow
from scratchnet.layers import Dropout, Embedding, Layer, OneHot
from scratchnet.layers.activation import ActivatedLayer
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.tokens import checked_ids
from scratchnet.model import Sequential


class Writer(Protocol):
    """What `continuation` needs of a network, whichever engine runs it."""

    def reset(self) -> None: ...

    def feed(self, ids: Sequence[int]) -> Array: ...


class OneStep:
    """A network read id by id, its states carried along.

    Parameters
    ----------
    model : Sequential
        A layer of token ids, recurrent layers, and layers that treat each time step by itself, the
        last of them with an activation over the vocabulary.

    Raises
    ------
    InputError
        If the model has a layer that needs more than the present step.
    """

    def __init__(self, model: Sequential) -> None:
        self._first, *self._layers = model.layers
        masks = getattr(self._first, "mask_zero", False)
        if not isinstance(self._first, (Embedding, OneHot)) or masks:
            raise _cannot_write(self._first)
        for layer in self._layers:
            if not isinstance(layer, (ActivatedLayer, Dropout, Recurrent)) or (
                isinstance(layer, Recurrent) and (layer.go_backwards or layer.stateful)
            ):
                raise _cannot_write(layer)
        if not self._layers or not isinstance(self._layers[-1], ActivatedLayer):
            raise _cannot_write(model.layers[-1])
        first = self._first
        self._count = (
            ("num_tokens", first.num_tokens)
            if isinstance(first, OneHot)
            else ("input_dim", first.input_dim)
        )
        if not model.built:
            model.build((1, 1))
        self.reset()

    def reset(self) -> None:
        """Go back to states of zeros, and take in the weights as they are now."""
        *middle, last = (layer for layer in self._layers if not isinstance(layer, Dropout))
        assert isinstance(last, ActivatedLayer)
        self._last = last
        self._enter: Callable[[int], Array] = self._row
        self._steps = [_step(layer) for layer in middle]
        one = middle[0].one_row() if middle and isinstance(middle[0], Recurrent) else None
        if isinstance(one, OneRow):
            rows = self._first.params.get("embeddings")
            table = one.one_hot_inputs() if rows is None else one.inputs(rows)
            self._enter, self._steps[0] = table.__getitem__, one.step

    def _row(self, token: int) -> Array:
        return self._first.forward(to_device(np.array([[token]]), self._first.device))[0, 0]

    def feed(self, ids: Sequence[int]) -> Array:
        """Read ids one after the other; return the logits (V,) after the last.

        Raises
        ------
        InputError
            If there are none, or one is not an id of the vocabulary.
        """
        for token in self._checked(ids):
            x = self._enter(token)
            for step in self._steps:
                x = step(x)
        return to_host(self._last.pre_activation(x[None])[0]).copy()

    def _checked(self, ids: Sequence[int]) -> Sequence[int]:
        argument, count = self._count
        if len(ids) == 1 and type(ids[0]) is int and 0 <= ids[0] < count:  # a text being written
            return ids
        array = numeric("feed", "ids", ids)
        if array.ndim != 1 or not array.size:
            raise InputError(
                f"feed: expected one or more ids in a row, got shape {array.shape}. Give a prompt."
            )
        return to_host(checked_ids("feed", array, count, argument)).tolist()


class SlidingWindow:
    """A network shown the last ids from states of zeros at every step.

    Parameters
    ----------
    forward : function
        Takes ids (1, T), returns logits or log-probabilities (1, V).
    window : int
        How many ids it is shown at most.
    """

    def __init__(self, forward: Callable[[Array], Array], window: int) -> None:
        self._forward = forward
        self.window = positive_integer("SlidingWindow", "window", window)
        self.reset()

    def reset(self) -> None:
        """Forget what was read."""
        self._ids: list[Any] = []

    def feed(self, ids: Sequence[int]) -> Array:
        """Read ids; return the logits (V,) after the last."""
        if not len(ids):
            raise InputError("feed: expected one or more ids, got none. Give a prompt.")
        shown = [*self._ids, *ids][-self.window :]
        logits = to_host(self._forward(np.array([shown]))[0])
        self._ids = shown
        return logits


def sliding_window(model: Sequential, window: int) -> SlidingWindow:
    """Return the published scripts' way of writing with a model."""

    def forward(ids: Array) -> Array:
        return model.forward_with_logits(to_device(ids, model.device))[0]

    return SlidingWindow(forward, window)


def continuation(
    writer: Writer, prompt: Sequence[int], choose: Callable[[Array], int], length: int
) -> Iterator[int]:
    """Yield ``length`` ids that follow a prompt, each as soon as it is chosen.

    Parameters
    ----------
    writer : Writer
        Is reset first.
    prompt : sequence of int
        One or more ids.
    choose : function
        Takes logits (V,), returns an id; `scratchnet.text.Sampler` does.
    length : int
        How many.
    """
    positive_integer("continuation", "length", length)
    writer.reset()
    ids = list(prompt)
    for _ in range(length):
        ids = [choose(writer.feed(ids))]
        yield ids[0]


def _step(layer: Layer) -> Callable[[Array], Array]:
    """Return what takes the features (F,) of one time step to the layer's output."""
    if isinstance(layer, Recurrent):
        one = layer.one_row()
        return lambda x: one.step(one.inputs(x))
    return lambda x: layer.forward(x[None])[0]


def _cannot_write(layer: Layer) -> InputError:
    return InputError(
        f"{layer.name}: expected token ids without a mask, then layers that need no more than the "
        f"present step and states of their own, got {type(layer).__name__}. Write with "
        "sliding_window, or train another network."
    )
