"""What SimpleRNN, LSTM and GRU share: through time and back, with states that come and go."""

from __future__ import annotations

from functools import partial
from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.errors import BackwardError, InputError
from scratchnet.kernels import threads
from scratchnet.layers.recurrent_ways import RecurrentWays, swapped


class Recurrent(RecurrentWays):
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

        def run(one: Any) -> tuple[Array, ...]:
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
        self.grads = self._named(passes[0].named(dweights))
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

    @property
    def d_initial_state(self) -> tuple[Array, ...]:
        """Gradient of the loss with respect to the initial states, set by ``backward``."""
        if self._d_initial_state is None:
            raise BackwardError(
                f"{self.name}: expected a backward pass row by row, got "
                f"{'one with sum_alike' if self.grads else 'none yet'}. Call layer.backward(dy)."
            )
        return self._d_initial_state
