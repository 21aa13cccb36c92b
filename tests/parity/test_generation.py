"""Writing with the Keras twin: a step at a time, and by sliding windows."""

import keras
import numpy as np
import pytest

from keras_impl.generation import OneStep, sliding_window
from keras_impl.models import language
from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet import generation
from scratchnet.errors import InputError
from scratchnet.experiments.language import build_model
from scratchnet.text import Sampler
from tests.helpers import FORWARD_TOLERANCE, assert_agrees, assert_not_negligible
from tests.layers.cases import every_dtype, message
from tests.parity.test_twins import T, V, ids, with_random_weights

MODELS = [
    {"cell": "lstm"},
    {"cell": "gru", "layers": 2, "embedding": 3},
    {"cell": "rnn", "layers": 2, "embedding": 2, "hidden": 6},
]
every_model = pytest.mark.parametrize(
    "architecture", MODELS, ids=lambda a: "-".join(map(str, a.values()))
)


def both(architecture, dtype="float64"):
    """A scratchnet model with random weights, and its twin."""
    architecture = {"vocabulary": V, "window": T, "units": 4, **architecture}
    model = with_random_weights(build_model(**architecture, dtype=dtype))
    with keras_floats(dtype):
        twin = language(**architecture)
    twin.set_weights(model.get_weights())
    return model, twin


def probabilities(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


@every_model
@every_dtype
def test_a_step_at_a_time_is_the_whole_at_once(architecture, dtype):
    model, twin = both(architecture, dtype)
    (text,) = ids(rows=1)
    writer, scratch = OneStep(twin), generation.OneStep(model)
    for _ in range(2):  # a reset forgets everything
        fed = [writer.feed(text[:2]), *(writer.feed([one]) for one in text[2:])]
        assert fed[-1].shape == (V,)
        assert fed[-1].dtype == dtype
        theirs = twin(text[None]).numpy()[0]
        assert_not_negligible(theirs.max() - theirs.min(), 1e-2)
        assert_agrees(probabilities(fed[-1]), theirs, FORWARD_TOLERANCE[dtype])
        assert_agrees(probabilities(fed[-1]), model(text[None])[0], FORWARD_TOLERANCE[dtype])
        assert_agrees(fed[-1], scratch.feed(text), FORWARD_TOLERANCE[dtype])
        assert abs(fed[-1] - fed[-2]).max() > 1e-3
        writer.reset()
        scratch.reset()


def test_states_reach_beyond_the_window():
    model, twin = both({"cell": "lstm"})
    (text,) = ids(rows=1, length=3 * T)
    logits = OneStep(twin).feed(text)
    assert_agrees(logits, generation.OneStep(model).feed(text), 1e-12)
    assert abs(logits - sliding_window(twin, T).feed(text)).max() > 1e-6


@every_model
def test_a_sliding_window_sees_the_last_ids_alone(architecture):
    dtype = "float64"
    model, twin = both(architecture, dtype)
    (text,) = ids(rows=1, length=2 * T)
    writer, scratch = sliding_window(twin, T), generation.sliding_window(model, T)
    for n in range(1, len(text) + 1):  # fewer than a window, a whole one, more
        logits = writer.feed(text[n - 1 : n])
        assert_agrees(logits, scratch.feed(text[n - 1 : n]), FORWARD_TOLERANCE[dtype])
        if n >= T:
            theirs = twin(text[None, n - T : n]).numpy()[0]
            assert_agrees(probabilities(logits), theirs, FORWARD_TOLERANCE[dtype])
    writer.reset()
    scratch.reset()
    assert_agrees(writer.feed(text[:2]), scratch.feed(text[:2]), FORWARD_TOLERANCE[dtype])


@pytest.mark.parametrize("temperature", [0, 1])
def test_both_engines_write_the_same(temperature):
    model, twin = both({"cell": "lstm"})
    prompt = ids(rows=1)[0].tolist()
    texts = [
        list(generation.continuation(writer, prompt, Sampler(temperature, seed=4), 40))
        for writer in (OneStep(twin), generation.OneStep(model))
    ]
    assert texts[0] == texts[1]
    assert temperature == 0 or len(set(texts[0])) > 4


def test_weights_are_used_where_they_are():
    """A writer made once goes on with what the model learns."""
    _, twin = both({"cell": "lstm"})
    writer = OneStep(twin)
    before = writer.feed([3])
    twin.set_weights([2 * weight for weight in twin.get_weights()])
    writer.reset()
    assert_agrees(probabilities(writer.feed([3])), twin(np.array([[3] * 1])).numpy()[0], 1e-12)
    writer.reset()
    assert abs(writer.feed([3]) - before).max() > 1e-3


def test_a_model_from_a_run_writes_too():
    """`to_keras` of a saved scratchnet model; dense layers need no bias."""
    model, _ = both({"cell": "lstm", "hidden": 3})
    twin = to_keras(model)
    assert_agrees(OneStep(twin).feed([1, 2]), generation.OneStep(model).feed([1, 2]), 1e-12)


@pytest.fixture(scope="module")
def writers():
    _, twin = both({"cell": "rnn"})
    return {"step": OneStep(twin), "window": sliding_window(twin, T)}


@pytest.mark.parametrize("way", ["step", "window"])
@pytest.mark.parametrize("bad", [[], [V], [-1], [2, V + 3]])
def test_ids_outside_the_vocabulary_are_refused(writers, way, bad):
    with pytest.raises(InputError, match=r"^feed: expected one or more ids") as e:
        writers[way].feed(bad)
    message(e)


def test_ids_are_whole_numbers(writers):
    with pytest.raises(InputError, match=r"^feed: expected one or more ids"):
        writers["step"].feed([0.5])


@pytest.mark.parametrize(
    "layers",
    [
        [keras.layers.Embedding(V, 3), keras.layers.Dense(V, "softmax")],
        [keras.layers.LSTM(3), keras.layers.Dense(V, "softmax")],
        [keras.layers.Embedding(V, 3), keras.layers.LSTM(3), keras.layers.Dense(V)],
        [
            keras.layers.Embedding(V, 3),
            keras.layers.Bidirectional(keras.layers.LSTM(3)),
            keras.layers.Dense(V, "softmax"),
        ],
        [
            keras.layers.Embedding(V, 3),
            keras.layers.GRU(3, go_backwards=True),
            keras.layers.Dense(V, "softmax"),
        ],
    ],
)
@pytest.mark.parametrize("make", [OneStep, lambda twin: sliding_window(twin, T)])
def test_other_models_are_refused(make, layers):
    with pytest.raises(InputError, match=r"^generation: expected a model of ids") as e:
        make(keras.Sequential(layers))
    message(e)
