"""Which mistake gives exactly these wrong gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.transforms import EXACT, Transform, close, transforms
from scratchnet.gradcheck.diagnosis.trials import Trial, laid_out
from scratchnet.gradcheck.mistakes import Mistake
from scratchnet.gradcheck.recognition import Arrangement
from scratchnet.gradcheck.subject import Subject

MOST_ON_TOP = 2
"""Arrays that may be changed as a whole on top of a mistake before it explains nothing."""

MOST_KEPT = 10_000
"""Numbers up to which the gradients that a mistake gives are kept."""


@dataclass(frozen=True)
class Match:
    """A mistake, and the arrays whose wrong gradient it gives to rounding.

    Attributes
    ----------
    mistake : Mistake or None
        None: the code is right but for what is in ``rest``.
    arrays : tuple of str
    rest : dict of str to Transform
        What is wrong on top of it, array by array.
    difference : float
        The largest between the code's gradients and the mistake's, over the magnitude.
    """

    mistake: Mistake | None
    arrays: tuple[str, ...]
    rest: dict[str, Transform]
    difference: float

    @property
    def count(self) -> int:
        """Return how many separate things this says are wrong."""
        return (self.mistake is not None) + len({t.id for t in self.rest.values()})


class Matcher:
    """Holds every mistake against several random cases of one subject."""

    def __init__(self, subject: Subject, arrangement: Arrangement, cases: Sequence[Trial]) -> None:
        self.subject, self.arrangement, self.cases = subject, arrangement, cases
        self.tolerance = EXACT[subject.dtype]
        self._kept: dict[tuple[Mistake | None, int], dict[str, Array]] = {}
        given = cases[0].pulled.gradients
        self.names = [name for name in cases[0].right if name in given]
        self.wrong = [n for n in self.names if not self._same(given[n], cases[0].right[n])]

    def full(self, mistakes: Iterable[Mistake]) -> list[Match]:
        """Return the mistakes that give every one of the code's gradients, in every case."""
        found = []
        for mistake in mistakes:
            if self._gives(mistake, 0, self.names) and all(
                self._gives(mistake, k, self.names) for k in range(1, len(self.cases))
            ):
                found.append(Match(mistake, tuple(self.wrong), {}, self._difference(mistake)))
        return found

    def combined(self, mistakes: Iterable[Mistake]) -> list[Match]:
        """Return the mistakes that give all gradients but for arrays changed as a whole.

        The fewest separate mistakes come first, and no other than those with as few.
        """
        found = [m for m in map(self._with_rest, [None, *mistakes]) if m is not None]
        least = min((m.count for m in found), default=0)
        return [m for m in found if m.count == least]

    def partial(self, mistakes: Iterable[Mistake]) -> list[Match]:
        """Return the mistakes that give the most of the wrong gradients, each of them exactly.

        Among those, the ones that spoil the fewest gradients which are right.
        """
        found = []
        for mistake in mistakes:
            covered = [name for name in self.wrong if self._gives_one(mistake, name)]
            if covered:
                found.append(Match(mistake, tuple(covered), {}, self._difference(mistake, covered)))
        right = [name for name in self.names if name not in self.wrong]

        def rank(match: Match) -> tuple[int, int]:
            spoilt = sum(not self._gives(match.mistake, 0, [name]) for name in right)
            return len(match.arrays), -spoilt

        best = max(map(rank, found), default=None)
        return [m for m in found if rank(m) == best]

    def _with_rest(self, mistake: Mistake | None) -> Match | None:
        off = [name for name in self.names if not self._gives(mistake, 0, [name])]
        if len(off) > MOST_ON_TOP and mistake is not None:
            return None
        rest = {}
        for name in off:
            found = self._transform(mistake, name)
            if found is None:
                return None
            rest[name] = found
        arrays = tuple(name for name in self.wrong if name not in rest)
        if mistake is not None:
            elsewhere = range(1, len(self.cases))
            if not arrays or not all(self._gives(mistake, k, arrays) for k in elsewhere):
                return None
        return Match(mistake, arrays, rest, self._difference(mistake, arrays))

    def _transform(self, mistake: Mistake | None, name: str) -> Transform | None:
        """Return how an array differs from what the mistake gives, if it is so in every case."""
        shared: dict[str, Transform] | None = None
        for k, case in enumerate(self.cases):
            guess = self.predicted(mistake, k)[name]
            found = {
                t.id: t
                for t in transforms(
                    *(case.pulled.gradients[name], guess, case.arrays[name], sizes(case)),
                    self.tolerance,
                )
            }
            shared = found if shared is None else {k: t for k, t in shared.items() if k in found}
        return next(iter(shared.values()), None) if shared else None

    def predicted(self, mistake: Mistake | None, k: int) -> dict[str, Array]:
        """Return the gradients of code with this mistake in case k, in the user's layout."""
        case = self.cases[k]
        if mistake is None:
            return case.right
        if (mistake, k) not in self._kept:
            gradients = mistake.apply(case.built, case.seeds)
            laid = laid_out(self.arrangement, gradients, case.arrays, self.subject.wrt)
            if sum(map(np.size, laid.values())) > MOST_KEPT:
                return laid
            self._kept[mistake, k] = laid
        return self._kept[mistake, k]

    def _gives(self, mistake: Mistake | None, k: int, names: Sequence[str]) -> bool:
        gradients, predicted = self.cases[k].pulled.gradients, self.predicted(mistake, k)
        return all(self._same(gradients[n], predicted[n]) for n in names)

    def _gives_one(self, mistake: Mistake, name: str) -> bool:
        return all(self._gives(mistake, k, [name]) for k in range(len(self.cases)))

    def _same(self, ours: Array, other: Array) -> bool:
        return close(np.asarray(ours, dtype=np.float64), other, self.tolerance)

    def _difference(self, mistake: Mistake | None, names: Sequence[str] | None = None) -> float:
        worst = 0.0
        for k, case in enumerate(self.cases):
            predicted = self.predicted(mistake, k)
            for name in self.names if names is None else names:
                scale = np.abs(predicted[name]).max(initial=0.0) or 1.0
                ours = case.pulled.gradients[name]
                worst = max(worst, float(np.abs(ours - predicted[name]).max(initial=0.0) / scale))
        return worst


def sizes(case: Trial) -> dict[str, int]:
    """Return what a constant factor may be named after."""
    named = {}
    if "x" in case.built.graph.values(0) or "x" in case.built.graph.values(-1):
        x = next(node.value for node in case.built.graph.nodes if node.name == "x")
        named["batch size"] = len(x)
    if case.built.steps > 1:
        named["number of time steps"] = case.built.steps
    outputs = [nodes[0].value for nodes in case.built.outputs.values()]
    if outputs and outputs[0].ndim == 2:
        named["number of outputs"] = outputs[0].shape[1]
    return {words: n for words, n in named.items() if n > 1}
