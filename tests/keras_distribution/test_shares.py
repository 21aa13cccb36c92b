"""The shares of a batch: together the batch, in its order."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from keras_impl.pipelines import shared_batches, training_batches
from tests.keras_distribution.problems import reviews, table


@pytest.mark.parametrize("workers", [2, 3, 11])
@pytest.mark.parametrize("make", [reviews, table])
def test_they_are_the_batches(make, workers):
    problem = make()
    start = (1, 2)
    shares = [list(shared_batches(problem, workers, k, *start)) for k in range(workers)]
    whole = list(training_batches(problem, *start))
    assert len(whole) == len(problem.batches(1)) - 2
    for number, (x, y) in enumerate(whole):
        parts = [share[number] for share in shares]
        own = [part for part in parts if part[2] > 0]
        np.testing.assert_array_equal(np.concatenate([p[0] for p in own]), x)
        np.testing.assert_array_equal(np.concatenate([p[1] for p in own]), y)
        sizes = [len(p[0]) if p[2] > 0 else 0 for p in parts]
        assert max(sizes) - min(sizes) <= 1
        np.testing.assert_allclose([float(p[2]) for p in parts], np.array(sizes) / len(x))
        assert all(len(p[0]) == len(p[1]) == 1 for p in parts if p[2] == 0)
        assert {p[2].dtype.name for p in parts} == {problem.dtype}
    again = list(shared_batches(problem, workers, 1, *start))
    for one, other in zip(shares[1], again, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
