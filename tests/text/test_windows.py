"""Windows are what the sum says, and views."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import DataError, InputError
from scratchnet.text import Vocabulary, read_texts, windows


@given(st.integers(2, 40), st.integers(1, 39), st.integers(1, 45))
def test_every_window_and_what_follows_it(T, length, stride):
    ids = np.random.default_rng(T).permutation(1000)[:T].astype(np.int32)
    if length >= T:
        with pytest.raises(DataError):
            windows(ids, length, stride)
        return
    x, y = windows(ids, length, stride)
    starts = [n for n in range(0, T, stride) if n + length < T]
    assert len(starts) == -(-(T - length) // stride)
    assert x.tolist() == [ids[n : n + length].tolist() for n in starts]
    assert y.tolist() == [ids[n + length] for n in starts]
    assert x.dtype == y.dtype == ids.dtype


def test_a_million_windows_take_no_memory():
    ids = np.arange(1_000_040, dtype=np.int32)
    tracemalloc.start()
    x, y = windows(ids, 40)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert x.shape == (1_000_000, 40)
    assert y.shape == (1_000_000,)
    assert peak < 20_000  # bytes; a copy of y alone is 4,000,000
    assert np.shares_memory(x, ids)
    assert np.shares_memory(y, ids)


def test_windows_cannot_be_written_to_and_the_ids_can():
    ids = np.arange(10)
    for view in windows(ids, 3):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 7
    ids[0] = 5
    assert windows(ids, 3)[0][0, 0] == 5


def test_nietzsches_windows(shared_file):
    text, _ = read_texts(shared_file("nietzsche.txt"))
    ids = Vocabulary.of(text.lower()).encode(text.lower())
    x, y = windows(ids, 40, 3)
    assert x.shape == (200_285, 40)
    assert y.shape == (200_285,)
    latin, _ = read_texts(shared_file("nietzsche.txt"), encoding="latin-1")
    ids = Vocabulary.of(latin.lower()).encode(latin.lower())
    assert windows(ids, 60, 3)[0].shape == (200_281, 60)


def test_lists_are_taken_too():
    x, y = windows([3, 1, 4, 1, 5], 2, 2)
    assert x.tolist() == [[3, 1], [4, 1]]
    assert y.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (([1, 2, 3], 3), DataError, r"length of a window, 3, .* got 3\. Give a longer text"),
        (([], 1), DataError, "got 0"),
        ((np.arange(9.0), 2), InputError, r"whole numbers in one dimension, got float64 of shape"),
        (([[1, 2], [3, 4]], 1), InputError, r"shape \(2, 2\)"),
        ((["a", "b"], 1), InputError, "array of numbers"),
        (([1, 2, 3], 0), InputError, "length to be a positive integer, got 0"),
        (([1, 2, 3], 1, -1), InputError, "stride to be a positive integer, got -1"),
        (([1, 2, 3], 1.5), InputError, "length"),
    ],
)
def test_what_has_no_windows(arguments, kind, message):
    with pytest.raises(kind, match=message):
        windows(*arguments)
