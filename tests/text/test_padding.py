"""Padding is Keras's; buckets lose nothing and mix nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import InputError
from scratchnet.text import buckets, pad_sequences

RAGGED = st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=7), min_size=1, max_size=6)
SIDES = st.sampled_from(["pre", "post"])


@given(RAGGED, st.none() | st.integers(1, 9), SIDES, SIDES, st.integers(-9, 9), st.booleans())
def test_the_same_as_keras(sequences, maxlen, padding, truncating, value, as_arrays):
    keras = pytest.importorskip("keras")
    options = {"padding": padding, "truncating": truncating, "value": value}
    expected = keras.utils.pad_sequences(sequences, maxlen, **options)
    ours = [np.array(s, dtype=int) for s in sequences] if as_arrays else sequences
    padded = pad_sequences(ours, maxlen, **options)
    np.testing.assert_array_equal(padded, expected)
    assert padded.shape == expected.shape
    assert padded.dtype == expected.dtype == np.int32


def test_the_defaults():
    assert pad_sequences([[1, 2], [3, 4, 5, 6], []], 3).tolist() == [[0, 1, 2], [4, 5, 6], [0] * 3]
    assert pad_sequences([[1], [2, 3]]).tolist() == [[0, 1], [2, 3]]
    assert pad_sequences([], 3).shape == (0, 3)
    assert pad_sequences([[], []]).shape == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequences": []}, "sequences or maxlen, got neither"),
        ({"maxlen": 0}, "maxlen to be a positive integer, got 0"),
        ({"padding": "left"}, "padding to be 'pre' or 'post', got 'left'"),
        ({"truncating": None}, "truncating to be 'pre' or 'post', got None"),
        ({"sequences": [[1], [1.5]]}, r"sequences\[1\] to be whole numbers .* got float64"),
        ({"sequences": [[1], [[2]]]}, r"sequences\[1\] to be .* shape \(1, 1\)"),
        ({"sequences": [[1], 2]}, r"sequences\[1\] to be .* shape \(\)"),
        ({"sequences": ["abc"]}, r"sequences\[0\] to be an array of numbers"),
        ({"sequences": [np.array([2**31])]}, r"sequences\[0\] to fit int32, got numbers from 2"),
        ({"sequences": [[0, -(2**31) - 1]]}, "to fit int32"),
        ({"value": 0.5}, "value to be whole numbers"),
        ({"value": 2**40}, "value to fit int32"),
    ],
)
def test_what_cannot_be_padded(arguments, message):
    with pytest.raises(InputError, match=message):
        pad_sequences(**({"sequences": [[1, 2]]} | arguments))


LENGTHS = st.lists(st.integers(0, 60), max_size=60)


@given(LENGTHS, st.integers(1, 7), st.integers(1, 20), st.none() | st.integers(0, 9))
def test_every_sequence_comes_once_among_its_like(lengths, batch_size, width, seed):
    batches = buckets(lengths, batch_size, width, seed)
    assert sorted(np.concatenate([[], *batches])) == list(range(len(lengths)))
    smaller = []
    for batch in batches:
        of_batch = {-(-lengths[n] // width) for n in batch}
        assert len(of_batch) == 1
        assert len(batch) <= batch_size
        smaller += [of_batch.pop()] * (len(batch) < batch_size)
    assert len(smaller) == len(set(smaller))  # one of a bucket at most
    if seed is None:
        assert [batch.tolist() for batch in batches] == [sorted(batch) for batch in batches]
        of_batches = [-(-lengths[batch[0]] // width) for batch in batches]
        assert of_batches == sorted(of_batches)


def test_a_seed_shuffles_the_same_way_each_time():
    lengths = np.random.default_rng(1).integers(1, 100, 200)
    first, again, other = (buckets(lengths, 8, 10, seed) for seed in (1, 1, 2))
    assert [b.tolist() for b in first] == [b.tolist() for b in again]
    assert [b.tolist() for b in first] != [b.tolist() for b in other]
    of_batches = [-(-lengths[batch[0]] // 10) for batch in first]
    assert of_batches != sorted(of_batches)
    assert any((np.diff(batch) < 0).any() for batch in first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, -2], 1, 1), "lengths of 0 or more, got -2"),
        (([1.5], 1, 1), "lengths to be whole numbers"),
        (([1], 0, 1), "batch_size to be a positive integer"),
        (([1], 1, 0), "width to be a positive integer"),
        (([1], 1, 1, -1), "seed to be a whole number"),
    ],
)
def test_what_cannot_be_bucketed(arguments, message):
    with pytest.raises(InputError, match=message):
        buckets(*arguments)
