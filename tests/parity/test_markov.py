"""A Markov chain counted by NumPy and by TensorFlow."""

import numpy as np
import pytest

from keras_impl import markov as keras_markov
from scratchnet.experiments import markov as experiment
from scratchnet.text import Vocabulary, transitions
from scratchnet.text.markov import MarkovChain


@pytest.mark.parametrize("order", [1, 2, 5, 12])
@pytest.mark.parametrize("V", [1, 2, 37])
def test_codes_and_counts_are_equal(V, order):
    ids = np.random.default_rng(order).integers(V, size=500).astype(np.int32)
    ours = transitions.count(ids, order, V)
    theirs = keras_markov.count(ids, order, V)
    assert len(ours) == len(theirs) == order + 1
    for (codes, counts), (their_codes, their_counts) in zip(ours, theirs, strict=True):
        assert counts.sum() > 480
        np.testing.assert_array_equal(codes, their_codes)
        np.testing.assert_array_equal(counts, their_counts)
        assert codes.dtype == their_codes.dtype == counts.dtype == their_counts.dtype == np.int64


@pytest.mark.parametrize("unit", ["char", "word"])
def test_counts_and_probabilities_are_equal(unit):
    text = "The man who said he knew, knew what the man said; and the man knew he knew."
    chain = MarkovChain(2, unit)
    ours = chain.fit(text).counts, chain.probabilities, chain.bits("the man knew nothing")
    chain.fit(text, counting=keras_markov.count)
    assert chain.counts.equals(ours[0])
    assert chain.probabilities.equals(ours[1])
    assert chain.bits("the man knew nothing") == ours[2]


@pytest.mark.shared_data
@pytest.mark.parametrize("order", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_the_published_text(shared_file, order):
    with shared_file("nietzsche.txt").open(encoding="utf-8", newline="") as file:
        text = file.read().lower()
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.encode(text)
    ours = transitions.count(ids, order, len(vocabulary))
    theirs = keras_markov.count(ids, order, len(vocabulary))
    np.testing.assert_equal(ours, theirs)
    if order == 1:
        chain = MarkovChain(order).fit(text, counting=keras_markov.count)
        assert chain.counts.filter(regex="^n$").shape[1] == 1
        assert chain.counts.loc["a", "b"] == 813
        assert chain.probabilities.loc["a", "n"] == 0.2322806826829003


def test_training_leaves_the_same_chain(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("Abracadabra, said the man.\n" * 9, encoding="utf-8")
    ours = experiment.train(tmp_path / "scratch", text=[text], order=3)
    theirs = experiment.train(tmp_path / "keras", text=[text], order=3, counting=keras_markov.count)
    assert ours == theirs
    files = [tmp_path / engine / "chain.json" for engine in ("scratch", "keras")]
    assert files[0].read_bytes() == files[1].read_bytes()
