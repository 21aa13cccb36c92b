"""What people get wrong around the steps: states, time, masks, memory."""

from __future__ import annotations

from collections.abc import Iterator

from scratchnet.kernels.sweep import Sweep
from scratchnet.layers.page_sweep import PageSweep
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.recurrent_pass import Pass
from tests.planted_bugs.planted_bug import PlantedBug


def loop_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from state_and_time_bugs()
    yield from mask_bugs()
    yield from memory_bugs()


def state_and_time_bugs() -> Iterator[PlantedBug]:
    """Yield what can go wrong with the states at either end, and with the order of time."""
    title = "initial state ignored"
    yield PlantedBug(title, "simple_rnn", PageSweep.__init__, "stack[0] = state", "stack[0] = 0")
    for layer in ("simple_rnn", "lstm", "gru"):
        yield PlantedBug(title, layer, Sweep.start, "stack[0] = state", "stack[0] = 0")

    title = "first time step skipped on the way back"
    right, wrong = "reversed(range(len", "reversed(range(1, len"
    yield PlantedBug(title, "lstm", Pass._steps_back, right, wrong)
    yield PlantedBug(title, "gru_reset_before", Pass._steps_back, right, wrong)

    title = "gradient of the final state ignored"
    right = "tuple(d[rows].copy() for d in d_last)"
    wrong = "tuple(0 * d[rows] for d in d_last)"
    yield PlantedBug(title, "gru", Recurrent.backward, right, wrong)
    title = "gradient of the last output ignored"
    yield PlantedBug(title, "simple_rnn", Pass.backward, "dstates[0][...] += dy", "pass")

    title, arguments = "gradient not turned round again", {"go_backwards": True}
    yield PlantedBug(title, "lstm", Recurrent.backward, "dx = dx[:, ::-1]", "pass", arguments)


def mask_bugs() -> Iterator[PlantedBug]:
    """Yield masks that are ignored, or of another direction."""
    backward = Pass._steps_back
    title = "mask ignored"
    right = "array_module(stack).where(now, stack[t + 1], stack[t])"
    yield PlantedBug(title, "gru", Pass._steps, right, "stack[t + 1]")
    title = "mask ignored in the output"
    right = "hs if self.shown is None else array_module(hs).where(self.shown, hs, 0)"
    yield PlantedBug(title, "lstm", Pass.forward, right, "hs")
    title = "mask ignored in the gradient of the output"
    right = "dy = array_module(dy).where(self.shown, dy, 0)"
    yield PlantedBug(title, "simple_rnn", Pass.backward, right, "pass")
    title = "mask ignored on the way back"
    right = "d[...] = xp.where(live[now, :rows], d, 0)"
    yield PlantedBug(title, "gru", backward, right, "pass")
    title = "mask ignored in what a masked step hands on"
    right = "held = [xp.where(live[now, :rows], 0, d) for d in dstates]"
    yield PlantedBug(title, "lstm", backward, right, "held = [0 * d for d in dstates]")
    title = "mask not turned round with the input"
    right, arguments = "None if mask is None else mask[:, ::-1]", {"go_backwards": True}
    yield PlantedBug(title, "simple_rnn", Recurrent.forward, right, "mask", arguments)


def memory_bugs() -> Iterator[PlantedBug]:
    """Yield sums that do not start from nothing, and arrays that are somebody else's."""
    title = "gradient buffer started from the parameters"
    right = "self.xp.zeros_like(w)"
    yield PlantedBug(title, "gru_reset_before", PageSweep.begin_backward, right, "w.copy()")
    right = "self.xp.zeros(shape, dtype=self.shape.dtype)"
    for layer, wrong in (
        ("simple_rnn", "self.weights.W.copy()"),
        ("lstm", "self.weights.W.swapaxes(0, 1).reshape(shape)"),
        ("gru", "self.xp.resize(self.weights.back, shape)"),
    ):
        yield PlantedBug(title, layer, Sweep.begin_backward, right, wrong)
    title = "gradient buffer not cleared"
    wrong = f"vars(self).setdefault(('total', shape), {right})"
    yield PlantedBug(title, "lstm", Sweep.begin_backward, right, wrong, beyond_check=True)

    title, sequences = "upstream gradient written in place", {"return_sequences": True}
    right, wrong = "dh += dy[now, :rows]", "dy[now, :rows] += dh; dh[...] = dy[now, :rows]"
    for layer in ("gru_reset_before", "lstm"):
        yield PlantedBug(title, layer, Pass._steps_back, right, wrong, sequences)
    title = "gradient of the final state written in place"
    right, wrong = "d[rows].copy() for d in d_last", "d[rows] for d in d_last"
    yield PlantedBug(title, "lstm", Recurrent.backward, right, wrong)
    title = "buffer handed to the user"
    right = "if self.stateful:"
    wrong = f"last = passes[0].last\n    {right}"
    yield PlantedBug(title, "simple_rnn", Recurrent.forward, right, wrong, beyond_check=True)
    title = "a stateful layer's own states handed to the user"
    right, wrong = "(y, *(s.copy() for s in last))", "(y, *last)"
    yield PlantedBug(title, "gru", Recurrent.forward, right, wrong, beyond_check=True)
    title = "inference goes through what backward will read"
    right = "self._sweeps.get((number, stage)) if training else None"
    yield PlantedBug(title, "lstm", Recurrent._divided, right, right.partition(" if")[0],
                     beyond_check=True)  # fmt: skip
    title = "two parts go through the same memory"
    wrong = right.replace("number", "0")
    yield PlantedBug(title, "gru", Recurrent._divided, right, wrong, divided=True,
                     beyond_check=True)  # fmt: skip
