"""From something to check to a report: numeric derivatives, Keras, repeated calls, diagnosis."""

from __future__ import annotations

import time

import numpy as np

from scratchnet.arguments import snake_case
from scratchnet.gradcheck import numeric
from scratchnet.gradcheck.compare import against_exact
from scratchnet.gradcheck.diagnosis import Case, diagnose
from scratchnet.gradcheck.diagnosis.smallest import smallest_case
from scratchnet.gradcheck.diagnosis.unusable import (
    added_up,
    forward_differs,
    missing,
    not_finite,
    not_repeatable,
    wrong_shape,
)
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.heat import heat_map
from scratchnet.gradcheck.numeric_rows import NumericRows
from scratchnet.gradcheck.recognition import KINDS, Arrangement, recognise
from scratchnet.gradcheck.recognition.axes import axes_of
from scratchnet.gradcheck.report import WRONG, Report, Row
from scratchnet.gradcheck.subject import Pulled, Subject, random_upstream
from scratchnet.gradcheck.subjects.naming import looks_like_parameter
from scratchnet.gradcheck.subjects.own_layer import LayerSubject


def check(
    subject: Subject,
    *,
    seed: int = 0,
    keras: bool | None = None,
    replay: str = "",
) -> Report:
    """Return whether a subject's gradients are right, and what is wrong with them.

    Parameters
    ----------
    subject : Subject
    seed : int
        Decides the upstream gradients, and which entries are sampled.
    keras : bool, optional
        Whether to ask TensorFlow's tape too; by default where it is installed.
    replay : str
        The command or Python that makes this case again.
    """
    start = time.perf_counter()
    run = _Check(subject, seed, keras)
    report = run.report()
    report.replay, report.seconds = replay, time.perf_counter() - start
    return report


class _Check:
    """One check: the case, its reference, and what they say of each other."""

    def __init__(self, subject: Subject, seed: int, keras: bool | None) -> None:
        self.subject, self.seed, self.keras = subject, seed, keras
        self.rng = np.random.default_rng([seed, 1])
        self.arrays = dict(subject.arrays)
        self.outputs = subject.run(self.arrays)
        self.upstream = random_upstream(self.outputs, self.rng)
        with np.errstate(all="ignore"):
            self.pulled = subject.pull(self.arrays, self.upstream)
        self.precision = getattr(subject, "precision", subject.dtype)
        self.findings: list[Finding] = []
        self.names: list[str] = []

    def report(self) -> Report:
        subject = self.subject
        unusable = self._not_repeatable()
        if unusable is not None:
            return Report(subject.name, [], [unusable], list(subject.notes), seed=self.seed)
        self.names = self._usable()
        numbers = NumericRows(
            *(subject, self.pulled, self.upstream, self.names, self.precision, self.rng)
        )
        rows = numbers.rows + self._keras_rows()
        wrong = list(dict.fromkeys(row.array for row in rows if row.verdict == WRONG))
        report = Report(subject.name, rows, self.findings, list(subject.notes), seed=self.seed)
        arrangement = self._arrangement(report, needed=bool(wrong))
        case = Case(
            *(subject, self.arrays, self.outputs, self.upstream, self.pulled),
            *(numbers.right, wrong, self.rng, arrangement, numbers.jacobian),
        )
        report.findings += diagnose(case)
        if rows:
            report.slope = self._slope()
        if wrong:
            report.heat_map = heat_map(case)
            report.smallest = smallest_case(case)
        return report

    def _not_repeatable(self) -> Finding | None:
        """Return the finding if the same call gives another answer: nothing can be compared."""
        subject = self.subject
        again = subject.run(self.arrays)
        found = not_repeatable(subject, "forward", self.outputs, again)
        if found is not None:
            return found
        with np.errstate(all="ignore"):
            once, *more = (subject.pull(self.arrays, self.upstream).gradients for _ in range(3))
            found = not_repeatable(subject, "backward", once, more[0])
            return found and (added_up(once, *more) or found)

    def _usable(self) -> list[str]:
        """Return the arrays whose gradient can be compared; the others become findings."""
        names = []
        for name in self.subject.wrt:
            gradient = self.pulled.gradients.get(name)
            if gradient is None:
                self._note_missing(name)
            elif np.shape(gradient) != np.shape(self.arrays[name]):
                self.findings.append(wrong_shape(name, gradient, self.arrays[name]))
            elif not np.all(np.isfinite(gradient)):
                self.findings.append(not_finite(name, gradient))
            else:
                names.append(name)
        kept = {name: self.pulled.gradients[name] for name in names}
        self.pulled = Pulled(self.pulled.outputs, kept, self.pulled.changed, self.pulled.after)
        return names

    def _note_missing(self, name: str) -> None:
        if name in self.subject.parameters or looks_like_parameter(name):
            self.findings.append(missing(name, self.pulled.gradients))
        else:
            self.subject.notes.append(f"no gradient of {name} is given, so none was checked")

    def _keras_rows(self) -> list[Row]:
        from scratchnet.gradcheck.oracles import keras_installed, keras_of, tolerance_of

        if self.keras is False or not self.names:
            return []
        if not keras_installed():
            if self.keras:
                self.subject.notes.append("Keras is not installed, so it was not asked")
            return []
        found = keras_of(self.subject, self.arrays, self.upstream)
        if found is None:
            return []
        return against_exact("Keras", found, self.pulled.gradients, tolerance_of(self.subject))

    def _arrangement(self, report: Report, needed: bool) -> Arrangement | None:
        """Return what the forward pass is, where a diagnosis needs it or someone said."""
        like = snake_case(self.subject.like) if self.subject.like else ""
        if not needed and (not like or isinstance(self.subject, LayerSubject)):
            return None
        if like not in KINDS:
            like = ""
        found = recognise(self.subject, self.rng, like)
        if found is None and like:
            report.findings.append(forward_differs(self.subject.like))
            found = recognise(self.subject, self.rng) if needed else None
        if found is not None:
            kind, *layout = found.notes
            report.notes.append("; ".join([f"the forward pass is {kind}", *layout]))
            for name, axes in axes_of(found, self.arrays, self.outputs).items():
                self.subject.axes.setdefault(name, axes)
        return found

    def _slope(self) -> float | None:
        upstream = numeric.flatten(self.upstream)
        return numeric.taylor_slope(
            lambda arrays: float(upstream @ numeric.flatten(self.subject.run(arrays))),
            self.pulled.gradients,
            self.arrays,
            self.rng,
            self.precision,
        )
