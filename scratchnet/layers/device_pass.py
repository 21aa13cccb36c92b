"""A batch on its way through time on a GPU: the plan of the page's step, carried out."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from scratchnet.backend import Array, array_module
from scratchnet.kernels.device.products import product
from scratchnet.kernels.device.recurrent.blocks import (
    BiasGradient,
    Blocks,
    Matrix,
    Rows,
    WeightGradient,
)
from scratchnet.kernels.device.recurrent.cell import planned
from scratchnet.kernels.device.recurrent.plan import Plan, Stage, WayBack, after, before, rest_of
from scratchnet.layers.page_sweep import PageCell
from scratchnet.layers.recurrent_parts import undivided


class DevicePass:
    """What `scratchnet.layers.recurrent_pass.Pass` is on the host: every step, forward and back.

    Time is the first axis, so that each step's arrays are in one piece.  Products of the input are
    made for all steps beforehand, those for dx and the gradients of the weights for all steps
    afterwards; a step is the product with the state before it and one kernel.

    Parameters
    ----------
    cell : PageCell
    x : array, shape (B, T, D)
    states : tuple of array, shape (B, H)
    mask : array of bool, shape (B, T), or None
        In processing order.
    """

    def __init__(
        self,
        cell: PageCell,
        x: Array,
        states: tuple[Array, ...],
        mask: Array | None,
        return_sequences: bool,
        zero_output: bool,
        training: bool,
    ) -> None:
        self.xp, self.cell, self.mask = array_module(x), cell, mask
        self.return_sequences, self.zero_output = return_sequences, zero_output
        (self.B, self.T, _), self.H = x.shape, states[0].shape[1]
        (self.part,) = undivided(self.B, self.T)
        self.x = self.xp.ascontiguousarray(x.swapaxes(0, 1))  # (T, B, D)
        self.plan = plan_of(cell, self.H, len(states), mask is not None, return_sequences, training)
        self.states = tuple(self._empty(self.T + 1, self.B, self.H) for _ in states)
        for stack, state in zip(self.states, states, strict=True):
            stack[0] = state

    def forward(self) -> Array:
        """Take every step; return the outputs (T, B, H), or the last (B, H)."""
        plan, xp = self.plan, self.xp
        rows = _rows(self.x)
        inputs: dict[str, Array] = {}
        for step in plan.before:
            all_steps = product(rows, self._columns(step.matrix))
            blocks = all_steps.reshape(self.T, self.B, len(step.names), self.H)
            inputs |= {name: blocks[:, :, k] for k, name in enumerate(step.names)}
        self.saved = {name: self._empty(self.T, self.B, self.H) for name in plan.saved}
        fixed = self._biases() | self._results(plan.forward)
        for t in range(self.T):
            at = {**fixed, **{name: array[t] for name, array in inputs.items()}, **self._at(t)}
            self._run(plan.forward, at)
        self.last = tuple(stack[-1] for stack in self.states)
        hs = self.states[0][1:] if self.return_sequences else self.last[0]
        shown = self._shown()
        return hs if shown is None else xp.where(shown, hs, 0)

    def backward(
        self, dy: Array, dstates: tuple[Array, ...], needs_dx: bool
    ) -> tuple[Array | None, tuple[Array, ...]]:
        """Take every step back; return dx (T, B, D), if it was needed, and the weights' gradients.

        Parameters
        ----------
        dy : array, shape (T, B, H) or (B, H)
            Gradient of the loss with respect to what `forward` returned.
        dstates : tuple of array, shape (B, H)
            Gradients with respect to the last states, turned into those of the initial states.
        """
        back, shown = self.plan.back, self._shown()
        assert back is not None
        if shown is not None:
            dy = self.xp.where(shown, dy, 0)
        if not self.return_sequences:
            dstates[0][...] += dy
        self._das = {
            name: self._empty(self.T, self.B, len(da.blocks) * self.H)
            for name, da in back.groups.items()
        }
        now, then = self._arriving(back, dstates), self._arriving(back, None)
        for t in reversed(range(self.T)):
            at = {**self._at(t), **self._gates_at(t), **then}
            at |= {f"arrived_{name}": array for name, array in now.items()}
            if self.return_sequences:
                at["dy"] = dy[t]
            self._run(back.stages, at)
            now, then = then, now
        for k, d in enumerate(dstates):
            addends = [now[name] for name in _addends(back, k)]
            d[...] = functools.reduce(lambda a, b: a + b, addends)
        dx = None
        if needs_dx:
            dx = product(_rows(self._gates(back.dx.da)), self._columns(back.dx.matrix))
        dweights = tuple(self._dweight(dweight) for dweight in back.dweights)
        return None if dx is None else dx.reshape(self.x.shape), dweights

    def named(self, dweights: Sequence[Array]) -> dict[str, Array]:
        """Return the gradients of the weights by name."""
        return dict(zip(self.cell.weights, dweights, strict=True))

    def _run(self, stages: Sequence[Stage], at: Mapping[str, Array]) -> None:
        """Carry out one time step on the arrays it reads and writes, by name."""
        for stage in stages:
            for left, matrix, names in stage.products:
                product(at[left], self._columns(matrix), out=at[f"{names[0]}_to"])
            if stage.kernel is not None:
                stage.kernel(at, at)

    def _at(self, t: int) -> dict[str, Array]:
        """Return what the kernels call the states, saved arrays and mask of a time step."""
        at = {name: array[t] for name, array in self.saved.items()}
        for k, stack in enumerate(self.states):
            at |= {before(k): stack[t], after(k): stack[t + 1]}
        if self.mask is not None:
            at["live"] = self.mask[:, t, None]
        return at

    def _gates_at(self, t: int) -> dict[str, Array]:
        """Return the gradients of the gates at a time step, side by side and one by one."""
        at: dict[str, Array] = {}
        for name, das in self._das.items():
            at[name] = das[t]
            at |= {f"{name}_{k}": gate for k, gate in enumerate(self._blocks(das[t]))}
        return at

    def _results(self, stages: Sequence[Stage]) -> dict[str, Array]:
        """Return room for the results of products, as a whole and block by block."""
        results: dict[str, Array] = {}
        for names in (step.names for stage in stages for step in stage.products):
            whole = self._empty(self.B, len(names) * self.H)
            results[f"{names[0]}_to"] = whole
            results |= dict(zip(names, self._blocks(whole), strict=True))
        return results

    def _arriving(self, back: WayBack, last: tuple[Array, ...] | None) -> dict[str, Array]:
        """Return room for what one step gives to the one before it; at first, the last gradients.

        Where a state's gradient has several parts, they are in the first.
        """
        room = self._results(back.stages)
        for k, rests in enumerate(back.resting):
            if rests:
                room[rest_of(k)] = self._empty(self.B, self.H)
            if last is not None:
                first, *others = _addends(back, k)
                room[first][...] = last[k]
                for name in others:
                    room[name].fill(0)
        return room

    def _dweight(self, dweight: tuple[WeightGradient, ...] | BiasGradient) -> Array:
        if isinstance(dweight, BiasGradient):
            return self._gates(dweight.da).sum(axis=0).sum(axis=0)  # a thread for each sum over T
        parts = [product(_rows(self._left(left)).T, _rows(self._gates(da))) for left, da in dweight]
        return parts[0] if len(parts) == 1 else self.xp.concatenate(parts, axis=1)

    def _left(self, left: Blocks | Rows) -> Array:
        """Return an input, a state or a saved array at all time steps, (T, B, …)."""
        if isinstance(left, Rows):
            return self.x
        name = left.expression.value[0]
        states = {before(k): stack[:-1] for k, stack in enumerate(self.states)}
        return states[name] if name in states else self.saved[name]

    def _gates(self, da: Blocks) -> Array:
        assert self.plan.back is not None
        return self._das[self.plan.back.name_of(da)]

    def _columns(self, matrix: Matrix) -> Array:
        """Return the weights of a product, in one piece."""
        weights, gates = self.cell.weights[matrix.name], matrix.gates
        if len(gates) * self.H != weights.shape[1]:
            key = (matrix.name, gates)
            if key not in self._cut:
                columns = slice(gates.start * self.H, gates.stop * self.H)
                self._cut[key] = self.xp.ascontiguousarray(weights[:, columns])
            weights = self._cut[key]
        return weights.T if matrix.transposed else weights

    @functools.cached_property
    def _cut(self) -> dict[tuple[str, range], Array]:
        """Columns of weights, as they were when this pass began."""
        return {}

    def _biases(self) -> dict[str, Array]:
        return {
            f"{name}_{k}": bias[k * self.H : (k + 1) * self.H]
            for name, bias in self.cell.weights.items()
            if bias.ndim == 1
            for k in range(len(bias) // self.H)
        }

    def _blocks(self, whole: Array) -> list[Array]:
        H = self.H
        return [whole[:, k * H : (k + 1) * H] for k in range(whole.shape[1] // H)]

    def _shown(self) -> Array | None:
        """Return where an output is shown, (T, B, 1) or (B, 1); None where all are."""
        if self.mask is None:
            return None
        live = self.mask.T[:, :, None]
        shown = live if self.zero_output else self.xp.cumsum(live, axis=0) > 0
        return shown if self.return_sequences else shown[-1]

    def _empty(self, *shape: int) -> Array:
        return self.xp.empty(shape, dtype=self.x.dtype)


def _rows(steps: Array) -> Array:
    """Return (T, B, F) with all time steps one below the other, (T·B, F)."""
    T, B, F = steps.shape
    return steps.reshape(T * B, F)


def _addends(back: WayBack, state: int) -> list[str]:
    """Return the names of the parts that a state's gradient is the sum of."""
    return [*back.arriving[state], *[rest_of(state)] * back.resting[state]]


def plan_of(
    cell: PageCell, H: int, states: int, masked: bool, return_sequences: bool, training: bool
) -> Plan:
    """Return the plan of a cell whose states are H wide; see `planned`."""
    kinds = tuple(
        (name, array.shape[1] // H if array.ndim == 2 else -(array.shape[0] // H))
        for name, array in cell.weights.items()
    )
    settings = tuple(sorted(cell.settings.items()))
    return planned(
        cell.step, cell.step_backward, settings, kinds, states, masked, return_sequences, training
    )
