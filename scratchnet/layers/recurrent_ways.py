"""The ways a recurrent layer can go through time: the page, a kernel, the kernels of a device.

The page's own steps (`scratchnet.layers.page_sweep`), or the same equations arranged for speed
(`scratchnet.kernels`), are sweeps that take one step forward or back at a time; what happens
between steps is in `scratchnet.layers.recurrent_pass`.  On a device the page's step is made into
kernels (`scratchnet.layers.device_pass`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.kernels import threads
from scratchnet.kernels.device import has_kernels
from scratchnet.kernels.device.tracing.expressions import UntraceableError
from scratchnet.kernels.one_row import OneRow
from scratchnet.kernels.sweep import Sweep, SweepShape
from scratchnet.layers.device_pass import DevicePass, plan_of
from scratchnet.layers.page_sweep import PageCell, PageSweep
from scratchnet.layers.recurrent_options import RecurrentOptions
from scratchnet.layers.recurrent_parts import Part, parts, undivided
from scratchnet.layers.recurrent_pass import Pass

PAGE_VARIABLE = "SCRATCHNET_PAGE"
"""Set to anything but 0 or nothing, every recurrent layer runs the page."""


class RecurrentWays(RecurrentOptions):
    """Chooses the way, divides the batch, and takes all steps."""

    def _go(
        self,
        x: Array,
        states: tuple[Array, ...],
        mask: Array | None,
        masks: tuple[Array | None, Array | None],
        training: bool,
        alike: bool,
        weights: Any = None,
    ) -> tuple[list[Part], list[Any], Array]:
        """Take all steps; return the batch's parts, their passes, and y.

        The kernel's ``weights`` are the layer's of this moment unless given.
        """
        (B, T, _), xp = x.shape, array_module(x)
        if self._runs_fused(x, mask is not None, masks[1] is not None, training):
            one = DevicePass(
                self._page_cell(x, {}),
                x,
                states,
                mask,
                self.return_sequences,
                self.zero_output_for_mask,
                training,
            )
            return [one.part], [one], swapped(one.forward()).copy()
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

    def _each_row_by_itself(self, passes: list[Pass], shape: tuple[int, ...]) -> list[Pass]:
        """Take the same steps once more, with the inputs and weights that they were taken with."""
        begun: Any = passes[0].sweeps[0]
        x = begun.xp.zeros(shape, dtype=begun.shape.dtype)
        for one in passes:
            x[one.part.rows] = swapped(one.inputs())
        states = self._checked_states("initial_state", [None] * len(self.state_names), x)
        return self._go(x, states, None, (None, None), True, False, begun.weights)[1]

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
        return not self._runs_page and self._has_kernel()

    @property
    def _runs_page(self) -> bool:
        if self.page is None:
            return os.environ.get(PAGE_VARIABLE, "0") not in ("", "0")
        return self.page

    @property
    def is_recordable(self) -> bool:
        """Whether the step is made of kernels alone, and the next begins where it began."""
        no_page = not self._runs_page and not self.recurrent_dropout
        return no_page and not self.stateful and self._is_traceable(masked=False, training=True)

    def _runs_fused(self, x: Array, masked: bool, drops: bool, training: bool) -> bool:
        """Whether the page's step is made into kernels: on a device, if it can be."""
        if not has_kernels(x) or drops or self._runs_page:
            return False
        return self._is_traceable(masked, training)

    def _is_traceable(self, masked: bool, training: bool) -> bool:
        cell = self._page_cell(self.params["kernel"], {})
        how = (self.units, len(self.state_names), masked, self.return_sequences, training)
        try:
            plan_of(cell, *how)
        except UntraceableError:
            return False
        return True

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
        xp = array_module(x)
        if h_masks is not None or not self.runs_kernel or xp is not np:
            drops = {} if h_masks is None else {"x_masks": x_masks, "h_masks": h_masks}
            return undivided(B, T), lambda number, stage, x, states: self._page_sweep(
                x, states, drops
            )
        weights = self._arranged() if weights is None else weights
        divided = parts(x, mask, alike)
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
        return PageSweep(x, states, self._page_cell(x, masks))

    def _page_cell(self, like: Array, masks: dict[str, Any]) -> PageCell:
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
