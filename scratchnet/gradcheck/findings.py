"""What can be wrong with a gradient: the stable identifiers, and what one finding says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TITLES = {
    "wrong-sign": "The gradient has the wrong sign.",
    "constant-factor": "The gradient is off by a constant factor.",
    "transposed": "The gradient is transposed.",
    "gates-swapped": "Two gates' gradients have changed places.",
    "derivative-missing": "An activation's derivative is missing.",
    "derivative-twice": "An activation's derivative is applied twice.",
    "derivative-at-output": "An activation's derivative is evaluated at its output, not its input.",
    "derivative-at-input": "A derivative written for the activation's output is given its input.",
    "derivative-of-another": "The derivative belongs to another activation.",
    "recurrent-term-lost": "What flows back from step t+1 through the hidden state is lost.",
    "carry-lost": "What flows back from step t+1 through the cell state is lost.",
    "first-step-skipped": "The backward loop never reaches t = 0.",
    "last-step-skipped": "The backward loop leaves out the last time step.",
    "last-use-only": "`=` where `+=` is meant: only one use of the array counts.",
    "state-unshifted": "The state of step t is used where that of step t-1 is meant.",
    "plus-parameter": "The parameter itself is added to its gradient.",
    "bias-axis": "The bias's gradient is summed over the wrong axis.",
    "softmax-elementwise": "The softmax is differentiated as if each output had one input only.",
    "stale": "The gradient still holds that of an earlier call.",
    "upstream-modified": "The backward pass writes into the upstream gradient it is given.",
    "cache-modified": "The backward pass writes into what the forward pass kept.",
    "updated-weights": "The gradient goes back through weights that were already updated.",
    "mask-ignored": "The backward pass ignores the mask.",
    "all-zero": "The gradient is zero everywhere.",
    "missing": "No gradient is given for this array.",
    "wrong-shape": "The gradient has another shape than its array.",
    "not-finite": "The gradient is NaN or infinite.",
    "upstream-ignored": "The gradient is right for an upstream gradient of ones only.",
    "single-step-only": "The gradient is right for one time step only.",
    "path-lost": "One of the paths from the loss to this array is left out.",
    "wrong-operand": "A product's derivative multiplies by the wrong array.",
    "weights-transposed": "The gradient goes back through the weights untransposed.",
    "not-repeatable": "Two calls with the same arguments give different answers.",
    "forward-differs": "The forward pass does not compute the layer it is meant to be.",
    "unnamed": "The gradient is wrong, and no single known mistake explains it.",
}
"""Every identifier with its sentence; identifiers are never renamed."""


@dataclass(frozen=True)
class Line:
    """A line of the user's code."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.text.strip()}"


@dataclass(frozen=True)
class Finding:
    """One mistake: where it is, what it is, and what shows it.

    Attributes
    ----------
    id : str
        A key of `TITLES`.
    array : str
        The array whose gradient is wrong, as the user calls it; empty for the code as a whole.
    gate : str
        ``"f"``, or empty.
    explanation : str
        One sentence in plain words, for this case.
    equation : str
        The correct equation.
    evidence : str
        What was tried and what came out.
    step, row, entry
        Where the error is: time step, batch row, index of the worst entry.
    worst : str
        That entry as the user would write it: ``"Wh[0, 3]"``.
    line : Line or None
        What computes the offending quantity.
    alternatives : tuple of str
        Identifiers of other explanations that fit as well; empty where this is the only one.
    """

    id: str
    array: str = ""
    gate: str = ""
    explanation: str = ""
    equation: str = ""
    evidence: str = ""
    step: int | None = None
    row: int | None = None
    entry: tuple[int, ...] | None = None
    worst: str = ""
    line: Line | None = None
    alternatives: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return TITLES[self.id]

    @property
    def where(self) -> str:
        """Return the place in words: ``Wh, gate f, step 0``."""
        parts = [self.array, f"gate {self.gate}" if self.gate else ""]
        parts += [f"step {self.step}" if self.step is not None else ""]
        parts += [f"row {self.row}" if self.row is not None else ""]
        parts += [f"worst at {self.worst}" if self.worst else ""]
        return ", ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON can hold it."""
        return {**asdict(self), "title": self.title, "where": self.where}
