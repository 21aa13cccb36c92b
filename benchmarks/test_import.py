"""From a cold start: the import, the first training step, the first epoch.  One process a block."""

import pytest

from keras_impl.bench.processes import fresh
from keras_impl.bench.race import Candidate

UNTIL = ["imported", "first_step", "finished"]


@pytest.mark.parametrize("until", UNTIL)
def test_from_a_cold_start(side_by_side, until):
    steps = None if until == "finished" else 1

    def candidate(engine):
        return Candidate(
            engine, engine, lambda: getattr(fresh.train("wisconsin", engine, steps), until)
        )

    side_by_side(candidate("scratchnet"), candidate("Keras"))
