"""The measurement in words and figures, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keras_impl.bench.race import Timing
from keras_impl.bench.report.changes import Change
from keras_impl.bench.report.results import SCRATCH, Measured, Results, verdict

HEAD = (
    "work",
    "ms",
    "Keras ms",
    "ratio",
    "required / aimed",
    "",
    "share of floor",
    "MiB / Keras's",
)
COLD = ("", "engine", "seconds")
CURVES = ("", "engine", "ms a step at each value", "grows as")
CHANGES = ("work", "ratio then", "ratio now", "change", "")
FLOOR_TARGETS = {"nietzsche": (0.55, 0.75)}
"""Shares of the floor that a work has to reach, and aims at."""
MEMORY_TARGETS = (1.0, 0.5)
"""What of Keras's peak memory a training may have, and aims at."""
MARKS = {"aimed": "as aimed", "required": "as required", "missed": "MISSED"}
HOW = (
    "The engines' numbers were compared before the clock started. Then every way ran in one "
    "process on the same batches, in turns of whole blocks of 15 steps or more, the first three "
    "of a block not counted. ms are those of the least disturbed block; the ratio is ms over "
    "Keras ms, below 1 is faster than Keras; in brackets, its quartiles over all rounds."
)
FLOOR = (
    "The floor is a unit's matrix products at the machine's measured peak of {peak:.0f} GFLOP/s on "
    "{threads} thread{s}, its share that over ms; in brackets, without the products of one-hot "
    "rows, which can be looked up. Products of padding that rows have in common are left out, and "
    "count as if they were not. The char LSTM has to reach 55 % of it, and aims at 75 %."
)
MEMORY = (
    "MiB are those of a process that trains and does nothing else, over Keras's: its peak, then "
    "what of it data, network and training take beside the imports. The peak has to be at most "
    "Keras's, and aims at half."
)
CROWDED = "{threads} threads on {cores} cores get in each other's way: these times say little."


class Row(NamedTuple):
    """A line of the table."""

    cells: tuple[str, ...]
    verdict: str
    """Of the line of a work; None's place, the empty string, where there is no target."""
    main: bool
    """Whether it is the work's own line, and not another way of doing it."""


def rows(results: Results) -> list[Row]:
    """Return a line for each work, and beneath it one for each other way, whoever wins."""
    found = []
    for work in results.works:
        found.append(Row(_cells(results, work), work.verdict, True))
        for timing in work.timings:
            if timing.name not in (SCRATCH, work.baseline):
                found.append(Row(_way(timing), "", False))
    return found


def _cells(results: Results, work: Measured) -> tuple[str, ...]:
    ours, reference = work.ours, work.reference
    target = "" if work.required is None else f"{work.required:g} / {work.aimed:g}"
    note = "" if work.complete else " (interrupted)"
    return (
        work.title + note,
        milliseconds(ours.seconds),
        milliseconds(reference.seconds),
        _ratio(ours),
        target,
        MARKS.get(work.verdict, ""),
        _share(results, work),
        _memory(ours, reference),
    )


def _way(timing: Timing) -> tuple[str, ...]:
    memory = "" if timing.memory is None else f"{timing.memory:,.0f}"
    return (
        f"  {timing.name}",
        milliseconds(timing.seconds),
        "",
        _ratio(timing),
        "",
        "",
        "",
        memory,
    )


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds, to three figures."""
    return figures(seconds * 1e3)


def figures(value: float) -> str:
    """Return a number to three figures, whole from a hundred on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def _ratio(timing: Timing) -> str:
    return _spread(timing.ratio, timing.spread)


def _spread(ratio: float, spread: tuple[float, float]) -> str:
    return f"{figures(ratio)} ({figures(spread[0])}–{figures(spread[1])})"


def _share(results: Results, work: Measured) -> str:
    share = f"{results.share(work):.0%}"
    if work.flops != work.flops_without_one_hot:
        share += f" ({results.share(work, one_hot=False):.0%})"
    if work.name in FLOOR_TARGETS:
        required, aimed = FLOOR_TARGETS[work.name]
        share += f" {MARKS[verdict(1 / results.share(work), 1 / required, 1 / aimed)]}"
    return share


def _memory(ours: Timing, reference: Timing) -> str:
    """Return the peak of a process of its own, and what of it is not the imports'."""
    said = _both(ours.memory, reference.memory)
    if ours.memory is not None and reference.memory:
        said += f" {MARKS[verdict(ours.memory / reference.memory, *MEMORY_TARGETS)]}"
    grown = _both(ours.growth, reference.growth)
    return f"{said}; {grown}" if grown else said


def _both(ours: float | None, theirs: float | None) -> str:
    if ours is None or not theirs:
        return ""
    return f"{ours:,.0f} / {theirs:,.0f} = {ours / theirs:.2f}"


def change_rows(changes: Iterable[Change]) -> list[tuple[tuple[str, ...], bool]]:
    """Return a line for each work that both measured, and whether it regressed."""
    return [
        (
            (
                one.title,
                _spread(one.old, one.old_spread),
                _spread(one.new, one.new_spread),
                f"{one.change:+.0%}",
                "REGRESSED" if one.regressed else "",
            ),
            one.regressed,
        )
        for one in changes
    ]


def cold_rows(results: Results) -> list[tuple[str, ...]]:
    """Return a line for each thing that was done from a cold start."""
    return [(one["what"], one["engine"], figures(one["seconds"])) for one in results.cold]


def curve_rows(results: Results) -> list[tuple[str, ...]]:
    """Return a line for each size and engine: its time at each value, and the power it grows by."""
    return [
        (
            curve["axis"],
            engine,
            ", ".join(
                f"{value}: {milliseconds(one)}"
                for value, one in zip(curve["values"], seconds, strict=True)
            ),
            f"{curve['axis']}^{curve['last_exponents'][engine]:.2f}",
        )
        for curve in results.curves
        for engine, seconds in curve["seconds"].items()
    ]


def machine_line(results: Results) -> str:
    """Return what it was measured on."""
    at = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in at["versions"].items())
    commit = f", commit {at['commit']}" if at["commit"] else ""
    threads = results.threads
    return (
        f"{at['cpu']}, {at['cores']} cores, {at['system']}; {threads} "
        f"thread{_s(threads)} for everyone; {at['python']}, {versions}; BLAS: "
        f"{', '.join(at['blas'])}{commit}; {at['date']}."
    )


def how(results: Results) -> list[str]:
    """Return what the columns mean, a paragraph each."""
    threads, cores = results.threads, results.machine.get("cores_available")
    said = [HOW, FLOOR.format(peak=results.peak / 1e9, threads=threads, s=_s(threads))]
    if any(timing.memory for work in results.works for timing in work.timings):
        said.append(MEMORY)
    if cores and threads > cores:
        said.append(CROWDED.format(threads=threads, cores=cores))
    return said


def in_one_graph(results: Results) -> str:
    """Return in plain words what tiny networks gain in one XLA graph; empty if not measured."""
    for work in results.works:
        for timing in work.timings:
            if "in one XLA graph" in timing.name:
                return _said(work, timing)
    return ""


def _said(work: Measured, graph: Timing) -> str:
    ours, keras = (one.seconds / graph.seconds for one in (work.ours, work.reference))
    steps = graph.name.removeprefix("Keras, ")
    begin = (
        f"For a network as small as {work.name}'s, {steps} take {milliseconds(graph.seconds)} ms"
    )
    if ours > 1:
        return (
            f"{begin} each: nothing that Python calls step by step comes near. scratchnet takes "
            f"{ours:.1f} times as long, Keras's compiled step {keras:.0f} times. What they pay for "
            "is calling, not computing."
        )
    return f"{begin} each; scratchnet, called step by step, takes {ours:.2f} of that."


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def markdown(results: Results) -> str:
    """Return the page of results that is committed."""
    lines = [
        "# Speed, measured",
        f"Made by `{results.machine['command']}` on {machine_line(results)}",
        markdown_table(HEAD, (row.cells for row in rows(results))),
        *how(results),
        in_one_graph(results),
        *(
            f"{one.name} was not timed, the engines disagree: {'; '.join(one.misses)}."
            for one in results.failures
        ),
        markdown_table(COLD, cold_rows(results)) if results.cold else "",
        markdown_table(CURVES, curve_rows(results)) if results.curves else "",
        "Data: " + "; ".join(f"{work.name}, {work.data}" for work in results.works) + ".",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def markdown_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; what begins with spaces is indented."""
    cells = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(_cell(one) for one in line) + " |" for line in cells)


def _cell(text: str) -> str:
    indent = len(text) - len(text.lstrip())
    return "&nbsp;" * indent + text.strip().replace("|", "\\|")
