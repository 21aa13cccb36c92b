"""From something to check to a report: numeric derivatives, Keras, repeated calls, diagnosis."""

from __future__ import annotations

import time

import numpy as np

from scratchnet.arguments import snake_case
from scratchnet.backend import Array
from scratchnet.gradcheck import numeric
from scratchnet.gradcheck.compare import (
    COMPLEX_TOLERANCE,
    against_differences,
    against_directions,
    against_exact,
)
from scratchnet.gradcheck.diagnosis import Case, diagnose, gradients_of
from scratchnet.gradcheck.diagnosis.smallest import smallest_case
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.heat import heat_map
from scratchnet.gradcheck.recognition import KINDS, Arrangement, recognise
from scratchnet.gradcheck.recognition.axes import axes_of
from scratchnet.gradcheck.report import WRONG, Report, Row
from scratchnet.gradcheck.subject import Pulled, Subject, random_upstream
from scratchnet.gradcheck.subjects.naming import looks_like_parameter
from scratchnet.gradcheck.subjects.own_layer import LayerSubject

MOST_ENTRIES = 300
"""Entries that are differentiated one by one; of larger problems so many are sampled."""

ONE_HOT = 48
"""Outputs up to which each is pulled alone as well, which makes the check a full Jacobian's."""

NEARBY = 0.02
"""How far away, in relation, a wrong gradient is looked at once more."""

MOST_CONFIRMING = 60
"""Entries that are differentiated there."""

DIRECTIONS = 3
"""Random directions on top, where not every entry is looked at."""


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
        self.names = self._usable()

    def report(self) -> Report:
        subject = self.subject
        rows, right, jacobian = self._numeric_rows()
        rows += self._keras_rows()
        wrong = list(dict.fromkeys(row.array for row in rows if row.verdict == WRONG))
        report = Report(subject.name, rows, self.findings, list(subject.notes), seed=self.seed)
        arrangement = self._arrangement(report, needed=bool(wrong))
        case = Case(
            *(subject, self.arrays, self.outputs, self.upstream, self.pulled),
            *(right, wrong, self.rng, arrangement, jacobian),
        )
        report.findings += diagnose(case)
        if rows:
            report.slope = self._slope()
        if wrong:
            report.heat_map = heat_map(case)
            report.smallest = smallest_case(case)
        return report

    def _usable(self) -> list[str]:
        """Return the arrays whose gradient can be compared; the others become findings."""
        names = []
        for name in self.subject.wrt:
            gradient = self.pulled.gradients.get(name)
            if gradient is None:
                self._note_missing(name)
            elif np.shape(gradient) != np.shape(self.arrays[name]):
                self.findings.append(_wrong_shape(name, gradient, self.arrays[name]))
            elif not np.all(np.isfinite(gradient)):
                self.findings.append(_not_finite(name, gradient))
            else:
                names.append(name)
        kept = {name: self.pulled.gradients[name] for name in names}
        self.pulled = Pulled(self.pulled.outputs, kept, self.pulled.changed, self.pulled.after)
        return names

    def _note_missing(self, name: str) -> None:
        if name in self.subject.parameters or looks_like_parameter(name):
            self.findings.append(
                Finding(
                    "missing",
                    array=name,
                    explanation=f"The backward pass gives no gradient for {name}.",
                    equation=f"d{name} has the shape of {name}",
                    evidence=f"gradients came for {', '.join(self.pulled.gradients) or 'nothing'}",
                )
            )
        else:
            self.subject.notes.append(f"no gradient of {name} is given, so none was checked")

    def _numeric_rows(self) -> tuple[list[Row], dict[str, Array], numeric.Columns | None]:
        """Return rows against differences, the right gradients as far as known, the Jacobian."""
        subject, precision = self.subject, self.precision
        if not self.names:
            return [], {}, None
        chosen, complete = numeric.choose(self.arrays, self.names, MOST_ENTRIES, self.rng)
        columns = numeric.columns(subject.run, self.arrays, chosen, precision)
        pulls = [(self.upstream, self.pulled.gradients)]
        size = sum(np.size(y) for y in self.outputs.values())
        if complete and size <= ONE_HOT and not self._ignores_parts():
            pulls += [(d, self.subject.pull(self.arrays, d).gradients) for d in self._one_hots()]
        rows = against_differences(columns, pulls, self.arrays, self.names, subject.dtype)
        rows = [self._confirmed(row) if row.verdict == WRONG else row for row in rows]
        exact = None
        if precision == "float64":
            exact = numeric.complex_columns(subject.run, self.arrays, chosen, columns)
        right = gradients_of(columns, self.arrays, numeric.flatten(self.upstream))
        if exact is not None:
            precise = numeric.Columns(
                chosen, exact, np.zeros_like(exact), np.ones_like(columns.judged), columns.reasons
            )
            right = gradients_of(precise, self.arrays, numeric.flatten(self.upstream))
            rows += against_exact(
                "complex step", right, self.pulled.gradients, COMPLEX_TOLERANCE[subject.dtype]
            )
        if not complete:
            rows += self._direction_rows()
        return rows, right, columns if complete else None

    def _confirmed(self, row: Row) -> Row:
        """Return the row, unless the gradient is right at a point nearby: then the row of that.

        Differences misjudge their own error once in a thousand entries; code that is wrong is wrong
        everywhere.
        """
        subject, name = self.subject, row.array
        arrays = dict(self.arrays)
        for key in subject.wrt:
            jitter = 1 + NEARBY * self.rng.standard_normal(arrays[key].shape)
            arrays[key] = (arrays[key] * jitter).astype(arrays[key].dtype)
        chosen, _ = numeric.choose(arrays, [name], MOST_CONFIRMING, self.rng)
        columns = numeric.columns(
            subject.run, arrays, list(dict.fromkeys([*chosen, (name, row.worst)])), self.precision
        )
        pulls = [(self.upstream, subject.pull(arrays, self.upstream).gradients)]
        (again,) = against_differences(columns, pulls, arrays, [name], subject.dtype)
        return row if again.verdict == WRONG else again

    def _ignores_parts(self) -> bool:
        """Return whether the code writes into what it is given, so that every call is on copies."""
        return "upstream" in self.pulled.changed

    def _one_hots(self) -> list[dict[str, Array]]:
        found = []
        for name, y in self.outputs.items():
            for index in np.ndindex(np.shape(y)):
                d = {other: np.zeros(np.shape(array)) for other, array in self.outputs.items()}
                d[name][index] = 1.0
                found.append(d)
        return found

    def _direction_rows(self) -> list[Row]:
        """Compare along random directions too, so that no entry goes unseen."""
        subject = self.subject
        rows = []
        for name in self.names:
            ours, differences, errors = [], [], []
            for _ in range(DIRECTIONS):
                direction = {name: self.rng.standard_normal(self.arrays[name].shape)}
                column = numeric.directional(subject.run, self.arrays, direction, self.precision)
                flat = numeric.flatten(self.upstream)
                ours.append(float(np.vdot(self.pulled.gradients[name], direction[name])))
                differences.append(float(flat @ column.values[:, 0]))
                errors.append(float(np.abs(flat) @ column.errors[:, 0]))
            rows.append(
                against_directions(
                    name, self.arrays[name], ours, differences, errors, subject.dtype
                )
            )
        return rows

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
            report.findings.append(_forward_differs(self.subject.like))
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


def _wrong_shape(name: str, gradient: Array, array: Array) -> Finding:
    shapes = f"{np.shape(gradient)} where {name} is {np.shape(array)}"
    flipped = np.shape(gradient) == np.shape(array)[::-1] and np.ndim(array) == 2
    return Finding(
        "wrong-shape",
        array=name,
        explanation=f"d{name} is {shapes}: "
        + ("it is transposed." if flipped else "compare axes."),
        equation=f"d{name} has the shape of {name}",
        evidence="shapes are compared before numbers",
    )


def _not_finite(name: str, gradient: Array) -> Finding:
    bad = ~np.isfinite(np.asarray(gradient, dtype=np.float64))
    entry = tuple(int(k) for k in np.argwhere(bad)[0])
    return Finding(
        "not-finite",
        array=name,
        entry=entry,
        explanation=f"d{name} is not a number, or infinite, at {int(bad.sum())} of {bad.size} "
        "entries.",
        evidence="the inputs are random numbers of ordinary size",
    )


def _forward_differs(like: str) -> Finding:
    return Finding(
        "forward-differs",
        explanation=f"The forward pass is no {like}, in any order of gates and any layout known "
        "here.",
        equation=f"see scratchnet/equations/{snake_case(like)}.py",
        evidence="every order of gates, layout and variant was tried with your numbers",
    )
