"""Some rows of a batch on their way through time, forward and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import grain
from scratchnet.layers.recurrent_parts import Part, Stage


class SweepOverTime(Protocol):
    """What `PageSweep` and the kernels' sweeps have in common: single steps."""

    states: tuple[Array, ...]

    def step(self, t: int) -> None: ...
    def begin_backward(self, needs_dx: bool, grain: float) -> None: ...
    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> None: ...
    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool: ...
    def gradients(self) -> tuple[Array | None, tuple[Array, ...]]: ...
    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]: ...


class Pass:
    """What happens between the steps of sweeps: stages, masks, gradients that come in.

    Parameters
    ----------
    part : Part
        Its rows are those of ``x``, ``states`` and ``mask``; each stage is a sweep of its own.
    begin : function
        ``begin(number, x, states)`` makes the sweep of a stage.
    x : array, shape (B, T, D)
    states : tuple of array, shape (B, H)
    mask : array of bool, shape (B, T), or None
        In processing order.
    """

    def __init__(
        self,
        part: Part,
        begin: Callable[[int, Array, tuple[Array, ...]], SweepOverTime],
        x: Array,
        states: tuple[Array, ...],
        mask: Array | None,
        return_sequences: bool,
        zero_output: bool,
    ) -> None:
        self.part, self.return_sequences = part, return_sequences
        self.sweeps: list[SweepOverTime] = []
        self.begin, self.x, self.states = begin, x, states
        self.live: Any = None
        self.shown: Any = None
        if mask is not None:
            self.live = mask.T[:, :, None]  # (T, B, 1)
            self.shown = self.live
            if not zero_output:
                self.shown = array_module(mask).cumsum(self.live, axis=0) > 0
            if not return_sequences:
                self.shown = self.shown[-1]

    def forward(self) -> Array:
        """Take every step; return the outputs (T, B, H), or the last (B, H)."""
        states: tuple[Array, ...] = ()
        outputs = []
        for number, stage in enumerate(self.part.stages):
            states = self._joined(states, stage.rows)
            sweep = self.begin(number, self.x[: stage.rows, stage.steps], states)
            self._steps(sweep, stage)
            self.sweeps.append(sweep)
            states = tuple(stack[-1] for stack in sweep.states)
            outputs.append(sweep.states[0][1:])
        del self.begin, self.x
        self.last = states
        hs = self._put_together(outputs) if self.return_sequences else states[0]
        return hs if self.shown is None else array_module(hs).where(self.shown, hs, 0)

    def inputs(self) -> Array:
        """Return what went in (T, B, D), from what the kernels' sweeps have kept of it."""
        sweeps: list[Any] = self.sweeps
        x = self._put_together([sweep.xh[:-1, :, : sweep.D] for sweep in sweeps])
        for stage in self.part.stages:  # a row that had not joined was like the first
            x[stage.steps, stage.rows :] = x[stage.steps, :1]
        return x

    def _steps(self, sweep: SweepOverTime, stage: Stage) -> None:
        live = self.live
        for t in range(len(sweep.states[0]) - 1):
            sweep.step(t)
            if live is not None:
                now = live[stage.steps.start + t, : stage.rows]
                for stack in sweep.states:
                    stack[t + 1] = array_module(stack).where(now, stack[t + 1], stack[t])

    def _joined(self, states: tuple[Array, ...], rows: int) -> tuple[Array, ...]:
        """Return the states of as many rows: those that join bring theirs, or the first's."""
        if not states:
            return tuple(state[:rows] for state in self.states)
        xp, before = array_module(states[0]), len(states[0])
        if rows == before:
            return states
        if self.part.alike:
            return tuple(xp.concatenate((s, s[:1].repeat(rows - before, axis=0))) for s in states)
        both = zip(states, self.states, strict=True)
        return tuple(xp.concatenate((s, own[before:rows])) for s, own in both)

    def _put_together(self, stages: list[Array]) -> Array:
        """Return one array (T, B, …), zero where a row has not joined."""
        T, B = self.part.stages[-1].steps.stop, self.part.stages[-1].rows
        if stages[0].shape[:2] == (T, B):
            return stages[0]
        whole = array_module(stages[0]).zeros((T, B, *stages[0].shape[2:]), stages[0].dtype)
        for stage, array in zip(self.part.stages, stages, strict=True):
            whole[stage.steps, : stage.rows] = array
        return whole

    def backward(
        self, dy: Array, dstates: tuple[Array, ...], needs_dx: bool
    ) -> tuple[Array | None, tuple[Array, ...]]:
        """Take every step back; return dx (T, B, D), if it was needed, and the weights' gradients.

        Rows of a part that are alike before they join have one gradient there, the first's.

        Parameters
        ----------
        dy : array, shape (T, B, H) or (B, H)
            Gradient of the loss with respect to what `forward` returned.
        dstates : tuple of array, shape (B, H)
            Gradients with respect to the last states, turned into those of the initial states.
        """
        if self.shown is not None:
            dy = array_module(dy).where(self.shown, dy, 0)
        if not self.return_sequences:
            dstates[0][...] += dy
        smallest = 0.0 if self.return_sequences else grain(dstates)
        stages = list(zip(self.part.stages, self.sweeps, strict=True))
        dxs: list[Any] = []
        dweights = []
        for number, (stage, sweep) in reversed(list(enumerate(stages))):
            sweep.begin_backward(needs_dx, smallest)
            self._steps_back(sweep, stage, dy, tuple(d[: stage.rows] for d in dstates))
            dx, gradients = sweep.gradients()
            dxs.insert(0, dx)
            dweights.append(gradients)
            if self.part.alike and number:
                for d in dstates:
                    d[0] += d[stages[number - 1][0].rows : stage.rows].sum(axis=0)
        totals = tuple(sum(arrays[1:], arrays[0]) for arrays in zip(*dweights, strict=True))
        return self._put_together(dxs) if needs_dx else None, totals

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights by name."""
        return self.sweeps[0].named(dweights)

    def _steps_back(
        self, sweep: SweepOverTime, stage: Stage, dy: Array, dstates: tuple[Array, ...]
    ) -> None:
        live, rows, dh, xp = self.live, stage.rows, dstates[0], array_module(dy)
        for t in reversed(range(len(sweep.states[0]) - 1)):
            now = stage.steps.start + t
            if self.return_sequences:
                dh += dy[now, :rows]
            elif sweep.faded(t, dstates):
                break
            if live is None:
                sweep.step_backward(t, dstates)
                continue
            held = [xp.where(live[now, :rows], 0, d) for d in dstates]
            for d in dstates:
                d[...] = xp.where(live[now, :rows], d, 0)
            sweep.step_backward(t, dstates)
            for d, kept in zip(dstates, held, strict=True):
                d += kept
