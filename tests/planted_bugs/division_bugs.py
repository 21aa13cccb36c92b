"""What people get wrong where time has chunks and stages, and a batch has parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from scratchnet.kernels.sweep import Sweep
from scratchnet.layers import recurrent_parts
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.recurrent_pass import Pass
from tests.planted_bugs.planted_bug import PlantedBug

Divided: Callable[..., PlantedBug] = partial(PlantedBug, divided=True)


def division_bugs() -> Iterator[PlantedBug]:
    """Yield all of them."""
    yield from chunk_bugs()
    yield from part_bugs()
    yield from padding_bugs()
    yield from alike_bugs()


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
                      "max(0, t", "max(1, t")  # fmt: skip
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
    backward = Recurrent.backward
    total = "sum(arrays[1:], arrays[0]) for arrays"
    for layer, title, wrong in (
        ("lstm", "a part's gradients left out", "sum(arrays[2:], arrays[0]) for arrays"),
        ("gru", "the first part's gradients alone", "arrays[0] for arrays"),
        ("simple_rnn", "a part's gradients counted twice", "sum(arrays, arrays[0]) for arrays"),
        ("gru", "gradients averaged over the parts",
         "sum(arrays[1:], arrays[0]) / len(arrays) for arrays"),
    ):  # fmt: skip
        yield Divided(title, layer, backward, total, wrong)

    forth, back = "parts[~number].rows", "passes[~passes.index(one)].part.rows"
    for title, layer, function, right in (
        ("outputs of parts exchanged", "gru", Recurrent._go, "y[rows] = "),
        ("inputs of parts exchanged", "lstm", Recurrent._go, "x[rows],"),
        ("dx of parts exchanged", "lstm", backward, "dx[rows] = "),
        ("gradients of outputs of parts exchanged", "simple_rnn", backward, "swapped(dy[rows])"),
        ("gradients of initial states of parts exchanged", "lstm", backward, "whole[rows] = "),
        ("gradients of final states of parts exchanged", "gru", backward, "d[rows].copy()"),
    ):
        other = back if function is backward else forth
        yield Divided(title, layer, function, right, right.replace("rows", other))
    first = "[: len(x[rows])]"
    for title, right in (
        ("every part starts from the first part's states", "state[rows]"),
        ("every part has the first part's mask", "mask[rows]"),
    ):
        yield Divided(title, "gru", Recurrent._go, right, right.replace("[rows]", first))
    right, wrong = "zip(parts, passes, strict=True)", "zip(parts, passes[::-1], strict=True)"
    yield Divided("final states of parts exchanged", "lstm", Recurrent.forward, right, wrong)


def padding_bugs() -> Iterator[PlantedBug]:
    """Yield rows that join too late, or bring what is not theirs."""
    for layer in ("lstm", "gru"):
        yield PlantedBug("rows join a stage too late", layer, recurrent_parts._in_stages,
                         "begins < steps.stop", "begins < steps.start")  # fmt: skip
        yield PlantedBug("rows join a step too late", layer, recurrent_parts.parts,
                         "mask.argmax(axis=1)", "mask.argmax(axis=1) + 1")  # fmt: skip
        yield PlantedBug("rows bring the states of others", layer, Pass._joined,
                         "own[before:rows]", "own[: rows - before]")  # fmt: skip
        yield PlantedBug("outputs and dx of padding never written", layer, Pass._put_together,
                         ".zeros(", ".empty(", beyond_check=True)  # fmt: skip
        yield PlantedBug("masks of later stages are those of the first", layer, Pass._steps,
                         "stage.steps.start + t", "t")  # fmt: skip
        yield PlantedBug("gradients of later stages are those of the first", layer,
                         Pass._steps_back, "stage.steps.start + t", "t")  # fmt: skip
        yield PlantedBug("first stage's gradients alone", layer, Pass.backward,
                         "sum(arrays[1:], arrays[0])", "arrays[-1]")  # fmt: skip


def alike_bugs() -> Iterator[PlantedBug]:
    """Yield rows that are alike and go another way, or leave their gradient behind."""
    for layer in ("simple_rnn", "lstm", "gru"):
        yield PlantedBug("gradients of rows that are alike left behind", layer, Pass.backward,
                         "d[0] += d[", "0 * d[", beyond_check=True)  # fmt: skip
        yield PlantedBug("rows that join start from the last one's states", layer, Pass._joined,
                         "s[:1].repeat", "s[-1:].repeat", beyond_check=True)  # fmt: skip
        yield PlantedBug("the row that is alike longest is not the first", layer,
                         recurrent_parts._in_stages, "np.roll(rows, 1)", "rows[::-1]",
                         beyond_check=True)  # fmt: skip
        yield PlantedBug("one feature for all", layer, recurrent_parts.alike_until,
                         "x[row, :end], x[leader, :end]", "x[row, :end, 0], x[leader, :end, 0]",
                         beyond_check=True)  # fmt: skip
        yield PlantedBug("rows alike though their states are not", layer, Recurrent.forward,
                         "initial_state is None and ", "", beyond_check=True)  # fmt: skip
        yield PlantedBug("a sum for each row's own gradient", layer, Recurrent.backward,
                         "alike and not sum_alike", "False", beyond_check=True)  # fmt: skip
