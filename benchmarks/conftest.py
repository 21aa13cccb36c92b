"""What the suites share: the same threads for everyone, and blocks that alternate.

``pytest benchmarks/`` runs them; ``SCRATCHNET_THREADS=1 pytest benchmarks/`` on one thread.  They
measure what ``scratchnet bench`` measures, with the same code, and leave the rest to
pytest-benchmark: ``--benchmark-json FILE`` writes Keras's times and the ratios as ``extra_info``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from keras_impl.bench import threads
from scratchnet.kernels.threads import count

THREADS = count()
SECONDS = 30.0
"""For the blocks of one benchmark."""
MINUTES = 20
"""After which a benchmark is given up: compiling 500 time steps for XLA is not quick."""

ratios: list[tuple[str, float, float, str]] = []

SideBySide = Callable[[Any, Any], None]


def pytest_configure(config: pytest.Config) -> None:
    """Set the threads before TensorFlow is there; a warning of a library's ends no benchmark."""
    config.addinivalue_line("filterwarnings", "default")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    threads.pin(THREADS)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(60 * MINUTES))


def pytest_report_header() -> str:
    return f"threads: {THREADS} for every engine"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not ratios:
        return
    terminalreporter.section("beside Keras, least disturbed block of each")
    width = max(len(title) for title, *_ in ratios)
    for title, ours, theirs, ratio in ratios:
        terminalreporter.write_line(
            f"{title:{width}}  {ours * 1e3:10.4f} ms  Keras {theirs * 1e3:10.4f} ms  ratio {ratio}"
        )


@pytest.fixture
def side_by_side(benchmark: Any) -> SideBySide:
    """Race two candidates, ours under pytest-benchmark's clock, Keras's block before each of ours.

    The benchmark's own figures are of whole blocks with their warm-up; ``extra_info`` has those of
    one unit.
    """
    from keras_impl.bench.race import FEWEST_ROUNDS, ROUNDS, Candidate, timed
    from keras_impl.bench.report.table import figures

    def run(ours: Candidate, theirs: Candidate) -> None:
        begun = time.perf_counter()
        theirs.block()  # compiles
        ours.block()
        pair = time.perf_counter() - begun
        rounds = max(FEWEST_ROUNDS, min(ROUNDS, int(SECONDS / pair)))
        blocks: dict[str, list[float]] = {"ours": [], "theirs": []}
        benchmark.pedantic(
            lambda: blocks["ours"].append(ours.block()),
            setup=lambda: blocks["theirs"].append(theirs.block()),
            rounds=rounds,
        )
        reference = tuple(blocks["theirs"])
        found = timed(ours.name, ours.engine, tuple(blocks["ours"]), reference)
        benchmark.extra_info.update(
            threads=THREADS,
            seconds=found.seconds,
            blocks=found.blocks,
            keras=theirs.name,
            keras_seconds=min(reference),
            keras_blocks=reference,
            ratio=found.ratio,
            ratio_spread=found.spread,
        )
        low, high = map(figures, found.spread)
        said = f"{figures(found.ratio)} ({low}–{high})"
        ratios.append((benchmark.name, found.seconds, min(reference), said))

    return run


@pytest.fixture
def work_beside_keras(benchmark: Any, side_by_side: SideBySide) -> Callable[[str], None]:
    """Measure a work of `keras_impl.bench.works.works`, once its engines agree."""

    def run(name: str) -> None:
        from keras_impl.bench import measure
        from keras_impl.bench.floor import flops, peak
        from keras_impl.bench.report.results import SCRATCH
        from keras_impl.bench.works import works

        work = works.get(name)
        misses = [measure.said(one) for one in work.agreement(THREADS, False) if not one.ok]
        assert not misses
        candidates = {one.name: one for one in work.candidates(THREADS, False)}
        benchmark.group = work.title
        floor = flops(work.products) / peak(THREADS)
        side_by_side(candidates[SCRATCH], candidates[work.baseline])
        share = floor / benchmark.extra_info["seconds"]
        benchmark.extra_info.update(unit=work.unit, data=work.data, floor_share=share)

    return run
