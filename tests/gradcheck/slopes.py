"""Plain central differences of a subject: what its gradients are held against."""

from __future__ import annotations

import numpy as np

from scratchnet.gradcheck.subject import random_upstream


def assert_right(subject, names=None, tolerance=1e-7, seed=3, times=1):
    """Assert that every named gradient agrees, that nothing is left written over; return Pulled."""
    before = {name: array.copy() for name, array in subject.arrays.items()}
    upstream = random_upstream(subject.run(subject.arrays), np.random.default_rng(seed))
    given = {name: array.copy() for name, array in upstream.items()}
    pulled = subject.pull(subject.arrays, upstream, times)
    for name in subject.wrt if names is None else names:
        reference = slopes(subject, name, upstream)
        scale = np.abs(reference).max()
        assert scale > 1e-6, f"{name}: nothing to compare"
        assert pulled.gradients[name].shape == reference.shape, name
        assert np.abs(pulled.gradients[name] - reference).max() / scale < tolerance, name
    for name, array in before.items():
        np.testing.assert_array_equal(subject.arrays[name], array)
    for name, array in given.items():
        np.testing.assert_array_equal(upstream[name], array)
    return pulled


def slopes(subject, name, upstream, step=1e-5):
    """Return the central differences of sum(upstream * outputs)."""
    result = np.zeros(subject.arrays[name].shape)
    for index in np.ndindex(result.shape):
        ends = []
        for sign in (1, -1):
            arrays = {key: np.array(array) for key, array in subject.arrays.items()}
            arrays[name][index] += sign * step
            outputs = subject.run(arrays)
            ends.append(sum(float(np.sum(outputs[key] * upstream[key])) for key in outputs))
        result[index] = (ends[0] - ends[1]) / (2 * step)
    return result
