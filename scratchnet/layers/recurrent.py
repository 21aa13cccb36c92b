"""The loop that SimpleRNN, LSTM and GRU share: time, masks, states, direction, dropout.

Every pass is a sweep over time: the page's own steps (`scratchnet.layers.page_sweep`) or the same
equations arranged for speed (`scratchnet.kernels`).  Both take one step forward or back at a time;
what happens between steps is here, once.
"""

from __future__ import annotations

import os
from typing import Any, Protocol

from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.kernels.sweep import Buffers
from scratchnet.layers.recurrent_options import RecurrentOptions

PAGE_VARIABLE = "SCRATCHNET_PAGE"
"""Set to anything but 0 or nothing, every recurrent layer runs the page."""


class SweepOverTime(Protocol):
    """What `PageSweep` and the kernels' sweeps have in common."""

    states: tuple[Array, ...]
    mask_axis: int

    def step(self, t: int) -> None: ...
    def begin_backward(self) -> None: ...
    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> tuple[Array, ...]: ...
    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool: ...
    def gradients(self) -> tuple[Array, Any]: ...
    def enter(self, array: Array) -> Array: ...
    def leave(self, array: Array) -> Array: ...


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
        xp = array_module(x)
        states = self._first_states(x, initial_state)
        live = self._checked_mask(x, mask)
        x_masks, h_masks = self._draw_masks(x) if training else (None, None)
        if x_masks is not None and h_masks is None:
            x = x * x_masks[:, None, :]
        if self.go_backwards:
            x, live = x[:, ::-1], None if live is None else live[:, ::-1]
        sweep = self._sweep(x, states, training, x_masks, h_masks)
        T = x.shape[1]
        shown = None
        if live is not None:
            live = xp.expand_dims(live.T, sweep.mask_axis)  # (T, B, 1) or (T, 1, B)
            shown = live if self.zero_output_for_mask else xp.cumsum(live, axis=0) > 0
        for t in range(T):
            sweep.step(t)
            if live is not None:
                for stack in sweep.states:
                    stack[t + 1] = xp.where(live[t], stack[t + 1], stack[t])
        hs = sweep.states[0][1:] if self.return_sequences else sweep.states[0][T]
        if shown is not None:
            hs = xp.where(shown if self.return_sequences else shown[-1], hs, 0)
        y = sweep.leave(hs)
        if training:
            self._remember((sweep, live, shown, x_masks, h_masks), y)
        if not (self.stateful or self.return_state):
            return y
        last = tuple(sweep.leave(stack[T]) for stack in sweep.states)
        if self.stateful:
            self.states = last
        return (y, *(s.copy() for s in last)) if self.return_state else y

    def step(self, x: Array, states: tuple[Array | None, ...] | None = None) -> tuple[Array, ...]:
        """Return the states after one time step, the page's: how a text is written id by id.

        Parameters
        ----------
        x : array, shape (B, D)
            The input of this step alone.
        states : tuple of array, shape (B, H), optional
            Those after the step before; zeros unless given.
        """
        x = self._ready(x[:, None])
        sweep = self._page_sweep(x, self._first_states(x, states), {})
        sweep.step(0)
        return tuple(stack[1] for stack in sweep.states)

    def backward(self, dy: Array, d_state: tuple[Array | None, ...] | None = None) -> Array:
        """Return ``dx``, set ``grads`` and ``d_initial_state``.

        Parameters
        ----------
        dy : array
            Gradient of the loss with respect to ``y``; never written to.
        d_state : tuple of array or None, shape (B, H), optional
            Gradient with respect to the final states; None means zeros.
        """
        dy = self._floats("dy", dy)
        d_last = self._checked_d_state(dy, d_state)  # before the forward pass is used up
        (sweep, live, shown, x_masks, h_masks), dy = self._recall(dy)
        xp = array_module(dy)
        dys = sweep.enter(dy)
        if shown is not None:
            dys = xp.where(shown if self.return_sequences else shown[-1], dys, 0)
        dstates = tuple(sweep.enter(d) for d in d_last)
        if not self.return_sequences:
            dstates = (dstates[0] + dys, *dstates[1:])
        sweep.begin_backward()
        for t in reversed(range(len(sweep.states[0]) - 1)):
            if self.return_sequences:
                dstates = (dstates[0] + dys[t], *dstates[1:])
            elif sweep.faded(t, dstates):
                break
            if live is None:
                dstates = sweep.step_backward(t, dstates)
                continue
            held = [xp.where(live[t], 0, d) for d in dstates]
            dstates = sweep.step_backward(t, tuple(xp.where(live[t], d, 0) for d in dstates))
            dstates = tuple(d + kept for d, kept in zip(dstates, held, strict=True))
        self.d_initial_state = tuple(sweep.leave(d) for d in dstates)
        dx, dweights = sweep.gradients()
        self.grads = self._named(dweights)
        dx = sweep.leave(dx)
        if self.go_backwards:
            dx = dx[:, ::-1]
        return dx if x_masks is None or h_masks is not None else dx * x_masks[:, None, :]

    def reset_state(self) -> None:
        """Let a stateful layer start from zeros again."""
        if not self.stateful:
            raise InputError(f"{self.name}.reset_state: the layer keeps no state; make it stateful")
        self.states = None

    def _sweep(
        self,
        x: Array,
        states: tuple[Array, ...],
        training: bool,
        x_masks: Array | None,
        h_masks: Array | None,
    ) -> SweepOverTime:
        page = self.page
        if page is None:
            page = os.environ.get(PAGE_VARIABLE, "0") not in ("", "0")
        if page or h_masks is not None or not self._has_kernel():
            masks = {} if h_masks is None else {"x_masks": x_masks, "h_masks": h_masks}
            return self._page_sweep(x, states, masks)
        if not hasattr(self, "_buffers"):
            self._buffers = Buffers()
        return self._kernel_sweep(x, states, self._buffers if training else Buffers())

    def _has_kernel(self) -> bool:
        raise NotImplementedError

    def _page_sweep(
        self, x: Array, states: tuple[Array, ...], masks: dict[str, Any]
    ) -> SweepOverTime:
        raise NotImplementedError

    def _kernel_sweep(self, x: Array, states: tuple[Array, ...], buffers: Buffers) -> SweepOverTime:
        raise NotImplementedError
