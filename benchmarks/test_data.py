"""Preparing data: beside tf.data, Keras's utilities and layers, the results compared first."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_impl.bench.race import FEWEST_UNITS, Candidate, stepwise
from keras_impl.pipelines import training_batches
from scratchnet import experiments
from scratchnet.experiments import language
from scratchnet.samples import Samples
from scratchnet.text import Vocabulary, pad_sequences, windows

CHARACTERS, SYMBOLS, WINDOW, STRIDE, BATCH = 120_000, 57, 40, 3, 128
REVIEWS, LENGTH, WORDS = 2_000, 500, 5_000
ENOUGH = 1_000_000
"""Epochs: more than are ever taken."""


def race(side_by_side, ours, theirs, units=FEWEST_UNITS):
    def candidate(engine, run):
        return Candidate(engine, engine, stepwise(lambda x, y: run(), [(None, None)], units))

    side_by_side(candidate("scratchnet", ours), candidate("Keras", theirs))


@pytest.fixture(scope="module")
def text():
    ids = np.random.default_rng(0).integers(0, SYMBOLS, CHARACTERS)
    return "".join(chr(ord("A") + n) for n in ids.tolist())


def test_text_to_ids(side_by_side, text):
    symbols = Vocabulary.of(text).symbols
    lookup = keras.layers.StringLookup(vocabulary=list(symbols), num_oov_indices=0, mask_token=None)
    encode = tf.function(lambda text: lookup(tf.strings.unicode_split(text, "UTF-8")))

    def ours():
        return Vocabulary(symbols).encode(text)

    np.testing.assert_array_equal(ours(), encode(tf.constant(text)).numpy())
    race(side_by_side, ours, lambda: encode(tf.constant(text)))


def test_windows_of_a_text(side_by_side):
    """One pass over all windows, in order, batch by batch; ours are views, copied here."""
    ids = np.random.default_rng(0).integers(0, SYMBOLS, CHARACTERS // 20).astype("int32")
    data = keras.utils.timeseries_dataset_from_array(
        ids[:-1], ids[WINDOW:], WINDOW, sequence_stride=STRIDE, batch_size=BATCH
    ).prefetch(tf.data.AUTOTUNE)

    def ours():
        samples = Samples(*windows(ids, WINDOW, STRIDE))
        return [(one.x.copy(), one.y.copy()) for one in samples.batches(BATCH)]

    def theirs():
        return list(data)

    assert_same(ours(), theirs())
    race(side_by_side, ours, theirs)


def test_shuffled_epoch_of_a_text(side_by_side, text):
    """A training epoch's batches, in the order in which both engines take them."""
    settings = dataclasses.replace(language.Settings(), keep_case=True)
    problem = language.problem("nietzsche", text[: CHARACTERS // 4], settings, 0, "float32", ENOUGH)
    epochs_of(side_by_side, problem)


def test_shuffled_epoch_of_a_table(side_by_side):
    module = experiments.get("wisconsin").module()
    epochs_of(side_by_side, module.problem(dtype="float32", epochs=ENOUGH))


def epochs_of(side_by_side, problem):
    # casting once is no epoch's work; `fit` casts in the layers, batch by batch
    x = problem.x_train if problem.x_train.dtype.kind != "f" else problem.x_train.astype("float32")
    samples = Samples(x, problem.y_train)
    epochs, batches = itertools.count(), len(problem.batches(0))
    data = iter(training_batches(problem))

    def ours():
        order = samples.shuffled_order(problem.seed, next(epochs))
        return [(one.x, one.y) for one in samples.batches(problem.batch_size, order)]

    def theirs():
        return [next(data) for _ in range(batches)]

    for _ in range(2):
        assert_same(ours(), theirs())
    race(side_by_side, ours, theirs)


def test_padding_of_reviews(side_by_side):
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(5.3, 0.6, REVIEWS).astype(int), 10, 2_500)
    reviews = [rng.integers(1, WORDS, length, dtype="int32") for length in lengths]

    def ours():
        return pad_sequences(reviews, maxlen=LENGTH)

    def theirs():
        return keras.utils.pad_sequences(reviews, maxlen=LENGTH)

    np.testing.assert_array_equal(ours(), theirs())
    race(side_by_side, ours, theirs)


def test_reviews_of_text(side_by_side):
    """Words to padded ids, the unknown ones as one id."""
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(1, WORDS)]
    rows = [rng.integers(1, WORDS + 500, 300) for _ in range(REVIEWS // 10)]
    texts = [" ".join(f"w{n}" for n in row.tolist()) for row in rows]
    vocabulary = Vocabulary(["<unknown>", *words], "word", "<unknown>")
    layer = keras.layers.StringLookup(vocabulary=words, num_oov_indices=1, mask_token=None)
    encode = tf.function(lambda texts: layer(tf.strings.split(texts)).to_tensor())

    def ours():
        return pad_sequences([vocabulary.encode(one) for one in texts], padding="post")

    tensor = tf.constant(texts)
    np.testing.assert_array_equal(ours(), encode(tensor).numpy())
    race(side_by_side, ours, lambda: encode(tensor))


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for mine, keras_batch in zip(ours, theirs, strict=True):
        for array, tensor in zip(mine, keras_batch, strict=True):
            np.testing.assert_array_equal(array, tensor.numpy())
