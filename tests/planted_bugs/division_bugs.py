"""What people get wrong where time is divided into chunks, a batch into parts, padding skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from scratchnet.kernels.sweep import Sweep
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.recurrent_pass import Pass
from tests.planted_bugs.planted_bug import PlantedBug

Divided: Callable[..., PlantedBug] = partial(PlantedBug, divided=True)


def division_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from chunk_bugs()
    yield from part_bugs()
    yield from padding_bugs()


def chunk_bugs() -> Iterator[PlantedBug]:
    """Yield chunks that begin at, end at, or belong to another step."""
    back, products = Sweep.step_backward, Sweep._add_products
    right = "self._local_derivatives(self._steps)"
    for layer in ("simple_rnn", "lstm"):  # those of the GRU write over what they are made from
        yield Divided("local derivatives of the chunk after", layer, back, right,
                      f"if t + 1 == self.T:\n            {right}")  # fmt: skip
    for layer in ("simple_rnn", "lstm", "gru"):
        wrong = (
            "last = t + 1 == self.T\n        "
            "self._local_derivatives(slice(self._first + (not last), t + 1 + (not last)))"
        )
        yield Divided("local derivatives of the step after", layer, back, right, wrong)
        yield Divided("place in the chunk counted from time 0", layer, back,
                      "self._step_back(t, t - self._first,",
                      "self._step_back(t, t % self.chunk,")  # fmt: skip
        yield Divided("products of a last, smaller chunk left out", layer, back,
                      "if t == self._first:",
                      "if t == self._steps.stop - self.chunk:")  # fmt: skip
        yield Divided("first time step in no chunk", layer, back,
                      "max(self._begin, t", "max(self._begin + 1, t")  # fmt: skip
        yield Divided("= for += over the chunks", layer, products, "total += dweight",
                      "total[...] = dweight")  # fmt: skip
        yield Divided("dx of every chunk at the same steps", layer, products,
                      "self.dx[steps] = ", "self.dx[: steps.stop - steps.start] = ")  # fmt: skip
        yield Divided("a chunk that was broken off left out", layer, Sweep.faded,
                      "self._add_products()", "pass", beyond_check=True)  # fmt: skip
        yield Divided("a chunk that was broken off keeps what was there", layer, Sweep.faded,
                      "self.das[: t + 1 - self._first] = 0", "pass",
                      beyond_check=True)  # fmt: skip


def part_bugs() -> Iterator[PlantedBug]:
    """Yield parts that are left out, counted twice, or taken for one another."""
    forward, backward = Recurrent.forward, Recurrent.backward
    total = "sum(arrays[1:], arrays[0]) for arrays"
    for layer, title, wrong in (
        ("lstm", "a part's gradients left out", "sum(arrays[2:], arrays[0]) for arrays"),
        ("gru", "the first part's gradients alone", "arrays[0] for arrays"),
        ("simple_rnn", "a part's gradients counted twice", "sum(arrays, arrays[0]) for arrays"),
        ("gru", "gradients averaged over the parts",
         "sum(arrays[1:], arrays[0]) / len(arrays) for arrays"),
    ):  # fmt: skip
        yield Divided(title, layer, backward, total, wrong)

    right = "zip(passes, parts, strict=True)"
    wrong = "zip(passes, parts[::-1], strict=True)"
    yield Divided("parts exchanged on the way back", "lstm", backward, right, wrong)
    other = "parts[len(parts) - 1 - parts.index(rows)]"
    for title, layer, function, right in (
        ("outputs of parts exchanged", "gru", forward, "y[rows] = "),
        ("inputs of parts exchanged", "lstm", forward, "begin(number, x[rows]"),
        ("dx of parts exchanged", "lstm", backward, "dx[rows] = "),
        ("gradients of outputs of parts exchanged", "simple_rnn", backward, "swapped(dy[rows])"),
        ("gradients of initial states of parts exchanged", "lstm", backward, "whole[rows] = "),
        ("gradients of final states of parts exchanged", "gru", backward, "d[rows].copy()"),
    ):
        yield Divided(title, layer, function, right, right.replace("rows", other))
    first = "[: len(x[rows])]"
    for title, right in (
        ("every part starts from the first part's states", "state[rows]"),
        ("every part has the first part's mask", "mask[rows]"),
    ):
        yield Divided(title, "gru", forward, right, right.replace("[rows]", first))
    right, wrong = "[s[T] for s in stack]", "[s[T] for s in stack[::-1]]"
    yield Divided("final states of parts exchanged", "lstm", forward, right, wrong)


def padding_bugs() -> Iterator[PlantedBug]:
    """Yield steps that are skipped though some row counts them, or not skipped to the end."""
    for layer in ("lstm", "gru"):
        yield PlantedBug("steps skipped that some rows count", layer, Pass.__init__,
                         "mask.any(axis=0)", "mask.all(axis=0)")  # fmt: skip
        yield Divided("one step too many skipped", layer, Pass.__init__,
                      "int(counts.argmax())", "int(counts.argmax()) + 1")  # fmt: skip
        yield Divided("initial state not carried over what is skipped", layer, Pass.forward,
                      "stack[1 : self.first + 1] = stack[0]", "pass",
                      beyond_check=True)  # fmt: skip
        yield Divided("dx of what is skipped never written", layer, Sweep.begin_backward,
                      "self.dx[:first] = 0", "pass", beyond_check=True)  # fmt: skip
        yield Divided("skipped steps in the last chunk", layer, Sweep.step_backward,
                      "max(self._begin, t", "max(0, t")  # fmt: skip
