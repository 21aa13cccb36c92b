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
from scratchnet.errors import BackwardError, InputError
from scratchnet.kernels import threads
from scratchnet.kernels.one_row import OneRow
from scratchnet.kernels.sweep import Sweep, SweepShape
from scratchnet.layers.page_sweep import PageSweep
from scratchnet.layers.recurrent_options import RecurrentOptions
from scratchnet.layers.recurrent_parts import Part, parts, undivided
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
        alike = initial_state is None and self.states is None and not self.return_sequences
        if training:
            self.forget()  # the arrays of the pass before are written over
        masks = (x_masks, h_masks)
        parts, passes, y = self._go(x, states, mask, masks, training, alike and self._takes_alike)
        if training:
            self._remember((parts, passes, x.shape, masks), y)
        if not (self.stateful or self.return_state):
            return y
        xp = array_module(x)
        last = tuple(xp.empty_like(state) for state in states)
        for part, one in zip(parts, passes, strict=True):
            for whole, some in zip(last, one.last, strict=True):
                whole[part.rows] = some
        if self.stateful:
            self.states = last
        return (y, *(s.copy() for s in last)) if self.return_state else y

    def _go(
        self,
        x: Array,
        states: tuple[Array, ...],
        mask: Array | None,
        masks: tuple[Array | None, Array | None],
        training: bool,
        alike: bool,
        weights: Any = None,
    ) -> tuple[list[Part], list[Pass], Array]:
        """Take all steps; return the batch's parts, their passes, and y.

        The kernel's ``weights`` are the layer's of this moment unless given.
        """
        (B, T, _), xp = x.shape, array_module(x)
        parts, begin = self._divided(x, mask, masks, training, alike, weights)
        y = xp.zeros((B, *((T,) * self.return_sequences), self.units), dtype=x.dtype)

        def run(number: int, part: Part) -> Pass:
            rows = part.rows
            one = Pass(
                part,
                partial(begin, number),
                x[rows],
                tuple(state[rows] for state in states),
                None if mask is None else mask[rows],
                self.return_sequences,
                self.zero_output_for_mask,
            )
            y[rows] = swapped(one.forward())
            return one

        tasks = [partial(run, number, part) for number, part in enumerate(parts)]
        return parts, threads.together(tasks), y

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
        sum_alike: bool = False,
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
        sum_alike : bool
            Whether rows of the same inputs may have one gradient between them, at the first: all
            that a layer of token ids below needs.  There is no ``d_initial_state`` then.
        """
        dy = self._floats("dy", dy)
        d_last = self._checked_d_state(dy, d_state)  # before the forward pass is used up
        (parts, passes, shape, (x_masks, h_masks)), dy = self._recall(dy)
        alike = any(part.alike for part in parts)
        if alike and not sum_alike:
            self._takes_alike = alike = False
            passes = self._each_row_by_itself(passes, shape)
        xp = array_module(dy)
        dx = xp.zeros(shape, dtype=dy.dtype) if needs_dx else None
        d_first = tuple(xp.zeros_like(d) for d in d_last)

        def run(one: Pass) -> tuple[Array, ...]:
            rows = one.part.rows
            dstates = tuple(d[rows].copy() for d in d_last)
            dx_rows, dweights = one.backward(swapped(dy[rows]), dstates, needs_dx)
            for whole, some in zip(d_first, dstates, strict=True):
                whole[rows] = some
            if dx is not None and dx_rows is not None:
                dx[rows] = swapped(dx_rows)
            return dweights

        answers = threads.together([partial(run, one) for one in passes])
        dweights = tuple(sum(arrays[1:], arrays[0]) for arrays in zip(*answers, strict=True))
        self._d_initial_state = None if alike else d_first
        self.grads = self._named(passes[0].sweeps[0].named(dweights))
        if dx is None:
            return None
        if self.go_backwards:
            dx = dx[:, ::-1]
        return dx if x_masks is None or h_masks is not None else dx * x_masks[:, None, :]

    def _each_row_by_itself(self, passes: list[Pass], shape: tuple[int, ...]) -> list[Pass]:
        """Take the same steps once more, with the inputs and weights that they were taken with."""
        begun: Any = passes[0].sweeps[0]
        x = begun.xp.zeros(shape, dtype=begun.shape.dtype)
        for one in passes:
            x[one.part.rows] = swapped(one.inputs())
        states = self._checked_states("initial_state", [None] * len(self.state_names), x)
        return self._go(x, states, None, (None, None), True, False, begun.weights)[1]

    def reset_state(self) -> None:
        """Let a stateful layer start from zeros again."""
        if not self.stateful:
            raise InputError(f"{self.name}.reset_state: the layer keeps no state; make it stateful")
        self.states = None

    @property
    def d_initial_state(self) -> tuple[Array, ...]:
        """Gradient of the loss with respect to the initial states, set by ``backward``."""
        if self._d_initial_state is None:
            raise BackwardError(
                f"{self.name}: expected a backward pass row by row, got "
                f"{'one with sum_alike' if self.grads else 'none yet'}. Call layer.backward(dy)."
            )
        return self._d_initial_state

    def _divided(
        self,
        x: Array,
        mask: Array | None,
        masks: tuple[Array | None, Array | None],
        training: bool,
        alike: bool,
        weights: Any,
    ) -> tuple[list[Part], Callable[..., PageSweep | Sweep]]:
        """Return parts of the batch, and what begins the sweep of a stage of one of them."""
        (B, T, _), (x_masks, h_masks) = x.shape, masks
        if h_masks is not None or not self.runs_kernel:
            drops = {} if h_masks is None else {"x_masks": x_masks, "h_masks": h_masks}
            return undivided(B, T), lambda number, stage, x, states: self._page_sweep(
                x, states, drops
            )
        xp, weights = array_module(x), self._arranged() if weights is None else weights
        divided = parts(x, mask, alike) if xp is np else undivided(B, T)
        used = {(n, k) for n, part in enumerate(divided) for k in range(len(part.stages))}
        if training:
            self._sweeps = {at: sweep for at, sweep in self._sweeps.items() if at in used}

        def begin(number: int, stage: int, x: Array, states: tuple[Array, ...]) -> Sweep:
            B, T, D = x.shape
            shape = SweepShape(xp, x.dtype, B, T, D, self.units)
            sweep = self._sweeps.get((number, stage)) if training else None
            if sweep is None:
                sweep = self._kernel_sweep(shape)
            elif sweep.shape != shape:
                sweep = sweep.remade(shape)
            if training:
                self._sweeps[number, stage] = sweep
            sweep.start(x, states, weights)
            return sweep

        return divided, begin

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
