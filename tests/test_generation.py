"""Writing on: one step at a time, and with a sliding window."""

import itertools

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.errors import InputError
from scratchnet.generation import OneStep, continuation, sliding_window
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    OneHot,
    SimpleRNN,
)
from scratchnet.random import set_random_seed

V = 7
CELLS = {
    "lstm": LSTM,
    "gru": GRU,
    "gru before": lambda units, **more: GRU(units, reset_after=False, **more),
    "rnn": SimpleRNN,
    "relu lstm": lambda units, **more: LSTM(units, activation="relu", **more),
}


def language_model(cell="lstm", layers=1, embedding=0, hidden=0, dtype="float64"):
    set_random_seed(3)
    model = Sequential([Embedding(V, embedding) if embedding else OneHot(V)], dtype=dtype)
    for number in range(layers):
        model.add(CELLS[cell](5 - number, return_sequences=number < layers - 1))
        model.add(Dropout(0.5))
    if hidden:
        model.add(Dense(hidden, activation="relu"))
    model.add(Dense(V, activation="softmax"))
    model.build((None, 4))
    rng = np.random.default_rng(8)
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("cell", "layers", "embedding", "hidden"),
    list(itertools.product(CELLS, (1, 3), (0, 4), (0, 6))),
)
def test_a_step_at_a_time_is_the_whole_sequence(cell, layers, embedding, hidden):
    model = language_model(cell, layers, embedding, hidden)
    writer = OneStep(model)
    ids = np.random.default_rng(2).integers(V, size=9)
    before = np.zeros(V)
    for t in range(1, len(ids) + 1):
        logits = writer.feed(ids[t - 1 : t])
        expected = model.forward_with_logits(ids[None, :t])[0][0]
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-13)
        assert np.abs(logits - before).max() > 1e-5
        before = logits
    writer.reset()
    np.testing.assert_allclose(writer.feed(ids), before, rtol=0, atol=1e-13)


def test_nothing_of_a_training_in_progress_is_disturbed():
    grads = []
    for writes in (False, True):
        model = language_model()
        dy = np.random.default_rng(1).standard_normal((1, V))
        model.forward(np.array([[1, 2, 3]]), training=True)
        if writes:
            OneStep(model).feed([1, 2])
        model.backward(dy)
        grads.append([layer.grads for layer in model.layers])
    for ours, theirs in zip(*grads, strict=True):
        for key in theirs:
            assert np.abs(theirs[key]).max() > 1e-4
            np.testing.assert_array_equal(ours[key], theirs[key])


def test_a_window_forgets_what_left_it():
    model = language_model()
    writer = sliding_window(model, 4)
    ids = np.random.default_rng(4).integers(V, size=10)
    for t in range(1, 11):
        logits = writer.feed(ids[t - 1 : t])
        shown = ids[max(0, t - 4) : t]
        np.testing.assert_array_equal(logits, model.forward_with_logits(shown[None])[0][0])
    writer.reset()
    np.testing.assert_array_equal(
        writer.feed(ids[:2]), model.forward_with_logits(ids[None, :2])[0][0]
    )


def test_continuation_feeds_back_what_was_chosen():
    fed = []

    class Echo:
        def reset(self):
            fed.append("reset")

        def feed(self, ids):
            fed.append(list(ids))
            return np.array([len(fed)])

    chosen = iter([5, 3, 4])
    assert list(continuation(Echo(), [1, 2], lambda logits: next(chosen), 3)) == [5, 3, 4]
    assert fed == ["reset", [1, 2], [5], [3]]


@pytest.mark.parametrize(
    "layers",
    [
        [LSTM(3), Dense(V)],
        [OneHot(V), Flatten(), Dense(V)],
        [OneHot(V), Bidirectional(LSTM(2)), Dense(V)],
        [OneHot(V), LSTM(3, go_backwards=True), Dense(V)],
        [OneHot(V), LSTM(3)],
        [OneHot(V)],
        [Embedding(V, 3, mask_zero=True), LSTM(3), Dense(V)],
        [OneHot(V), LSTM(3, stateful=True), Dense(V)],
    ],
)
def test_networks_that_cannot_write_one_step_at_a_time(layers):
    with pytest.raises(InputError, match="expected token ids without a mask, then layers"):
        OneStep(Sequential(layers))


def test_layers_of_one_time_step_are_welcome():
    model = Sequential([OneHot(V), LSTM(3), Activation("tanh"), Dense(V)], dtype="float64")
    ids = np.array([1, 2, 6])
    expected = model.forward_with_logits(ids[None])[0][0]
    np.testing.assert_allclose(OneStep(model).feed(ids), expected, rtol=0, atol=1e-14)


def test_nothing_to_read_is_refused():
    for writer in (OneStep(language_model()), sliding_window(language_model(), 3)):
        with pytest.raises(InputError, match="expected one or more ids"):
            writer.feed([])


@pytest.mark.parametrize("page", [False, True])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_one_row_step_by_step_is_the_layers_forward(cell, use_bias, page):
    layer = CELLS[cell](4, dtype="float64", use_bias=use_bias, page=page)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 5))
    layer.build((1, 6, 5))
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    one = layer.one_row()
    for t in range(1, 7):
        h = one.step(one.inputs(x[t - 1]))
        expected = layer.forward(x[None, :t])[0]
        assert np.abs(expected).max() > 0.01
        np.testing.assert_allclose(h, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_table_of_one_hot_inputs_is_their_product(cell):
    layer = CELLS[cell](4, dtype="float64")
    layer.build((1, 1, 5))
    one = layer.one_row()
    np.testing.assert_array_equal(one.one_hot_inputs(), one.inputs(np.eye(5)))


def test_weights_are_those_at_the_latest_reset():
    model = language_model()
    writer = OneStep(model)
    before = writer.feed([1, 2])
    model.set_weights([2 * w for w in model.get_weights()])
    writer.reset()
    after = writer.feed([1, 2])
    assert np.abs(after - before).max() > 1e-2
    np.testing.assert_allclose(
        after, model.forward_with_logits(np.array([[1, 2]]))[0][0], rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("embedding", [0, 4])
@pytest.mark.parametrize("wrong", [-1, V, 2.5, np.nan])
def test_ids_outside_the_vocabulary_are_named(embedding, wrong):
    writer = OneStep(language_model(embedding=embedding))
    with pytest.raises(InputError, match="expected token ids"):
        writer.feed([1, wrong])


@pytest.mark.parametrize("embedding", [0, 4])
@pytest.mark.parametrize("wrong", [["a"], [None], "ab", [[1, 2]], np.array([[1, 2]])], ids=str)
def test_what_is_no_row_of_ids_is_refused(embedding, wrong):
    with pytest.raises(InputError, match="feed: expected"):
        OneStep(language_model(embedding=embedding)).feed(wrong)


@pytest.mark.parametrize("cell", ["lstm", "relu lstm"])
@pytest.mark.parametrize(
    "ids", [(1, 0), np.array([1.0, 0.0]), [True, False], [np.int8(1), np.int64(0)]], ids=str
)
def test_ids_of_any_type(cell, ids):
    model = language_model(cell)
    expected = OneStep(model).feed([1, 0])
    np.testing.assert_array_equal(OneStep(model).feed(ids), expected)
    one_by_one = OneStep(model)
    for k in range(2):
        logits = one_by_one.feed(ids[k : k + 1])
    np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_logits_are_the_readers_to_write_into(cell):
    model = Sequential([OneHot(V), CELLS[cell](V), Activation("softmax")], dtype="float64")
    writer, other = OneStep(model), OneStep(model)
    logits = writer.feed([1])
    expected = other.feed([1]).copy()
    logits *= 7
    np.testing.assert_array_equal(writer.feed([2]), other.feed([2]))
    np.testing.assert_array_equal(logits, 7 * expected)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_row_keeps_the_weights_it_began_with(cell):
    layer = CELLS[cell](4, dtype="float64")
    layer.build((1, 1, 5))
    layer.set_weights(
        [np.random.default_rng(1).standard_normal(w.shape) for w in layer.get_weights()]
    )
    x = np.random.default_rng(0).standard_normal(5)
    one, other = layer.one_row(), layer.one_row()
    expected = other.step(other.inputs(x)).copy()
    layer.set_weights([0 * w for w in layer.get_weights()])
    np.testing.assert_array_equal(one.step(one.inputs(x)), expected)
