"""What SimpleRNN, LSTM and GRU share: a batch is divided, each part goes through time, and back.

Every part runs a sweep over time: the page's own steps (`scratchnet.layers.page_sweep`) or the same
equations arranged for speed (`scratchnet.kernels`).  Both take one step forward or back at a time;
what happens between steps is in `scratchnet.layers.recurrent_pass`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.kernels import threads
from scratchnet.kernels.one_row import OneRow
from scratchnet.kernels.sweep import Sweep, SweepShape
from scratchnet.layers.page_sweep import PageSweep
from scratchnet.layers.recurrent_options import RecurrentOptions
from scratchnet.layers.recurrent_pass import Pass

PAGE_VARIABLE = "SCRATCHNET_PAGE"
"""Set to anything but 0 or nothing, every recurrent layer runs the page."""


class Recurrent(RecurrentOptions):
    """Base of the recurrent layers: (B, T, D) to (B, T, H) or, of the last step alone, (B, H).

    A masked step leaves the states as they were and gives no gradient to its input; the output
    repeats the previous one, zero before the first unmasked step.

    Attributes
    ----------
    d_initial_state : tuple of array
        Gradient of the loss with respect to the initial states, set by ``backward``.
    states : tuple of array or None
        With ``stateful``, where the next forward goes on.
    """

    d_initial_state: tuple[Array, ...]

    def forward(
        self,
        x: Array,
        training: bool = False,
        mask: Array | None = None,
        initial_state: tuple[Array, ...] | None = None,
    ) -> Any:
        """Return ``y``, or ``(y, *states)`` with ``return_state``.

        Parameters
        ----------
        x : array, shape (B, T, D)
        training : bool
            Whether a backward pass may follow (and whether dropout drops).
        mask : array of bool, shape (B, T), optional
            False where a step is padding, in input order.
        initial_state : tuple of array, shape (B, H), optional
            Zeros unless given, or where a stateful layer stopped.
        """
        x = self._ready(x)
        states = self._first_states(x, initial_state)
        mask = self._checked_mask(x, mask)
        x_masks, h_masks = self._draw_masks(x) if training else (None, None)
        if x_masks is not None and h_masks is None:
            x = x * x_masks[:, None, :]
        if self.go_backwards:
            x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
        parts, begin = self._divided(x, training, x_masks, h_masks)
        if training:
            self.forget()  # the arrays of the pass before are written over
        B, T, _ = x.shape
        y = array_module(x).empty((B, *((T,) * self.return_sequences), self.units), dtype=x.dtype)

        def run(number: int, rows: slice) -> Pass:
            live = None if mask is None else mask[rows]
            one = Pass(
                begin(number, x[rows], tuple(state[rows] for state in states)),
                live,
                self.return_sequences,
                self.zero_output_for_mask,
            )
            y[rows] = swapped(one.forward())
            return one

        passes = threads.together([partial(run, i, rows) for i, rows in enumerate(parts)])
        if training:
            self._remember((parts, passes, x.shape, x_masks, h_masks), y)
        if not (self.stateful or self.return_state):
            return y
        stacks = zip(*(one.sweep.states for one in passes), strict=True)
        last = tuple(array_module(x).concatenate([s[T] for s in stack]) for stack in stacks)
        if self.stateful:
            self.states = last
        return (y, *(s.copy() for s in last)) if self.return_state else y

    def one_row(self) -> OneRow | PageOneRow:
        """Return what takes one row step by step from states of zeros: how a text is written.

        The weights are those of this moment.
        """
        return self._kernel_one_row() if self.runs_kernel else PageOneRow(self._one_page_step)

    def _one_page_step(self, x: Array, states: tuple[Array, ...] | None) -> tuple[Array, ...]:
        x = self._ready(x[None, None])
        sweep = self._page_sweep(x, self._first_states(x, states), {})
        sweep.step(0)
        return tuple(stack[1] for stack in sweep.states)

    @property
    def runs_kernel(self) -> bool:
        """Whether the kernel runs, and not the page, where there is no recurrent dropout."""
        page = self.page
        if page is None:
            page = os.environ.get(PAGE_VARIABLE, "0") not in ("", "0")
        return not page and self._has_kernel()

    def backward(
        self,
        dy: Array,
        d_state: tuple[Array | None, ...] | None = None,
        *,
        needs_dx: bool = True,
    ) -> Array | None:
        """Return ``dx``, set ``grads`` and ``d_initial_state``.

        Parameters
        ----------
        dy : array
            Gradient of the loss with respect to ``y``; never written to.
        d_state : tuple of array or None, shape (B, H), optional
            Gradient with respect to the final states; None means zeros.
        needs_dx : bool
            Without it None is returned: nothing below the layer is to be trained.
        """
        dy = self._floats("dy", dy)
        d_last = self._checked_d_state(dy, d_state)  # before the forward pass is used up
        (parts, passes, shape, x_masks, h_masks), dy = self._recall(dy)
        xp = array_module(dy)
        dx = xp.empty(shape, dtype=dy.dtype) if needs_dx else None
        d_first = tuple(xp.empty_like(d) for d in d_last)

        def run(one: Pass, rows: slice) -> tuple[Array, ...]:
            dstates = tuple(d[rows].copy() for d in d_last)
            one.backward(swapped(dy[rows]), dstates, needs_dx)
            for whole, part in zip(d_first, dstates, strict=True):
                whole[rows] = part
            dx_rows, dweights = one.sweep.gradients()
            if dx is not None and dx_rows is not None:
                dx[rows] = swapped(dx_rows)
            return dweights

        answers = threads.together([partial(run, *one) for one in zip(passes, parts, strict=True)])
        dweights = tuple(sum(arrays[1:], arrays[0]) for arrays in zip(*answers, strict=True))
        self.d_initial_state = d_first
        self.grads = self._named(passes[0].sweep.named(dweights))
        if dx is None:
            return None
        if self.go_backwards:
            dx = dx[:, ::-1]
        return dx if x_masks is None or h_masks is not None else dx * x_masks[:, None, :]

    def reset_state(self) -> None:
        """Let a stateful layer start from zeros again."""
        if not self.stateful:
            raise InputError(f"{self.name}.reset_state: the layer keeps no state; make it stateful")
        self.states = None

    def _divided(
        self, x: Array, training: bool, x_masks: Array | None, h_masks: Array | None
    ) -> tuple[list[slice], Callable[..., PageSweep | Sweep]]:
        """Return parts of the batch, and what begins the sweep of one of them."""
        if h_masks is not None or not self.runs_kernel:
            masks = {} if h_masks is None else {"x_masks": x_masks, "h_masks": h_masks}
            return [slice(None)], lambda _, x, states: self._page_sweep(x, states, masks)
        xp, weights = array_module(x), self._arranged()
        parts = threads.parts(len(x)) if xp is np else [slice(None)]
        if training:
            self._sweeps = {n: self._sweeps[n] for n in range(len(parts)) if n in self._sweeps}

        def begin(number: int, x: Array, states: tuple[Array, ...]) -> Sweep:
            B, T, D = x.shape
            shape = SweepShape(xp, x.dtype, B, T, D, self.units)
            sweep = self._sweeps.get(number) if training else None
            if sweep is None or sweep.shape != shape:
                sweep = self._kernel_sweep(shape)
            if training:
                self._sweeps[number] = sweep
            sweep.start(x, states, weights)
            return sweep

        return parts, begin

    def _has_kernel(self) -> bool:
        raise NotImplementedError

    def _page_sweep(self, x: Array, states: tuple[Array, ...], masks: dict[str, Any]) -> PageSweep:
        raise NotImplementedError

    def _arranged(self) -> Any:
        """Return the weights as the kernel's sweeps take them."""
        raise NotImplementedError

    def _kernel_sweep(self, shape: SweepShape) -> Sweep:
        raise NotImplementedError

    def _kernel_one_row(self) -> OneRow:
        raise NotImplementedError


class PageOneRow:
    """`scratchnet.kernels.one_row.OneRow` for layers that no kernel is for."""

    def __init__(self, step: Callable[..., tuple[Array, ...]]) -> None:
        self._step = step
        self._states: tuple[Array, ...] | None = None

    def inputs(self, x: Array) -> Array:
        """Return the inputs (D,) as they are."""
        return x

    def step(self, x: Array) -> Array:
        """Return the next h (H,)."""
        self._states = self._step(x, self._states)
        return self._states[0][0]


def swapped(array: Array) -> Array:
    """Turn (B, T, F) into (T, B, F), or back; (B, F) stays."""
    return array.swapaxes(0, 1) if array.ndim == 3 else array
