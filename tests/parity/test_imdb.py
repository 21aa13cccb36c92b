"""The reviews, their words, and two steps of training, against Keras's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet.experiments import imdb
from scratchnet.experiments.imdb_archive import read_archive
from scratchnet.experiments.imdb_data import (
    SEPARATORS,
    in_kerass_order,
    load,
    numbered,
    split_review,
)
from scratchnet.optimizers import Adam
from tests.experiments.imdb_files import write_archive
from tests.helpers import assert_agrees, assert_not_negligible
from tests.parity.test_models import EXACT, densify

ROWS, LENGTH, BATCH = 300, 40, 150


@pytest.mark.parametrize("num_words", [5, 20, 63])
def test_load_data(tmp_path, monkeypatch, num_words):
    """Order, labels and every id, where Keras reads the same file."""
    path = write_archive(tmp_path / "imdb.npz")
    monkeypatch.setattr(keras.src.datasets.imdb, "get_file", lambda **_: str(path))
    theirs = keras.datasets.imdb.load_data(num_words=num_words)
    ours = [numbered(part, num_words) for part in in_kerass_order(*read_archive(path))]
    for reviews, (x, y) in zip(ours, theirs, strict=True):
        assert [reviews[n].tolist() for n in range(len(reviews))] == [list(one) for one in x]
        np.testing.assert_array_equal(reviews.labels, y)
    assert max(ours[0].tokens) == max(4, num_words - 1) > min(ours[0].tokens)


def test_separators():
    """Those that Keras's Tokenizer takes out by default."""
    assert keras.src.legacy.preprocessing.text.Tokenizer().filters == SEPARATORS


@pytest.mark.parametrize(
    "text",
    [
        "The film -- was GREAT, wasn't it?!<br /><br />10/10",
        "a_b\tc\nd  e",
        "jÁaccuse 'royale' \x85and café\xa0noir",
        "",
    ],
)
def test_words(text):
    """As Keras's own function, which would lower-case more letters than the data set's makers."""
    split = keras.src.legacy.preprocessing.text.text_to_word_sequence
    lower = "".join(c.lower() if c.isascii() else c for c in text)
    assert split_review(text) == split(lower, lower=False)


@pytest.mark.shared_data
@pytest.mark.parametrize("masked", [False, True])
class TestTraining:
    """The last 40 words of 300 reviews in two batches; Adam's betas exact in float32."""

    @pytest.fixture(scope="class")
    @staticmethod
    def data(shared_file):
        shared_file("imdb_flat.npz")
        train, _ = load(500)
        few = train.ordered(np.argsort(train.lengths, kind="stable")[: 4 * ROWS : 4])
        x, y = imdb.inputs(few, LENGTH), imdb.targets(few)
        assert (x == 0).any()
        assert 0.3 < y.mean() < 0.7
        return x, y

    def test_two_steps(self, data, masked):
        x, y = data
        model = imdb.build_model(500, LENGTH, 8, 12, masked, seed=3, dtype="float64")
        model.compile(Adam(0.01, **EXACT), "binary_crossentropy")
        before = model.get_weights()
        with keras_floats("float64"):
            twin = to_keras(model)
            twin.compile(keras.optimizers.Adam(0.01, **EXACT), "binary_crossentropy")
            densify(twin.optimizer)
            for start in (0, BATCH):
                rows = slice(start, start + BATCH)
                ours = model.train_on_batch(x[rows], y[rows])
                theirs = float(twin.train_on_batch(x[rows], y[rows]))
                assert_agrees(ours, theirs, 1e-12, "loss")
            for array, reference, start in zip(
                model.get_weights(), twin.get_weights(), before, strict=True
            ):
                assert_not_negligible(reference - start, 1e-3)
                assert_agrees(array, reference, 1e-12, "weights")
