"""Some rows of a batch on their way through time, forward and back."""

from __future__ import annotations

from typing import Any, Protocol

from scratchnet.backend import Array, array_module


class SweepOverTime(Protocol):
    """What `PageSweep` and the kernels' sweeps have in common: single steps."""

    states: tuple[Array, ...]

    def step(self, t: int) -> None: ...
    def begin_backward(self, needs_dx: bool, first: int) -> None: ...
    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> None: ...
    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool: ...
    def gradients(self) -> tuple[Array | None, tuple[Array, ...]]: ...
    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]: ...


class Pass:
    """What happens between the steps of a sweep: masks, sequences, gradients that come in.

    Parameters
    ----------
    sweep : SweepOverTime
        Has taken in the inputs and the initial states.
    mask : array of bool, shape (B, T), or None
        In processing order.
    """

    def __init__(
        self, sweep: SweepOverTime, mask: Array | None, return_sequences: bool, zero_output: bool
    ) -> None:
        self.sweep, self.return_sequences = sweep, return_sequences
        self.first = 0  # step that is not padding for all rows
        self.live: Any = None
        self.shown: Any = None
        if mask is not None:
            xp = array_module(mask)
            counts: Any = mask.any(axis=0)
            self.first = int(counts.argmax()) if counts.any() else len(counts)
            self.live = mask.T[:, :, None]  # (T, B, 1)
            self.shown = self.live if zero_output else xp.cumsum(self.live, axis=0) > 0
            if not return_sequences:
                self.shown = self.shown[-1]

    def forward(self) -> Array:
        """Take every step; return the outputs (T, B, H), or the last (B, H)."""
        sweep, live = self.sweep, self.live
        T, xp = len(sweep.states[0]) - 1, array_module(sweep.states[0])
        for stack in sweep.states:
            stack[1 : self.first + 1] = stack[0]
        for t in range(self.first, T):
            sweep.step(t)
            if live is not None:
                for stack in sweep.states:
                    stack[t + 1] = xp.where(live[t], stack[t + 1], stack[t])
        hs = sweep.states[0][1:] if self.return_sequences else sweep.states[0][T]
        return hs if self.shown is None else xp.where(self.shown, hs, 0)

    def backward(self, dy: Array, dstates: tuple[Array, ...], needs_dx: bool) -> None:
        """Take every step back.

        Parameters
        ----------
        dy : array, shape (T, B, H) or (B, H)
            Gradient of the loss with respect to what `forward` returned.
        dstates : tuple of array, shape (B, H)
            Gradients with respect to the last states, turned into those of the initial states.
        """
        sweep, live, xp, dh = self.sweep, self.live, array_module(dy), dstates[0]
        if self.shown is not None:
            dy = xp.where(self.shown, dy, 0)
        if not self.return_sequences:
            dh += dy
        sweep.begin_backward(needs_dx, self.first)
        for t in reversed(range(self.first, len(sweep.states[0]) - 1)):
            if self.return_sequences:
                dh += dy[t]
            elif sweep.faded(t, dstates):
                break
            if live is None:
                sweep.step_backward(t, dstates)
                continue
            held = [xp.where(live[t], 0, d) for d in dstates]
            for d in dstates:
                d[...] = xp.where(live[t], d, 0)
            sweep.step_backward(t, dstates)
            for d, kept in zip(dstates, held, strict=True):
                d += kept
