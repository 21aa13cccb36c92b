"""A training step while another process keeps one core busy, beside the same step alone.

Products divided among BLAS's own threads stalled tenfold and more there.  The ratio printed here is
of the busy block to the quiet one, of each engine.
"""

import os
import signal
import subprocess
import sys

import pytest

from keras_impl.bench.race import Candidate


@pytest.fixture
def neighbour():
    """A process that computes for ever, on one core, stopped."""
    command = [sys.executable, "-c", "import os; os.sched_setaffinity(0, {0})\nwhile True: pass"]
    process = subprocess.Popen(command)
    process.send_signal(signal.SIGSTOP)
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
@pytest.mark.parametrize("engine", ["scratchnet", "Keras, compiled step"])
def test_beside_a_busy_neighbour(side_by_side, neighbour, engine):
    from keras_impl.bench.works import works

    candidates = works.get("nietzsche").candidates(int(os.environ["SCRATCHNET_THREADS"]), False)
    quiet = next(one for one in candidates if one.name == engine)

    def busy():
        neighbour.send_signal(signal.SIGCONT)
        try:
            return quiet.block()
        finally:
            neighbour.send_signal(signal.SIGSTOP)

    side_by_side(Candidate("beside a neighbour", quiet.engine, busy), quiet)
